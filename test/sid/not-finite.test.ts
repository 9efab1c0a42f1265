/** Whatever hands rows to native code refuses those that it could not compute with, by their number. */
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import type { Vectors } from '../../lib/files/npy.js';
import { assignSids } from '../../lib/sid/assign-sids.js';
import { balancedAssign } from '../../lib/sid/balanced/balanced-assign.js';
import { balancedCodes } from '../../lib/sid/balanced/balanced-codes.js';
import { balancedKmeans } from '../../lib/sid/balanced/balanced-kmeans.js';
import { roundToCapacities, sinkhornCodes } from '../../lib/sid/balanced/sinkhorn-codes.js';
import { sinkhorn } from '../../lib/sid/balanced/sinkhorn.js';
import { reassign } from '../../lib/sid/collisions/reassign.js';
import { kmeans } from '../../lib/sid/kmeans/kmeans.js';
import { lloyd, nearestCodes } from '../../lib/sid/kmeans/lloyd.js';
import { sidQuality } from '../../lib/sid/quality/quality.js';
import { Random } from '../../lib/support/random.js';

beforeAll(async () => void (await useEngine()));

function cloud(rows: number, width: number): Vectors {
  const random = new Random(2);
  return { rows, width, data: Float32Array.from({ length: rows * width }, () => random.normal()) };
}

const x = cloud(300, 4);
const centres = cloud(7, 4);
const zeros = Array.from({ length: 300 }, () => [0]);

/** Functions of rows and centres. */
const FUNCTIONS: Record<string, (rows: Vectors, of: Vectors) => unknown> = {
  kmeans: (rows, of) => kmeans(rows, { codes: 7, init: of }),
  'kmeans of its own': (rows) => kmeans(rows, { codes: 7, implementation: 'own' }),
  lloyd: (rows, of) => lloyd(rows, of, 3),
  nearestCodes: (rows, of) => nearestCodes(rows, of),
  balancedKmeans: (rows, of) => balancedKmeans(rows, { codes: 7, init: of }),
  balancedCodes: (rows, of) => balancedCodes(rows, [of]),
  sinkhornCodes: (rows, of) => sinkhornCodes(rows, of),
  assignSids: (rows, of) => assignSids(rows, [of]),
  sidQuality: (rows) => sidQuality({ codes: zeros, vectors: rows }),
};

describe.each(Object.entries(FUNCTIONS))('%s', (name, call) => {
  test('takes rows that are finite', () => {
    expect(call(x, centres)).toBeDefined();
  });

  test.each([NaN, Infinity, -Infinity])('refuses a row with %d', (value) => {
    const before = tf.memory().numTensors;
    expect(() => call({ ...x, data: x.data.with(4 * 123 + 2, value) }, centres)).toThrow(
      `row 123, column 2 is ${value}`,
    );
    expect(tf.memory().numTensors).toBe(before);
  });

  test('refuses numbers that are not rows x width', () => {
    expect(() => call({ ...x, data: x.data.subarray(1) }, centres)).toThrow('expected 300 x 4 numbers, got 1199');
  });

  test('refuses a centre that is not finite', () => {
    if (name === 'kmeans of its own' || name === 'sidQuality') return; // they are given none
    expect(() => call(x, { ...centres, data: centres.data.with(9, NaN) })).toThrow('row 2, column 1 is NaN');
  });
});

test('plans, costs, prices and masses', () => {
  const costs = [0, 1, NaN, 3];
  expect(() => sinkhorn(costs, [1, 1], [1, 1], { epsilon: 1 })).toThrow(
    'expected finite costs, got NaN in row 1, column 0',
  );
  expect(() => sinkhorn([0, 1, 2, 3], [1, NaN], [1, 1], { epsilon: 1 })).toThrow('masses above 0, got NaN of row 1');
  expect(() => sinkhorn([0, 1, 2, 3], [1, 1], [2, 0], { epsilon: 1 })).toThrow('masses above 0, got 0 of column 1');
  expect(() => roundToCapacities(costs, 2, Int32Array.of(1, 1))).toThrow('row 1, column 0 of the plan is NaN');
  const limits = { lower: Int32Array.of(0, 0), upper: Int32Array.of(2, 2) };
  const problem = { items: 2, clusters: 2, costs: Int32Array.of(1, 2, 2, 1), ...limits };
  const priced = (...prices: number[]) => balancedAssign(problem, { prices: Float64Array.from(prices) });
  expect([...priced(0, 0).clusters]).toEqual([0, 1]);
  expect(() => priced(0, NaN)).toThrow('expected prices below 2^50, got NaN of cluster 1');
  expect(() => priced(0)).toThrow('expected 2 prices, got 1');
  expect(() => reassign({ ...x, data: x.data.with(7, NaN) }, zeros, [cloud(300, 4)])).toThrow('row 1, column 3 is NaN');
});

test('more codes than rows, none, half a code', () => {
  for (const codes of [0, 301, 2.5, NaN]) {
    expect(() => balancedKmeans(x, { codes })).toThrow(
      `expected codes from 1 to 300, the number of rows, got ${codes}`,
    );
  }
});
