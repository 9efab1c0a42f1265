import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { balancedAssign, type AssignmentProblem } from '../../lib/sid/index.js';

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
  for (let c = 0; c < k; c++) {
    expect(sizes[c]).toBeGreaterThanOrEqual(lower[c]!);
    expect(sizes[c]).toBeLessThanOrEqual(upper[c]!);
    dual -= found.prices[c]! > 0 ? upper[c]! * found.prices[c]! : lower[c]! * found.prices[c]!;
  }
  expect(found.cost).toBe(cost);
  expect(dual).toBe(cost);
}

test.each(golden.cases)("OR-tools' optimum: $name", ({ items, costs, lower, upper, cost }) => {
  const given = problem(items, costs, lower, upper);
  for (const sweeps of [0, 1, 4]) {
    const found = balancedAssign(given, { sweeps });
    expect(found.cost).toBe(cost);
    expectOptimal(given, found);
  }
});

test('the worked example: three items want the first cluster, the one that loses least gives way', () => {
  const found = balancedAssign(problem(3, [0, 5, 0, 3, 0, 9], [1, 1], [2, 2]));
  expect([...found.clusters]).toEqual([0, 1, 0]);
  expect(found.cost).toBe(3);
});

test('any problem, from any prices, ends on a proven optimum', () => {
  const sized = fc.integer({ min: 1, max: 7 }).chain((k) =>
    fc.record({
      limits: fc.array(fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 6 })), {
        minLength: k,
        maxLength: k,
      }),
      fill: fc.double({ min: 0, max: 1, noNaN: true }),
      range: fc.constantFrom(1, 5, 1_000_000),
      seed: fc.integer(),
      prices: fc.array(fc.integer({ min: -2_000_000, max: 2_000_000 }), { minLength: k, maxLength: k }),
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

test('items that are all alike are spread at once', () => {
  const given = problem(3000, Array<number>(3000 * 50).fill(7), Array<number>(50).fill(59), Array<number>(50).fill(61));
  expectOptimal(given, balancedAssign(given));
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
