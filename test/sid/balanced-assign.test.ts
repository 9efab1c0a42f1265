import { readFileSync } from 'node:fs';
import fc from '../fast-check.js';
import { afterEach, describe, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { registerNativeOps, unregisterNativeOps } from '../../lib/engine/native-ops.js';
import { hasFused } from '../../lib/ops/fused.js';
import type { AssignmentProblem } from '../../lib/sid/balanced/assignment-prices.js';
import { balancedAssign } from '../../lib/sid/balanced/balanced-assign.js';
import { Random } from '../../lib/support/random.js';

interface Golden {
  cases: {
    name: string;
    items: number;
    clusters: number;
    costs: number[];
    lower: number[];
    upper: number[];
    cost: number;
  }[];
}

await useEngine();
const faces = hasFused('SidlabBalancedAssign') ? (['fused', 'plain'] as const) : (['plain'] as const);
if (faces.length === 1) process.stderr.write('fused balanced assignment: not on this engine, tests skipped\n');

function useFace(face: 'fused' | 'plain'): void {
  if (face === 'plain') unregisterNativeOps();
}

afterEach(() => {
  if (faces.length === 2) registerNativeOps();
});

const golden = JSON.parse(readFileSync(new URL('../golden/assignment.json', import.meta.url), 'utf8')) as Golden;

function problem(items: number, costs: readonly number[], lower: number[], upper: number[]): AssignmentProblem {
  return {
    items,
    clusters: lower.length,
    costs: Int32Array.from(costs),
    lower: Int32Array.from(lower),
    upper: Int32Array.from(upper),
  };
}

/** Within the limits, of the stated cost, and every item in its cheapest cluster at the prices: the proof of the optimum. */
function expectOptimal(given: AssignmentProblem, found: ReturnType<typeof balancedAssign>): void {
  const { items, clusters: k, costs, lower, upper } = given;
  const sizes = new Int32Array(k);
  let cost = 0;
  let dual = 0;
  found.clusters.forEach((cluster, i) => {
    sizes[cluster]!++;
    cost += costs[i * k + cluster]!;
    let least = Infinity;
    for (let c = 0; c < k; c++) least = Math.min(least, costs[i * k + c]! + found.prices[c]!);
    dual += least;
  });
  expect(found.clusters).toHaveLength(items);
  expect(found.prices).toHaveLength(k);
  for (let c = 0; c < k; c++) {
    expect(sizes[c]).toBeGreaterThanOrEqual(lower[c]!);
    expect(sizes[c]).toBeLessThanOrEqual(upper[c]!);
    dual -= found.prices[c]! > 0 ? upper[c]! * found.prices[c]! : lower[c]! * found.prices[c]!;
  }
  expect(found.cost).toBe(cost);
  expect(dual).toBe(cost);
}

test.each(faces.flatMap((face) => golden.cases.map((given) => ({ face, ...given }))))(
  "OR-tools' optimum: $name, $face",
  ({ face, items, costs, lower, upper, cost }) => {
    useFace(face);
    const given = problem(items, costs, lower, upper);
    for (const sweeps of [0, 1, 4]) {
      const found = balancedAssign(given, { sweeps });
      expect(found.cost).toBe(cost);
      expectOptimal(given, found);
    }
  },
);

test('the worked example: three items want the first cluster, the one that loses least gives way', () => {
  const found = balancedAssign(problem(3, [0, 5, 0, 3, 0, 9], [1, 1], [2, 2]));
  expect([...found.clusters]).toEqual([0, 1, 0]);
  expect(found.cost).toBe(3);
});

test.each(faces)('any problem, from any prices, ends on a proven optimum: %s', (face) => {
  useFace(face);
  const sized = fc.integer({ min: 1, max: 7 }).chain((k) =>
    fc.record({
      limits: fc.array(fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 6 })), {
        minLength: k,
        maxLength: k,
      }),
      fill: fc.double({ min: 0, max: 1, noNaN: true }),
      range: fc.constantFrom(1, 5, 1_000_000),
      seed: fc.integer(),
      prices: fc.oneof(
        fc.array(fc.integer({ min: -2_000_000, max: 2_000_000 }), { minLength: k, maxLength: k }),
        fc.array(fc.integer({ min: -2, max: 2 }), { minLength: k, maxLength: k }),
      ),
      sweeps: fc.integer({ min: 0, max: 3 }),
    }),
  );
  fc.assert(
    fc.property(sized, ({ limits, fill, range, seed, prices, sweeps }) => {
      const lower = limits.map(([least]) => least);
      const upper = limits.map(([least, more]) => least + more);
      const [least, most] = [lower, upper].map((sizes) => sizes.reduce((sum, size) => sum + size, 0)) as [
        number,
        number,
      ];
      const items = least + Math.round(fill * (most - least));
      let state = seed;
      const costs = Array.from({ length: items * limits.length }, () => {
        state = (Math.imul(state, 1664525) + 1013904223) | 0;
        return (state >>> 8) % (range + 1);
      });
      const given = problem(items, costs, lower, upper);
      expectOptimal(given, balancedAssign(given, { prices: Float64Array.from(prices), sweeps }));
    }),
    { numRuns: 400 },
  );
});

test.each(faces)('items that are all alike are spread at once: %s', (face) => {
  useFace(face);
  const given = problem(3000, Array<number>(3000 * 50).fill(7), Array<number>(50).fill(59), Array<number>(50).fill(61));
  expectOptimal(given, balancedAssign(given));
});

describe.skipIf(faces.length === 1)('fused and plain', () => {
  test.each([
    [700, 90, 2 ** 26],
    [1500, 33, 2 ** 26],
    [65, 64, 1000],
    [400, 3, 2 ** 29],
  ])(
    '%i items, %i clusters, costs to %i: both optimal, from the prices of a similar problem too',
    (items, k, range) => {
      const random = new Random(`${items}`);
      const even = Math.floor(items / k);
      // Some clusters are cheap for all, as on the residuals of a level.
      const cheap = Array.from({ length: k }, () => (random.next() < 0.1 ? 0.3 : 1));
      const costs = Array.from({ length: items * k }, (_, at) => Math.floor(range * cheap[at % k]! * random.next()));
      const moved = costs.map((cost) => Math.floor(cost * (1 - 0.05 * random.next())));
      const limits = [Array<number>(k).fill(even - 1), Array<number>(k).fill(even + 1)] as const;
      const [one, next] = [problem(items, costs, ...limits), problem(items, moved, ...limits)];
      const [fused, plain] = faces.map((face) => {
        useFace(face);
        const first = balancedAssign(one);
        return [first, balancedAssign(next, { prices: first.prices })] as const;
      });
      [one, next].forEach((given, turn) => {
        expectOptimal(given, fused![turn]!);
        expect(fused![turn]!.cost).toBe(plain![turn]!.cost);
      });
    },
  );
});

test('limits that cannot be met, and other mistakes', () => {
  expect(() => balancedAssign(problem(5, Array<number>(10).fill(1), [0, 0], [2, 2]))).toThrow(
    'expected 0 to 4 items, what the clusters take, got 5; widen the limits',
  );
  expect(() => balancedAssign(problem(1, [1, 1], [1, 1], [2, 2]))).toThrow('expected 2 to 4 items');
  expect(() => balancedAssign(problem(1, [1, 1], [2, 0], [1, 1]))).toThrow('got 2 to 1 of cluster 0');
  expect(() => balancedAssign(problem(1, [1, 2 ** 30], [0, 0], [1, 1]))).toThrow('expected costs below 2^30');
  expect(() => balancedAssign(problem(2, [1, 1], [0, 0], [1, 1]))).toThrow('expected 2 x 2 costs');
});
