/** Baselines over a joined folder: each data set by itself, ranked among its own items. */
import type { Dataset, Row } from '../data/dataset.js';
import { type PartView, partView, userAlone } from '../data/join/parts.js';
import { joinedResults } from '../evaluate/apart/joined-results.js';
import type { Result } from '../evaluate/result.js';
import { InputError } from '../support/errors.js';

/** The data sets of a joined folder, or the one that there is. */
export function viewsOf(dataset: Dataset): PartView[] {
  return dataset.parts?.map(({ name }) => partView(dataset, name)) ?? [{ dataset, firstItem: 0 }];
}

/**
 * Ranks rows of a joined folder, each by its own data set's training rows; of any other folder all of them at once.
 * @param rank ranks rows with the ids of the data set that is given
 * @returns in the order of the rows, with the joined folder's ids
 * @throws InputError for rows with the ids that a data set has alone
 */
export function rankApart(
  dataset: Dataset,
  rows: readonly Row[],
  rank: (dataset: Dataset, rows: readonly Row[]) => readonly Result[],
): Result[] {
  if (!dataset.parts) return [...rank(dataset, rows)];
  const ranked: Result[] = [];
  for (const { dataset: part, firstItem } of viewsOf(dataset)) {
    const inside = ({ target }: Row): boolean => target >= firstItem && target < firstItem + part.items.length;
    const places = rows.flatMap((row, i) => (inside(row) ? [i] : []));
    const own = places.map((i) => alone(rows[i]!, part.name, firstItem));
    const results = joinedResults([{ name: part.name, firstItem, results: rank(part, own) }]);
    places.forEach((place, i) => (ranked[place] = results[i]!));
  }
  return ranked;
}

function alone({ user, history, target }: Row, part: string, firstItem: number): Row {
  const own = userAlone(part, user);
  if (own === undefined) {
    throw new InputError(
      `baseline: expected users of a joined folder, such as ${part}/NAME, got ${JSON.stringify(user)}; give the data set that the rows are of`,
    );
  }
  return {
    user: own,
    history: history.map((id) => id - firstItem),
    target: target - firstItem,
  };
}
