/** Rows of the tables in tensors of their own: the same values, the same gradient, nothing for the rows that stand. */
import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { embedding } from '../../lib/ops/embedding.js';
import { gatherRows, type SplitTable, tableLogits, wholeTable } from '../../lib/ops/split-table.js';
import { targetLogProbs } from '../../lib/ops/target-log-probs.js';
import { Random } from '../../lib/support/random.js';

beforeAll(async () => void (await useEngine()));

const [V, D] = [7, 3];
const numbers = (count: number, seed: string): Float32Array => {
  const random = new Random(seed);
  return Float32Array.from({ length: count }, () => random.normal());
};

/** A table and the same one split, its rows [first, first + count) apart. */
function both(first: number, count: number): { whole: tf.Variable; split: SplitTable } {
  const whole = tf.variable(tf.tensor2d(numbers(V * D, 'table'), [V, D]));
  const table = whole as tf.Tensor as tf.Tensor2D;
  const still = tf.concat([tf.slice(table, 0, first), tf.slice(table, first + count)], 0);
  const rows = tf.variable(tf.slice(table, first, count));
  return { whole, split: { frozen: still, trained: rows as tf.Tensor as tf.Tensor2D, first } };
}

test.each([
  [4, 3],
  [2, 3],
  [0, 2],
  [6, 1],
])('rows from %d, %d of them: values and gradients are those of the whole table', (first, count) => {
  const { whole, split } = both(first, count);
  const table = whole as tf.Tensor as tf.Tensor2D;
  expect(wholeTable(split).arraySync()).toEqual(table.arraySync());
  const ids = tf.tensor1d([0, 6, 3, 3, 5, 2, 4, 1], 'int32');
  expect(gatherRows(split, ids).arraySync()).toEqual(embedding(table, ids).arraySync());
  const hidden = tf.tensor2d(numbers(2 * D, 'hidden'), [2, D]);
  const logits = (of: tf.Tensor): number[] => [...of.dataSync()];
  const expected = logits(tf.matMul(hidden, table, false, true));
  logits(tableLogits(hidden, split)).forEach((x, i) => expect(x).toBeCloseTo(expected[i]!, 5));

  const weight = tf.tensor2d(numbers(8 * D, 'weight'), [8, D]);
  const targets = { row: Int32Array.of(0, 0, 1), token: Int32Array.of(first, (first + count) % V, 5) };
  const mix = tf.tensor2d(numbers(2 * 8, 'mix'), [2, 8]);
  const loss = (of: tf.Tensor2D | SplitTable) => (): tf.Scalar => {
    const mixed = tf.matMul(mix, tf.mul(gatherRows(of, ids), weight)) as tf.Tensor2D; // the table is under and over it
    return tf.sum(targetLogProbs(mixed, of, targets));
  };
  const rows = split.trained as tf.Tensor as tf.Variable;
  const ofWhole = tf.variableGrads(loss(table), [whole]).grads[whole.name]!;
  const ofRows = tf.variableGrads(loss(split), [rows]).grads[rows.name]!;
  expect(ofRows.shape).toEqual([count, D]);
  const masked = [...tf.slice(ofWhole, first, count).dataSync()];
  ofRows.dataSync().forEach((x, i) => expect(x).toBeCloseTo(masked[i]!, 4));
});
