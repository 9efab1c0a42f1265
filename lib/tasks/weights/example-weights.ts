/** Weights of a task's rows, some of which were made and are none of the training rows. */
import type { Row } from '../../data/dataset.js';
import type { RowWeights } from './row-weights.js';

/** Numbers of some rows in the list that they are of. */
export function numbersIn(all: readonly Row[], some: readonly Row[]): Int32Array {
  const numbers = new Map(all.map((row, i) => [row, i]));
  return Int32Array.from(some, (row) => numbers.get(row)!);
}

/** Weight of each item as the target of a row that was made: the item's factor, and the mean of the rows' factors. */
export function typicalWeights({ ofItem, ofRow }: RowWeights): Float64Array {
  const mean = ofRow.length === 0 ? 1 : ofRow.reduce((sum, factor) => sum + factor, 0) / ofRow.length;
  return ofItem.map((factor) => factor * mean);
}

/** @param numbers of the first rows among those of the weights; the rows beyond them were made */
export function exampleWeights(rows: readonly Row[], numbers: Int32Array, weights: RowWeights): Float64Array {
  const { ofItem, ofRow } = weights;
  const typical = typicalWeights(weights);
  return Float64Array.from(rows, ({ target }, i) =>
    i < numbers.length ? ofItem[target]! * ofRow[numbers[i]!]! : typical[target]!,
  );
}
