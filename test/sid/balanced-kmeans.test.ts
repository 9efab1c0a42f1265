/** Balanced k-means and Sinkhorn's balancing, against what their comments say, computed plainly. */
import fc from '../fast-check.js';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { registerNativeOps, unregisterNativeOps } from '../../lib/engine/native-ops.js';
import { rowOf, type Vectors } from '../../lib/files/npy.js';
import { hasFused } from '../../lib/ops/fused.js';
import { balancedKmeans, sizeLimits, wholeCosts } from '../../lib/sid/balanced/balanced-kmeans.js';
import { roundToCapacities, sinkhornCodes } from '../../lib/sid/balanced/sinkhorn-codes.js';
import { sinkhorn } from '../../lib/sid/balanced/sinkhorn.js';
import { squaredDistance } from '../../lib/sid/kmeans/distance.js';
import { pickRows } from '../../lib/sid/kmeans/initial-centres.js';
import { Random } from '../../lib/support/random.js';

let fused = false;
beforeAll(async () => {
  await useEngine();
  fused = hasFused('SidlabBalancedKmeans');
});
afterEach(() => {
  if (fused) registerNativeOps();
});

/** Columns of different means and spreads. */
function cloud(rows: number, width: number): Vectors {
  const random = new Random(rows);
  const data = Float32Array.from({ length: rows * width }, (_, at) => 5 + ((at % width) + 1) * random.normal());
  return { rows, width, data };
}

describe('costs as whole numbers', () => {
  test('from 0 to the top, rounded to the nearest', () => {
    const { costs, scale } = wholeCosts(Float32Array.of(3.5, 1, 2, 1.0625, 1.09375), 20);
    expect([[...costs], scale]).toEqual([[20, 0, 8, 1, 1], 8]);
    expect([...wholeCosts(Float32Array.of(-2, 2, -2 + 0.0625, -1.9), 5).costs]).toEqual([0, 5, 0, 0]);
    expect(wholeCosts(Float32Array.of(-1, 3)).scale).toBe(2 ** 24);
    expect(wholeCosts(Float32Array.of(4, 4))).toEqual({ costs: Int32Array.of(0, 0), scale: 1 });
  });
});

describe('limits on sizes', () => {
  test.each([
    [10, 3, undefined, [2, 4]],
    [2, 2, undefined, [0, 2]],
    [1, 1, undefined, [0, 2]],
    [12, 3, [4, 4], [4, 4]],
    [12, 3, [0, 4], [0, 4]],
    [12, 3, [4, 12], [4, 12]],
  ] as const)('%i rows, %i codes, %o: %o', (rows, codes, given, limits) => {
    expect(sizeLimits(rows, codes, given)).toEqual(limits);
  });

  test.each([[[5, 4]], [[-1, 4]], [[1.5, 4]], [[3, 4.5]], [[3]], [[3, 4, 5]], [[NaN, 4]]])('%o are none', (given) => {
    expect(() => sizeLimits(12, 3, given)).toThrow('sid: expected two cluster sizes, the least and the most, got');
  });

  test('more or fewer than the rows are', () => {
    expect(() => sizeLimits(12, 3, [5, 6])).toThrow('that 12 items can meet, got 5 to 6 for 3 codes, 15 to 18 items; set --cluster-size around 4'); // prettier-ignore
    expect(() => sizeLimits(13, 3, [1, 4])).toThrow('got 1 to 4 for 3 codes, 3 to 12 items');
    expect(() => sizeLimits(11, 3, [4, 4])).toThrow('12 to 12 items');
  });
});

test.each(['fused', 'plain'])('it stops when the centres move less than a share of the mean variance: %s', (how) => {
  const x = cloud(90, 3);
  const init = pickRows(x, 6, new Random(1));
  if (how === 'plain' && fused) unregisterNativeOps();
  const means = [0, 1, 2].map((j) => x.data.reduce((sum, value, at) => sum + (at % 3 === j ? value : 0), 0) / 90);
  const variance = x.data.reduce((sum, value, at) => sum + (value - means[at % 3]!) ** 2, 0) / 270;
  const steps: { share: number; error: number; rounds: number }[] = [];
  let before = init;
  for (let iterations = 1; iterations < 30; iterations++) {
    const found = balancedKmeans(x, { codes: 6, init, iterations, tolerance: 0 });
    let error = 0;
    found.codes.forEach((code, i) => (error += squaredDistance(rowOf(x, i), rowOf(found, code))));
    expect(found.error).toBeCloseTo(error, 6);
    expect(found.rounds).toBe(Math.min(iterations, found.rounds));
    steps.push({ share: squaredDistance(found.data, before.data) / variance, error, rounds: found.rounds });
    before = found;
  }
  expect(steps[2]!.share).toBeGreaterThan(0);
  for (const step of [1, 2, 3]) {
    for (const factor of [0.999, 1.001]) {
      const tolerance = steps[step]!.share * factor;
      const { rounds, error } = balancedKmeans(x, { codes: 6, init, tolerance });
      const want = steps.findIndex(({ share }) => share <= tolerance);
      expect(rounds).toBe(want + 1);
      expect(error).toBeCloseTo(steps[want]!.error, 6);
    }
  }
  const last = steps.findIndex(({ share }) => share === 0);
  expect(steps.slice(last).every(({ rounds }) => rounds === last + 1)).toBe(true);
});

/** Sinkhorn in the logarithm: rows, then columns. @returns the plan, and by how much the columns were off before each round's second half */
function plainSinkhorn(costs: number[], a: number[], b: number[], epsilon: number, iterations: number) {
  const k = b.length;
  const [f, g] = [a.map(() => 0), b.map(() => 0)];
  const sumOf = (terms: number[]): number => {
    const most = Math.max(...terms);
    return most + Math.log(terms.reduce((sum, term) => sum + Math.exp(term - most), 0));
  };
  const at = (i: number, j: number): number => f[i]! + g[j]! - costs[i * k + j]! / epsilon;
  const off: number[] = [];
  for (let iteration = 0; iteration < iterations; iteration++) {
    a.forEach((mass, i) => (f[i]! += Math.log(mass) - sumOf(b.map((_, j) => at(i, j)))));
    const columns = b.map((_, j) => sumOf(a.map((_, i) => at(i, j))));
    off.push(Math.max(...b.map((mass, j) => Math.abs(Math.exp(columns[j]!) - mass))));
    b.forEach((mass, j) => (g[j]! += Math.log(mass) - columns[j]!));
  }
  return { plan: a.flatMap((_, i) => b.map((_, j) => Math.exp(at(i, j)))), off };
}

describe('Sinkhorn', () => {
  const random = new Random(2);
  const costs = Array.from({ length: 40 }, () => 2 * random.next() - 1);
  const [a, b] = [[2, 1, 3, 1, 1, 2, 4, 2], [5, 2, 4, 1, 4]]; // prettier-ignore

  test.each([
    [1, 1],
    [1, 7],
    [0.05, 1],
    [0.05, 2],
    [0.05, 60],
    [0.003, 1],
    [0.003, 3],
    [0.003, 400],
    [0.0005, 50],
    ...Array.from({ length: 12 }, (_, i): [number, number] => [0.0005, i + 1]), // scales outgrow the kernel in some
  ])('epsilon %d, %i iterations: the plan of the logarithms', (epsilon, iterations) => {
    const { plan } = plainSinkhorn(costs, a, b, epsilon, iterations);
    const found = sinkhorn(costs, a, b, { epsilon, iterations, tolerance: 0 });
    const apart = plan.map((entry, at) => Math.abs(entry - found[at]!));
    expect(Math.max(...apart)).toBeLessThan(1e-8);
  });

  test('it stops when no column is off by more than the share of all mass; by default after 1000 iterations', () => {
    const { off } = plainSinkhorn(costs, a, b, 0.05, 60);
    for (const after of [1, 4, 9]) {
      for (const factor of [0.999, 1.001]) {
        const tolerance = (off[after]! / 16) * factor;
        const want = off.findIndex((by) => by <= tolerance * 16);
        const { plan } = plainSinkhorn(costs, a, b, 0.05, want + 1);
        const found = sinkhorn(costs, a, b, { epsilon: 0.05, tolerance });
        expect(Math.max(...plan.map((entry, at) => Math.abs(entry - found[at]!)))).toBeLessThan(1e-9);
      }
    }
    const hard = { epsilon: 0.0005 };
    const found = sinkhorn(costs, a, b, hard);
    expect(found).toEqual(sinkhorn(costs, a, b, { ...hard, iterations: 1000, tolerance: 1e-9 }));
    expect(found).not.toEqual(sinkhorn(costs, a, b, { ...hard, iterations: 1001, tolerance: 1e-9 }));
    expect(found).not.toEqual(sinkhorn(costs, a, b, { ...hard, iterations: 999, tolerance: 1e-9 }));
  });

  test('masses may differ by a millionth of their sum', () => {
    const of = (row: number, column: number) => () => sinkhorn([0, 1, 1, 0], [row, row], [row, column], { epsilon: 1 });
    expect(of(500, 500.0009)).not.toThrow();
    expect(of(500, 500.0011)).toThrow('expected row and column masses of one sum, got 1000 and');
    expect(of(500, 499.9989)).toThrow('masses of one sum');
    expect(of(0.001, 0.0011)).toThrow('masses of one sum');
  });
});

/** Gale and Shapley's proposals from sorted lists. */
function plainRounding(plan: number[], items: number, capacities: number[]): number[] {
  const k = capacities.length;
  const lists = Array.from({ length: items }, (_, i) =>
    [...Array(k).keys()].sort((a, b) => plan[i * k + b]! - plan[i * k + a]! || a - b),
  );
  const codes = Array<number>(items).fill(-1);
  for (;;) {
    const i = codes.indexOf(-1);
    if (i < 0) return codes;
    const code = lists[i]!.shift()!;
    codes[i] = code;
    const held = codes.flatMap((own, item) => (own === code ? [item] : []));
    held.sort((a, b) => plan[b * k + code]! - plan[a * k + code]! || a - b);
    for (const item of held.slice(capacities[code])) codes[item] = -1;
  }
}

test('a plan is made whole as by proposals from sorted lists, ties and empty columns included', () => {
  const problems = fc.record({
    capacities: fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 5 }),
    fill: fc.double({ min: 0, max: 1, noNaN: true }),
    entries: fc.constantFrom(2, 4, 1_000_000),
    seed: fc.nat(),
  });
  fc.assert(
    fc.property(problems, ({ capacities, fill, entries, seed }) => {
      const random = new Random(seed);
      const items = Math.round(fill * capacities.reduce((sum, capacity) => sum + capacity, 0));
      const plan = Array.from({ length: items * capacities.length }, () => random.int(entries));
      const found = roundToCapacities(plan, items, Int32Array.from(capacities));
      expect([...found]).toEqual(plainRounding(plan, items, capacities));
    }),
    { numRuns: 400 },
  );
  const random = new Random(1);
  const plan = Array.from({ length: 600 }, () => random.next());
  expect([...roundToCapacities(plan, 200, Int32Array.of(90, 60, 50))]).toEqual(plainRounding(plan, 200, [90, 60, 50]));
  for (let turn = 0; turn < 10; turn++) {
    const first = Array.from({ length: 120 }, (_, at) => random.next() + (at % 2 === 0 ? 1 : 0)); // all want one column
    expect([...roundToCapacities(first, 60, Int32Array.of(40, 20))]).toEqual(plainRounding(first, 60, [40, 20]));
  }
});

test('Sinkhorn codes: distances on [-1, 1], epsilon 0.003, 50 iterations, N/K rounded up a code', () => {
  for (const [rows, codes] of [
    [60, 7],
    [41, 5],
    [30, 30],
    [120, 16], // 51 iterations give other codes
    [50, 8], // so near to each other that what is added to half of the range counts
  ] as const) {
    const x = cloud(rows, 3);
    if (rows === 50) x.data.forEach((value, at) => (x.data[at] = 5e-4 * value));
    const centres = pickRows(x, codes, new Random(1));
    const squares = Array.from({ length: rows }, (_, i) => rowOf(x, i).reduce((sum, value) => sum + value * value, 0));
    const distances = Array.from({ length: rows * codes }, (_, at) => {
      const [i, k] = [Math.floor(at / codes), at % codes];
      return squaredDistance(rowOf(x, i), rowOf(centres, k)) - squares[i]!;
    });
    const [low, high] = [Math.min(...distances), Math.max(...distances)];
    const costs = distances.map((distance) => (distance - (low + high) / 2) / ((high - low) / 2 + 1e-5));
    const [a, b] = [Array<number>(rows).fill(1 / rows), Array<number>(codes).fill(1 / codes)];
    const own = (epsilon: number, iterations: number, capacity: number) =>
      roundToCapacities(sinkhorn(costs, a, b, { epsilon, iterations }), rows, new Int32Array(codes).fill(capacity));
    expect(sinkhornCodes(x, centres)).toEqual(own(0.003, 50, Math.ceil(rows / codes)));
    const options = { epsilon: 0.2, iterations: 2, capacity: Math.ceil(rows / codes) + 3 };
    expect(sinkhornCodes(x, centres, options)).toEqual(own(0.2, 2, options.capacity));
  }
});
