/**
 * What a sequence recommender is trained on: rows, or users' whole sequences with a target at every item (SASRec's own).
 *
 * Departure: of a sequence that is longer than the model looks back, SASRec keeps the latest part alone; here it is cut
 * into parts from its end on, so that every item but the first is a target once.
 */
import type { Row } from '../../data/dataset.js';
import { userSequences } from '../../data/sequences/user-sequences.js';
import type { SEQUENCE_MODES } from './sequence-options.js';

/** A history and what is asked after it, or after each of its items. */
export interface SequenceExample {
  /** Item ids, oldest first, at most as many as the model looks back. */
  history: number[];
  /** Of a row its target alone, of a chain one for each item of the history. */
  targets: number[];
}

/**
 * @param longest items that the model looks back
 * @example chains of u: 1 2 3 4, longest 2: { history: [2, 3], targets: [3, 4] }, { history: [1], targets: [2] }
 */
export function sequenceExamples(
  rows: readonly Row[],
  longest: number,
  mode: (typeof SEQUENCE_MODES)[number],
): SequenceExample[] {
  switch (mode) {
    case 'row':
      return rows.map(({ history, target }) => ({ history: history.slice(-longest), targets: [target] }));
    case 'chain':
      return [...userSequences(rows).values()].flat().flatMap((sequence) => partsOf(sequence, longest));
    default:
      throw mode satisfies never;
  }
}

function partsOf(sequence: readonly number[], longest: number): SequenceExample[] {
  const parts: SequenceExample[] = [];
  for (let end = sequence.length - 1; end > 0; end -= longest) {
    const start = Math.max(0, end - longest);
    parts.push({ history: sequence.slice(start, end), targets: sequence.slice(start + 1, end + 1) });
  }
  return parts;
}
