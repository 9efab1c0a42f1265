/** Dual ascent on prices against a plain one that sorts, and what it promises: cheapest choices, a dual that never falls. */
import fc from '../fast-check.js';
import { expect, test } from 'vitest';
import { type AssignmentProblem, raisePrices } from '../../lib/sid/balanced/assignment-prices.js';
import { Random } from '../../lib/support/random.js';

/** The cheapest cluster of every item at the prices, ties to the lower, and what it costs. */
function cheapest({ items, clusters, costs }: AssignmentProblem, prices: ArrayLike<number>) {
  return Array.from({ length: items }, (_, i) => {
    const own = Array.from({ length: clusters }, (_, k) => costs[i * clusters + k]! + prices[k]!);
    const cost = Math.min(...own);
    return { cluster: own.indexOf(cost), cost };
  });
}

function dualOf(problem: AssignmentProblem, prices: ArrayLike<number>): number {
  const { lower, upper } = problem;
  let dual = cheapest(problem, prices).reduce((sum, { cost }) => sum + cost, 0);
  for (let k = 0; k < problem.clusters; k++) dual -= (prices[k]! > 0 ? upper[k]! : lower[k]!) * prices[k]!;
  return dual;
}

/** The same ascent with everything computed anew for every cluster. */
function plainAscent(problem: AssignmentProblem, start: readonly number[], sweeps: number): number[] {
  const { items, clusters, costs, lower, upper } = problem;
  const prices = [...start];
  for (let turn = 0; turn < sweeps * clusters; turn++) {
    const k = turn % clusters;
    const [least, most] = [lower[k]!, upper[k]!];
    const size = cheapest(problem, prices).filter(({ cluster }) => cluster === k).length;
    if (prices[k]! > 0 ? size === most : prices[k]! < 0 ? size === least : size >= least && size <= most) continue;
    const without = prices.with(k, Infinity);
    const leaves = cheapest(problem, without).map(({ cost }, i) => cost - costs[i * clusters + k]!);
    leaves.sort((a, b) => b - a);
    const nth = (rank: number): number => leaves[rank - 1]!;
    if (items > most && nth(most + 1) > 0) {
      prices[k] = most === 0 ? nth(1) + 1 : Math.floor((nth(most) + nth(most + 1)) / 2);
    } else if (least > 0 && nth(least) < 0) {
      prices[k] = least < items ? Math.ceil((nth(least) + nth(least + 1)) / 2) : nth(least);
    } else prices[k] = 0;
  }
  return prices;
}

const problems = fc
  .record({
    limits: fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 4 })), {
      minLength: 2,
      maxLength: 6,
    }),
    fill: fc.double({ min: 0, max: 1, noNaN: true }),
    seed: fc.nat(),
    priced: fc.boolean(),
    sweeps: fc.integer({ min: 0, max: 3 }),
  })
  .map(({ limits, fill, seed, priced, sweeps }) => {
    const random = new Random(seed);
    const clusters = limits.length;
    const lower = Int32Array.from(limits, ([least]) => least);
    const upper = Int32Array.from(limits, ([least, more]) => least + more);
    const [least, most] = [lower, upper].map((sizes) => sizes.reduce((sum, size) => sum + size, 0)) as [number, number];
    // more than any cluster must have: a price that is read off a single item leaves that item a tie
    const items = Math.max(1 + Math.max(...lower), least + Math.round(fill * (most - least)));
    const prices = limits.map(() => (priced ? random.int(2 ** 27) - 2 ** 26 : 0));
    const make = (range: number): AssignmentProblem => ({
      ...{ items, clusters, lower, upper },
      costs: Int32Array.from({ length: items * clusters }, () => random.int(range)),
    });
    return { make, prices, sweeps };
  });

test('prices and choices are those of a plain ascent', () => {
  fc.assert(
    fc.property(problems, ({ make, prices, sweeps }) => {
      const problem = make(2 ** 26); // so wide that no two costs are alike
      const found = Float64Array.from(prices);
      const choices = raisePrices(problem, found, sweeps);
      expect([...found]).toEqual(plainAscent(problem, prices, sweeps));
      expect([...choices]).toEqual(cheapest(problem, found).map(({ cluster }) => cluster));
    }),
    { numRuns: 500 },
  );
});

test('with ties: every choice is a cheapest one, and no sweep lowers the dual', () => {
  fc.assert(
    fc.property(problems, ({ make, prices }) => {
      const problem = make(4);
      const start = prices.map((price) => Math.sign(price) * (Math.abs(price) % 4));
      let before = dualOf(problem, start);
      for (const sweeps of [1, 2, 4]) {
        const found = Float64Array.from(start);
        const choices = raisePrices(problem, found, sweeps);
        cheapest(problem, found).forEach(({ cost }, i) => {
          expect(problem.costs[i * problem.clusters + choices[i]!]! + found[choices[i]!]!).toBe(cost);
        });
        const dual = dualOf(problem, found);
        expect(dual).toBeGreaterThanOrEqual(before);
        before = dual;
      }
    }),
    { numRuns: 200 },
  );
});

test('all items must come, none may come: the price of the least willing, one beyond the most willing', () => {
  const costs = Int32Array.of(5, 0, 9, 0); // two items, two clusters
  const ascend = (lower: number[], upper: number[], start = [0, 0]) => {
    const prices = Float64Array.from(start);
    const problem = { items: 2, clusters: 2, costs, lower: Int32Array.from(lower), upper: Int32Array.from(upper) };
    raisePrices(problem, prices, 1);
    return [...prices];
  };
  expect(ascend([2, 0], [2, 2])).toEqual([-9, 0]);
  expect(ascend([0, 0], [2, 0])).toEqual([0, 10]);
  expect(ascend([1, 0], [2, 2])).toEqual([-7, 0]); // midway between -5 and -9
  expect(ascend([0, 0], [2, 2], [0, 50])).toEqual([0, 0]); // a price that keeps items away from where they fit
});

test('of clusters of one cost an item chooses the lower, before any sweep and where no price has to move', () => {
  const lower = Int32Array.of(0, 0, 0);
  const upper = Int32Array.of(9, 9, 9);
  const costs = Int32Array.of(5, 5, 5, 7, 4, 4, 3, 8, 3);
  for (const sweeps of [0, 1, 3]) {
    const choices = raisePrices({ items: 3, clusters: 3, costs, lower, upper }, new Float64Array(3), sweeps);
    expect([...choices]).toEqual([0, 1, 0]);
  }
});

test.each([
  ['the next after the last that has room would come for nothing', [1, 5, 3, 3], [0, 0], [1, 2], [9, 0]],
  ['the last that must come would come for nothing', [3, 3, 5, 1], [1, 0], [2, 2], [9, 0]],
  ['a price of 1 at the least size, which fits no price above 0', [5, 0, 9, 0], [0, 2], [2, 3], [0, 1]],
])('a price of 0 where it is among the best: %s', (_, costs, lower, upper, start) => {
  const problem = { items: 2, clusters: 2, costs: Int32Array.from(costs), lower: Int32Array.from(lower), upper: Int32Array.from(upper) }; // prettier-ignore
  const prices = Float64Array.from(start);
  raisePrices(problem, prices, 1);
  expect([...prices]).toEqual([0, 0]);
  expect([...prices]).toEqual(plainAscent(problem, start, 1));
});

test.each([
  ['goes up', [4, 0, 4, 0], [0, 0], [2, 1], [0, 4], [1, 1]],
  ['goes down', [5, 0, 9, 0], [2, 0], [2, 2], [-9, 0], [0, 1]],
])(
  'a price that %s until both clusters cost the same: the item stays where it is',
  (_, costs, lower, upper, wanted, stay) => {
    const problem = { items: 2, clusters: 2, costs: Int32Array.from(costs), lower: Int32Array.from(lower), upper: Int32Array.from(upper) }; // prettier-ignore
    const prices = new Float64Array(2);
    const choices = raisePrices(problem, prices, 1);
    expect([[...prices], [...choices]]).toEqual([wanted, stay]);
  },
);
