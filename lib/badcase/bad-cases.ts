/**
 * Where a recommender fails: test rows whose true item is missing from the first k, sorted into failure modes.
 *
 * The modes are small pure functions of a row and of what training saw. A row may be in several or in none. Lift
 * says whether a mode matters: how much more often its rows fail than rows do overall. Frequencies count train rows'
 * targets and each user's first history, as the popularity baseline does.
 */
import { countTrain } from '../baselines/counts.js';
import type { Dataset } from '../data/dataset.js';
import type { Result } from '../evaluate/results-file.js';
import { InputError } from '../support/errors.js';
import { defineOptions } from '../options/schema.js';
import { type BadCasesOptions, DETECTOR_OPTIONS } from './badcase-options.js';

const SCHEMA = defineOptions('badcase', DETECTOR_OPTIONS);

export const MODES = ['cold start', 'long tail', 'short history'] as const;
export type Mode = (typeof MODES)[number];

export interface BadCase {
  /** Place among the results, from 0. */
  row: number;
  user: string;
  history: number[];
  target: number;
  title: string;
  /** Rank of the target in the whole list, from 1; 0 where it is not listed. */
  rank: number;
  modes: Mode[];
}

export interface ModeFigures {
  /** Rows of the mode, failed or not. */
  rows: number;
  /** Failed rows of the mode. */
  count: number;
  /** Of all failed rows, in [0, 1]; 0 where none failed. */
  share: number;
  /** Failure rate of the mode's rows / failure rate of all rows; 0 where either has no row or none failed. */
  lift: number;
}

export interface BadCases {
  rows: number;
  failed: number;
  modes: Record<Mode, ModeFigures>;
  /** The failed rows, in the order of the results. */
  cases: BadCase[];
  /** Rank of the target in each row, from 1; 0 where it is not listed [rows] */
  ranks: number[];
}

/**
 * @throws InputError for an option out of range, or results of another data set (an item id that it lacks)
 *
 * @example a target never seen in training, missed: `{modes: {'cold start': {rows: 1, count: 1, ...}}}`
 */
export function badCases(results: readonly Result[], dataset: Dataset, options: BadCasesOptions = {}): BadCases {
  const { topK, coldBelow, tailShare, shortHistory } = SCHEMA.parse(options);
  const alien = results.findIndex(({ target }) => dataset.items[target] === undefined);
  if (alien >= 0) {
    const { target } = results[alien]!;
    throw new InputError(
      `badcase: result ${alien + 1} has item ${target}, the data have ${dataset.items.length} items; evaluate on the same data`,
    );
  }
  const seen = countTrain(dataset.train).items;
  const tail = tailItems(seen, dataset.items.length, tailShare);
  const modesOf = ({ target, history }: Result): Mode[] => {
    const is: Record<Mode, boolean> = {
      'cold start': (seen.get(target) ?? 0) < coldBelow,
      'long tail': tail.has(target),
      'short history': history.length <= shortHistory,
    };
    return MODES.filter((mode) => is[mode]);
  };
  const ranks = results.map(({ items, target }) => items.indexOf(target) + 1);
  const all = results.map((result, row) => describe(result, row, ranks[row]!, modesOf(result), dataset));
  const cases = all.filter(({ rank }) => rank === 0 || rank > topK);
  return { rows: all.length, failed: cases.length, modes: figuresOf(all, cases), cases, ranks };
}

function describe(result: Result, row: number, rank: number, modes: Mode[], dataset: Dataset): BadCase {
  const { user, history, target } = result;
  return { row, user, history, target, title: dataset.items[target]!.title, rank, modes };
}

function figuresOf(all: readonly BadCase[], failed: readonly BadCase[]): Record<Mode, ModeFigures> {
  const overall = failed.length / Math.max(1, all.length);
  const entries = MODES.map((mode) => {
    const rows = all.filter(({ modes }) => modes.includes(mode)).length;
    const count = failed.filter(({ modes }) => modes.includes(mode)).length;
    const lift = rows > 0 && overall > 0 ? count / rows / overall : 0;
    return [mode, { rows, count, share: failed.length > 0 ? count / failed.length : 0, lift }] as const;
  });
  return Object.fromEntries(entries) as Record<Mode, ModeFigures>;
}

/**
 * The least popular items that together hold at most `share` of the interactions; items never seen are among them.
 * Of equally popular items either all belong or none, so the order of ids does not matter.
 */
export function tailItems(seen: ReadonlyMap<number, number>, items: number, share: number): Set<number> {
  const counts = Array.from({ length: items }, (_, item) => seen.get(item) ?? 0);
  const total = counts.reduce((sum, count) => sum + count, 0);
  const byCount = new Map<number, number>(); // count -> items with it
  for (const count of counts) byCount.set(count, (byCount.get(count) ?? 0) + 1);
  let held = 0;
  let most = -1;
  for (const count of [...byCount.keys()].sort((a, b) => a - b)) {
    held += count * byCount.get(count)!;
    if (held > share * total) break;
    most = count;
  }
  return new Set(counts.flatMap((count, item) => (count <= most ? [item] : [])));
}
