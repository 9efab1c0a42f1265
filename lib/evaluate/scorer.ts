/** Another recommender as a function: GRPO's `sasrec` reward asks it, and the search takes it as an assistant. */
import { hashText } from '../files/files.js';
import { InputError } from '../support/errors.js';

/**
 * Scores of items after histories, larger is better: `scorer([[4, 7]], [[1, 2, 3]])` has one row of three numbers.
 * @param histories item ids, oldest first [rows][...] @param items item ids to score [rows][...]
 */
export type Scorer = (
  histories: readonly (readonly number[])[],
  items: readonly (readonly number[])[],
) => readonly ArrayLike<number>[] | Promise<readonly ArrayLike<number>[]>;

/** What tells one scorer from another: its property `identity`, such as the hash of its files, else its source. */
export function scorerIdentity(scorer: Scorer): string {
  const { identity } = scorer as { identity?: unknown };
  return typeof identity === 'string' ? identity : hashText(scorer.toString());
}

/**
 * Ids of another catalogue mean other items, or none.
 * @param items of the catalogue @param name of the option, in front of the error
 * @throws InputError for a scorer that says (by its property `items`) that it is of another number of items
 */
export function checkScorer(scorer: Scorer | undefined, items: number, name: string): void {
  const { items: own } = (scorer ?? {}) as { items?: unknown };
  if (typeof own !== 'number' || own === items) return;
  throw new InputError(`${name}: expected one of ${items} items, got ${own}; train it on this catalogue`);
}

/** A scorer of each data set of a joined folder, by name: each row is scored by that of its own, with the ids of that one. */
export type PartScorers = Scorer & { parts: Readonly<Record<string, Scorer>> };

/** Scorers of the data sets of a joined folder as one value, for an evaluation that ranks each by itself. */
export function partScorers(parts: Readonly<Record<string, Scorer>>): PartScorers {
  const all: Scorer = () => {
    throw new InputError(`assistant: expected one data set, got those of ${Object.keys(parts).join(', ')} as one`);
  };
  const identity = hashText(JSON.stringify(Object.entries(parts).map(([name, one]) => [name, scorerIdentity(one)])));
  return Object.assign(all, { parts, identity });
}

/** Whether each data set of a joined folder has a scorer of its own. */
export function hasPartScorers(scorer: unknown): scorer is PartScorers {
  return typeof scorer === 'function' && typeof (scorer as Partial<PartScorers>).parts === 'object';
}

/**
 * The assistant that an option names, where that is a function.
 * @throws InputError for a folder or a name: this room cannot load a baseline
 */
export function scorerOf(assistant: string | Scorer | undefined): Scorer | undefined {
  if (typeof assistant !== 'string') return assistant;
  throw new InputError(
    `assistant: expected a function, got ${assistant}; loadScorer(folder) makes one, evaluateBesideBaselines takes a folder`,
  );
}
