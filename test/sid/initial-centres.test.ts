/** Initialisations of k-means against plain ones that draw the same random numbers. */
import { beforeAll, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { rowOf, type Vectors } from '../../lib/files/npy.js';
import { balancedKmeans } from '../../lib/sid/balanced/balanced-kmeans.js';
import { squaredDistance } from '../../lib/sid/kmeans/distance.js';
import { kmeansPlusPlus, mostSpreadRows, pickRows, randomGroupMeans } from '../../lib/sid/kmeans/initial-centres.js';
import { kmeans } from '../../lib/sid/kmeans/kmeans.js';
import { rqKmeans } from '../../lib/sid/kmeans/rqkmeans.js';
import { subtractCodes } from '../../lib/sid/residual.js';
import { Random } from '../../lib/support/random.js';

beforeAll(() => useEngine());

function cloud(rows: number, width: number, away = 0): Vectors {
  const random = new Random(rows);
  return { rows, width, data: Float32Array.from({ length: rows * width }, () => away + 10 * random.normal()) };
}

/** Greedy k-means++ in float64. @returns the rows that become centres */
function plainPlusPlus(x: Vectors, codes: number, random: Random): number[] {
  const trials = 2 + Math.floor(Math.log(codes));
  let nearest = Array<number>(x.rows).fill(Infinity);
  let drawn = [random.int(x.rows)];
  return Array.from({ length: codes }, () => {
    const after = drawn.map((row) => nearest.map((d, i) => Math.min(d, squaredDistance(rowOf(x, i), rowOf(x, row)))));
    const totals = after.map((distances) => distances.reduce((sum, d) => sum + d, 0));
    const best = totals.indexOf(Math.min(...totals));
    const row = drawn[best]!;
    nearest = after[best]!;
    if (totals[best] === 0) drawn = [random.int(x.rows)];
    else {
      const marks = Array.from({ length: trials }, () => random.next() * totals[best]!).sort((a, b) => a - b);
      drawn = marks.map((mark) => {
        let sum = 0;
        return nearest.findIndex((d) => (sum += d) > mark);
      });
    }
    return row;
  });
}

const rowsOf = (x: Vectors) => Array.from({ length: x.rows }, (_, i) => [...rowOf(x, i)]);

test.each([
  [300, 3, 12, 0],
  [300, 2, 40, 0],
  [40, 5, 1, 0],
  [7, 2, 7, 0],
  [5, 4, 9, 3000], // more codes than rows, far from the origin: a row is at distance 0 from itself all the same
])('greedy k-means++ of %i rows of %i: %i codes', (rows, width, codes, away) => {
  const x = cloud(rows, width, away);
  for (const seed of [1, 2, 3, 4]) {
    const chosen = plainPlusPlus(x, codes, new Random(seed));
    const { data, ...shape } = kmeansPlusPlus(x, codes, new Random(seed));
    expect(shape).toEqual({ rows: codes, width });
    expect([...data]).toEqual(chosen.flatMap((row) => [...rowOf(x, row)]));
  }
});

test('k-means++ of rows that lie close together', () => {
  const x = cloud(90, 2);
  x.data.forEach((value, at) => (x.data[at] = value / 1000)); // all squared distances sum to less than 1
  const chosen = plainPlusPlus(x, 9, new Random(6));
  expect([...kmeansPlusPlus(x, 9, new Random(6)).data]).toEqual(chosen.flatMap((row) => [...rowOf(x, row)]));
});

test('k-means++: a draw at the end of all weights is the last row, unless another was drawn', () => {
  const x = { rows: 4, width: 1, data: Float32Array.of(0, 1, 2, 5) };
  const from = (...draws: number[]) =>
    Object.assign(new Random(1), { int: () => 0, next: () => draws.push(draws[0]!) && draws.shift()! });
  expect([...kmeansPlusPlus(x, 3, from(1)).data]).toEqual([0, 5, 5]); // the second time the last row has no weight
  expect([...kmeansPlusPlus(x, 2, from(0, 1)).data]).toEqual([0, 1]);
});

test('k-means++ looks at 8,192 rows, or at four a code', () => {
  expect([1, 2048, 2049].map(mostSpreadRows)).toEqual([8192, 8192, 8196]);
  const many = cloud(8193, 1);
  const [a, b] = [new Random(3), new Random(3)];
  expect(kmeansPlusPlus(many, 2, a)).toEqual(kmeansPlusPlus(pickRows(many, 8192, b), 2, b));
  const all = cloud(8192, 1);
  expect(kmeansPlusPlus(all, 3, new Random(5)).data[0]).toBe(all.data[new Random(5).int(8192)]);
});

test('random groups: their sizes differ by one at most, the lower codes are the larger', () => {
  for (const [rows, codes] of [
    [17, 5],
    [20, 4],
    [6, 6],
  ] as const) {
    const x = cloud(rows, 2);
    const order = new Random(8).shuffle([...Array(rows).keys()]);
    const { data } = randomGroupMeans(x, codes, new Random(8));
    for (let code = 0; code < codes; code++) {
      const own = order.filter((_, place) => place % codes === code);
      expect(own).toHaveLength(code < rows % codes ? Math.ceil(rows / codes) : Math.floor(rows / codes));
      for (let j = 0; j < 2; j++) {
        const mean = own.reduce((sum, row) => sum + rowOf(x, row)[j]!, 0) / own.length;
        expect(data[code * 2 + j]).toBeCloseTo(mean, 4);
      }
    }
  }
});

test('random rows are drawn without repetition', () => {
  const x = cloud(30, 3);
  const picked = rowsOf(pickRows(x, 12, new Random(2)));
  expect(picked).toHaveLength(12);
  expect(new Set(picked.map(String)).size).toBe(12);
  const known = new Set(rowsOf(x).map(String));
  expect(picked.every((row) => known.has(String(row)))).toBe(true);
});

test('k-means keeps the better of both initialisations, by default with seed 42 and 100 iterations', () => {
  const winners = new Set<number>();
  for (const rows of [60, 61, 62, 63, 64, 65]) {
    const x = cloud(rows, 2);
    const random = new Random(42);
    const starts = [kmeansPlusPlus(x, 9, random), randomGroupMeans(x, 9, random)];
    const results = starts.map((init) => kmeans(x, { codes: 9, init, iterations: 100 }));
    const better = results[1]!.error < results[0]!.error ? 1 : 0;
    winners.add(better);
    expect(kmeans(x, { codes: 9 })).toEqual(results[better]);
  }
  expect(winners.size).toBe(2);
});

test.each([
  [undefined, ['k-means++', 'random-groups', 'random-groups']],
  ['random-rows', ['random-rows', 'random-rows', 'random-rows']],
] as const)('residual k-means: k-means++ first, random groups on what is left over, or as asked: %s', (init, inits) => {
  const x = cloud(90, 3);
  const options = { levels: 3, codebookSize: [5, 6, 7], collisions: 'keep', seed: 4, ...(init && { init }) } as const;
  const { codebooks } = rqKmeans(x, options);
  const residual = { ...x, data: x.data.slice() };
  codebooks.forEach((book, level) => {
    const found = kmeans(residual, { codes: 5 + level, init: inits[level]!, seed: `4/${level}` });
    expect(book.data).toEqual(found.data);
    subtractCodes(residual, found.codes, found);
  });
});

test('balanced k-means: k-means++ and random groups in turn, the best is kept', () => {
  const x = cloud(80, 2);
  const winners = new Set<number>();
  for (const [seed, nInit] of [
    [42, undefined],
    [1, 1],
    [2, 2],
    [3, 4],
    [5, 4],
    [6, 2],
    [7, 3],
  ] as const) {
    const random = new Random(seed);
    const results = Array.from({ length: nInit ?? 3 }, (_, turn) => {
      const init = (turn % 2 === 0 ? kmeansPlusPlus : randomGroupMeans)(x, 7, random);
      return balancedKmeans(x, { codes: 7, init, iterations: 100, tolerance: 1e-4 });
    });
    const errors = results.map(({ error }) => error);
    const best = errors.indexOf(Math.min(...errors));
    winners.add(best);
    const found = balancedKmeans(x, { codes: 7, ...(seed !== 42 && { seed }), ...(nInit && { nInit }) });
    expect(found).toEqual(results[best]);
  }
  expect(winners.size).toBeGreaterThan(1);
});
