/** Balancing at its limits: what is still allowed and what no longer, exactly at a tolerance, between equals. */
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { useEngine } from '../../../lib/engine/engine.js';
import { registerNativeOps, unregisterNativeOps } from '../../../lib/engine/native-ops.js';
import type { Vectors } from '../../../lib/files/npy.js';
import { hasFused } from '../../../lib/ops/fused.js';
import { balancedAssign } from '../../../lib/sid/balanced/balanced-assign.js';
import { balancedKmeans } from '../../../lib/sid/balanced/balanced-kmeans.js';
import { roundToCapacities } from '../../../lib/sid/balanced/sinkhorn-codes.js';
import { sinkhorn } from '../../../lib/sid/balanced/sinkhorn.js';
import { kmeansPlusPlus, randomGroupMeans } from '../../../lib/sid/kmeans/initial-centres.js';
import { kmeans } from '../../../lib/sid/kmeans/kmeans.js';
import { Random } from '../../../lib/support/random.js';

let faces: ('fused' | 'plain')[] = ['plain'];
beforeAll(async () => {
  await useEngine();
  if (hasFused('SidlabBalancedKmeans')) faces = ['fused', 'plain'];
});
afterEach(() => {
  if (faces.length === 2) registerNativeOps();
});

function useFace(face: 'fused' | 'plain'): void {
  if (face === 'plain') unregisterNativeOps();
}

function column(...values: number[]): Vectors {
  return { rows: values.length, width: 1, data: Float32Array.from(values) };
}

describe('Sinkhorn', () => {
  test.each([0, -1, NaN, Infinity])('a mass of %d, first or last, of rows or columns', (mass) => {
    for (const at of [0, 2]) {
      const masses = [1, 1, 1].with(at, mass);
      const costs = Array<number>(9).fill(0);
      expect(() => sinkhorn(costs, masses, [1, 1, 1], { epsilon: 1 })).toThrow(`expected masses above 0, got ${mass} of row ${at}`); // prettier-ignore
      expect(() => sinkhorn(costs, [1, 1, 1], masses, { epsilon: 1 })).toThrow(`expected masses above 0, got ${mass} of column ${at}`); // prettier-ignore
    }
  });

  test.each([NaN, Infinity, -Infinity])('a cost of %d, first or last', (cost) => {
    const costs = [1, 2, 3, 4, 5, 6];
    const of = (at: number) => () => sinkhorn(costs.with(at, cost), [3, 3], [2, 2, 2], { epsilon: 1 });
    expect(of(0)).toThrow(`expected finite costs, got ${cost} in row 0, column 0`);
    expect(of(5)).toThrow(`expected finite costs, got ${cost} in row 1, column 2`);
  });

  test.each([0, -1, NaN])('an epsilon of %d', (epsilon) => {
    expect(() => sinkhorn([1], [1], [1], { epsilon })).toThrow(`sinkhorn: expected epsilon above 0, got ${epsilon}`);
  });

  test('a millionth of the mass is the most that sums may differ by', () => {
    expect(() => sinkhorn([0, 1, 1, 0], [5e5, 5e5], [5e5, 500_001], { epsilon: 1 })).not.toThrow();
  });

  test('columns that are off by the tolerance are right enough', () => {
    const costs = [0, 0, 1e6, 0]; // the kernel is 1, 1, 0, 1; then row scales 1/2 and 1, columns of 1/2 and 3/2
    const plan = sinkhorn(costs, [1, 1], [0.75, 1.25], { epsilon: 1, tolerance: 0.125 });
    const wanted = [0.75, 1.25 / 3, 0, 2.5 / 3];
    plan.forEach((entry, at) => expect(entry).toBeCloseTo(wanted[at]!, 12));
  });

  test('a tiny epsilon: the cheapest column of each row, wherever it is, whatever a row costs more', () => {
    for (let shift = 0; shift < 4; shift++) {
      const wanted = Array.from({ length: 12 }, (_, at) => ((Math.floor(at / 4) + shift) % 4 === at % 4 ? 1 : 0));
      const costs = wanted.map((entry, at) => 1 - entry + 3 * Math.abs(1 - Math.floor(at / 4)));
      const masses = [0, 1, 2, 3].map((j) => (wanted.some((entry, at) => entry === 1 && at % 4 === j) ? 1 : 1e-7));
      const plan = sinkhorn(costs, [1, 1, 1], masses, { epsilon: 1e-3, iterations: 1 });
      plan.forEach((entry, at) => expect(entry).toBeCloseTo(wanted[at]!, 5));
    }
  });
});

test('an entry of a plan that is not finite, first or last', () => {
  const of = (at: number) => () => roundToCapacities([1, 2, 3, 4].with(at, NaN), 2, Int32Array.of(1, 1));
  expect(of(0)).toThrow('roundToCapacities: row 0, column 0 of the plan is NaN');
  expect(of(3)).toThrow('roundToCapacities: row 1, column 1 of the plan is NaN');
});

describe('balanced k-means', () => {
  test('centres that move by exactly the tolerance are at rest', () => {
    const x = column(-3, -1, 1, 3); // of variance 5; both centres move by 1
    for (const face of faces) {
      useFace(face);
      const options = { codes: 2, clusterSize: [2, 2], init: column(-1, 1) } as const;
      expect(balancedKmeans(x, { ...options, tolerance: 0.4 }), face).toMatchObject({ rounds: 1, error: 4 });
      expect(balancedKmeans(x, { ...options, tolerance: 0.399 }), face).toMatchObject({ rounds: 2, error: 4 });
    }
  });

  test('centres that all together move by exactly 1 are not at rest', () => {
    const x = column(0, 2, 3.25, 8.75); // the first mean is 1, the second stays 6; then 3.25 is nearer to the first
    for (const face of faces) {
      useFace(face);
      const found = balancedKmeans(x, { codes: 2, clusterSize: [1, 3], init: column(0, 6), tolerance: 0 });
      expect([...found.codes], face).toEqual([0, 0, 0, 1]);
    }
  });

  test('a code without rows keeps its place, and so do those before and after it', () => {
    for (const face of faces) {
      useFace(face);
      const options = { codes: 3, clusterSize: [0, 3], init: column(0, 50, 10), tolerance: 0 } as const;
      const found = balancedKmeans(column(0, 1, 10), options);
      expect(found, face).toMatchObject({ data: Float32Array.of(0.5, 50, 10), codes: Int32Array.of(0, 0, 2) });
    }
  });

  test('one code of all rows', () => {
    for (const face of faces) {
      useFace(face);
      expect(balancedKmeans(column(1, 2, 6), { codes: 1 }), face).toMatchObject({
        data: Float32Array.of(3),
        error: 14,
      });
    }
  });

  test('of initialisations that end equally well the first is kept', () => {
    const x = column(0, 0, 10, 10);
    let differ = 0;
    for (let seed = 0; seed < 8; seed++) {
      const random = new Random(seed);
      const starts = [kmeansPlusPlus(x, 2, random), randomGroupMeans(x, 2, random)];
      const balanced = starts.map((init) => balancedKmeans(x, { codes: 2, init }));
      const free = starts.map((init) => kmeans(x, { codes: 2, init }));
      for (const [found, results] of [
        [balancedKmeans(x, { codes: 2, nInit: 2, seed }), balanced],
        [kmeans(x, { codes: 2, seed }), free],
      ] as const) {
        const [first, second] = results as [(typeof results)[0], (typeof results)[0]];
        expect(found.codes).toEqual((second.error < first.error ? second : first).codes);
        if (first.error === second.error && String(first.codes) !== String(second.codes)) differ++;
      }
    }
    expect(differ).toBeGreaterThan(2);
  });
});

describe('the assignment', () => {
  const problem = (costs: number[], lower: number[], upper: number[]) => ({
    ...{ items: costs.length / lower.length, clusters: lower.length, costs: Int32Array.from(costs) },
    ...{ lower: Int32Array.from(lower), upper: Int32Array.from(upper) },
  });

  test('costs from above -2^30 to below 2^30, the first and the last', () => {
    for (const face of faces) {
      useFace(face);
      const [most, least] = [2 ** 30 - 1, 1 - 2 ** 30];
      expect(balancedAssign(problem([most, least, least, most], [1, 1], [1, 1])).cost, face).toBe(2 * least);
      for (const cost of [2 ** 30, -(2 ** 30)]) {
        for (const at of [0, 3]) {
          const costs = [0, 0, 0, 0].with(at, cost);
          expect(() => balancedAssign(problem(costs, [1, 1], [1, 1]))).toThrow('expected costs below 2^30');
        }
      }
    }
  });

  test('prices below 2^50, one a cluster', () => {
    const given = problem([0, 1, 1, 0], [1, 1], [1, 1]);
    const assign =
      (...prices: number[]) =>
      () =>
        balancedAssign(given, { prices: Float64Array.from(prices) });
    for (const bad of [2 ** 50, -(2 ** 50), NaN, Infinity]) {
      expect(assign(bad, 0)).toThrow(`expected prices below 2^50, got ${bad} of cluster 0`);
      expect(assign(0, bad)).toThrow(`expected prices below 2^50, got ${bad} of cluster 1`);
    }
    expect(assign(1)).toThrow('expected 2 prices, got 1');
    expect(assign(2 ** 50 - 1, 0.6)().cost).toBe(0);
  });

  test('sizes from 0 up, as many items as the clusters take', () => {
    const of = (lower: number[], upper: number[], items = 2) =>
      problem(Array<number>(items * lower.length).fill(1), lower, upper);
    expect(() => balancedAssign(of([-1, 0], [2, 2]))).toThrow(
      'expected sizes from 0 or more up, got -1 to 2 of cluster 0',
    );
    expect(() => balancedAssign(of([0, 2], [2, 1]))).toThrow('got 2 to 1 of cluster 1');
    expect(() => balancedAssign(of([2, 1], [2, 2]))).toThrow('expected 3 to 4 items, what the clusters take, got 2');
    expect(() => balancedAssign(of([0, 0], [1, 0]))).toThrow('expected 0 to 1 items, what the clusters take, got 2');
    for (const [lower, upper] of [
      [
        [2, 0],
        [2, 0],
      ],
      [
        [1, 1],
        [1, 1],
      ],
      [
        [0, 0],
        [0, 2],
      ],
    ] as const) {
      const { clusters } = balancedAssign(of([...lower], [...upper]));
      upper.forEach((most, k) => expect(clusters.filter((own) => own === k).length).toBe(most));
    }
    const short = { ...of([0, 0], [2, 2]), upper: Int32Array.of(2) };
    expect(() => balancedAssign(short)).toThrow('and 2 limits, got 4, 2 and 1');
    expect(() => balancedAssign({ ...of([0, 0], [2, 2]), lower: Int32Array.of(0) })).toThrow('got 4, 1 and 2');
  });
});
