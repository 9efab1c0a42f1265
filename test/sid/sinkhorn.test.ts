import { readFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import type { Vectors } from '../../lib/files/npy.js';
import { roundToCapacities, sinkhornCodes } from '../../lib/sid/balanced/sinkhorn-codes.js';
import { sinkhorn } from '../../lib/sid/balanced/sinkhorn.js';
import { rqKmeans } from '../../lib/sid/kmeans/rqkmeans.js';
import { Random } from '../../lib/support/random.js';

interface Golden {
  cases: { epsilon: number; costs: number[][]; a: number[]; b: number[]; plan: number[][] }[];
}

const golden = JSON.parse(readFileSync(new URL('../golden/sinkhorn.json', import.meta.url), 'utf8')) as Golden;

beforeAll(() => useEngine());

function cloud(rows: number, width: number): Vectors {
  const random = new Random(3);
  return { rows, width, data: Float32Array.from({ length: rows * width }, () => random.normal()) };
}

const largest = (codes: ArrayLike<number>, k: number): number => {
  const sizes = new Int32Array(k);
  for (const code of Array.from(codes)) sizes[code]!++;
  return Math.max(...sizes);
};

test.each(golden.cases)("POT's plan, epsilon $epsilon", ({ epsilon, costs, a, b, plan }) => {
  const ours = sinkhorn(costs.flat(), a, b, { epsilon, iterations: 200_000, tolerance: 1e-12 });
  const apart = plan.flat().map((entry, at) => Math.abs(entry - ours[at]!));
  expect(Math.max(...apart)).toBeLessThan(1e-8);
});

test('masses are kept, and a tiny epsilon gives numbers', () => {
  const costs = Array.from({ length: 60 }, (_, at) => ((at * 37) % 101) / 50 - 1);
  for (const epsilon of [1, 0.01, 1e-5]) {
    const plan = sinkhorn(costs, Array<number>(12).fill(1 / 12), Array<number>(5).fill(0.2), { epsilon });
    for (let i = 0; i < 12; i++) expect(plan.slice(i * 5, i * 5 + 5).every((entry) => entry >= 0)).toBe(true);
    if (epsilon < 1e-3) continue; // 1000 rounds are too few to settle
    for (let j = 0; j < 5; j++) {
      let sum = 0;
      for (let i = 0; i < 12; i++) sum += plan[i * 5 + j]!;
      expect(sum).toBeCloseTo(0.2, 8);
    }
  }
});

test('dealing out keeps to the capacities; a full column keeps its best', () => {
  expect([...roundToCapacities([0.9, 0.1, 0.8, 0.2, 0.7, 0.3], 3, Int32Array.of(2, 1))]).toEqual([0, 0, 1]);
  expect([...roundToCapacities([0.7, 0.3, 0.8, 0.2, 0.9, 0.1], 3, Int32Array.of(1, 2))]).toEqual([1, 1, 0]);
  expect(() => roundToCapacities([1, 1], 2, Int32Array.of(1))).toThrow('expected room for 2 items, got 1');
});

test('uniform codes: no code has more than N/K rounded up, constant vectors included', () => {
  const x = cloud(103, 4);
  const centres = { rows: 10, width: 4, data: x.data.slice(0, 40) };
  expect(largest(sinkhornCodes(x, centres), 10)).toBe(11);
  expect(largest(sinkhornCodes({ ...x, data: x.data.fill(0.5) }, centres), 10)).toBe(11);
});

test('rqKmeans with uniform assignment', () => {
  const x = cloud(200, 6);
  const even = rqKmeans(x, { codebookSize: 16, uniform: true, collisions: 'keep' });
  const nearest = rqKmeans(x, { codebookSize: 16, collisions: 'keep' });
  expect(even.clusterSize.max).toBe(13); // 200 / 16
  expect(nearest.clusterSize.max).toBeGreaterThan(13);
  expect(even.mse).toBeGreaterThan(nearest.mse);
});

test('mistakes', () => {
  expect(() => sinkhorn([1], [1, 1], [1, 1], { epsilon: 1 })).toThrow('expected 2 x 2 costs, got 1');
  expect(() => sinkhorn([1, 1], [1], [1, 1], { epsilon: 1 })).toThrow('masses of one sum, got 1 and 2');
  expect(() => sinkhorn([1, 1], [2], [1, 1], { epsilon: 0 })).toThrow('expected epsilon above 0');
});
