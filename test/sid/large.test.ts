/** Catalogues of a few hundred thousand items: what is done block by block gives what is done at once. */
import { createHash } from 'node:crypto';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { rowOf, type Vectors } from '../../lib/files/npy.js';
import { roundToCapacities } from '../../lib/sid/balanced/sinkhorn-codes.js';
import { reassign } from '../../lib/sid/collisions/reassign.js';
import { nearestCode } from '../../lib/sid/kmeans/distance.js';
import { distancesOnce, EngineDistances } from '../../lib/sid/kmeans/engine-distances.js';
import { nearestCodes } from '../../lib/sid/kmeans/lloyd.js';
import { codeUsage, meanSquaredError } from '../../lib/sid/quantized.js';
import { nearestNeighbours } from '../../lib/sid/quality/neighbours.js';
import { prefixPurity } from '../../lib/sid/quality/quality-measures.js';
import { sidQuality } from '../../lib/sid/quality/quality.js';
import { fingerprint } from '../../lib/sid/rqvae/fingerprint.js';
import { initialArrays, type RqVaeShape, toVariables } from '../../lib/sid/rqvae/parameters.js';
import { ScaledRows } from '../../lib/sid/rqvae/scaled-rows.js';
import { encode, evaluate } from '../../lib/sid/rqvae/step.js';
import { Random } from '../../lib/support/random.js';

beforeAll(async () => void (await useEngine()));

const ITEMS = 200_000;

function cloud(rows: number, width: number, seed = 1): Vectors {
  const random = new Random(seed);
  return { rows, width, data: Float32Array.from({ length: rows * width }, () => random.next() - 0.5) };
}

test('quality of 200,000 items, as many codes, as many categories', () => {
  const codes = Array.from({ length: ITEMS }, (_, item) => [item, item % 7]);
  const categories = codes.map(([item]) => `category ${item}`);
  const quality = sidQuality({ codes, categories, targets: codes.map(([item]) => item!) });
  expect(quality.levels.map(({ codes: size, used }) => [size, used])).toEqual([[ITEMS, ITEMS], [7, 7]]); // prettier-ignore
  expect(quality.prefixes[0]).toMatchObject({ prefixes: ITEMS, purity: 1 });
  const one = codes.map(() => [0]);
  expect(prefixPurity(one, categories, 1)).toBe(1 / ITEMS);
  expect(codeUsage(codes, [ITEMS, 7])).toEqual({ codesUsed: [ITEMS, 7], clusterSize: { min: 1, max: Math.ceil(ITEMS / 7) } }); // prettier-ignore
});

test('collisions of 100,000 items are resolved in seconds', () => {
  const x = cloud(ITEMS / 2, 2);
  const books = [64, 64, 64].map((rows, level) => cloud(rows, 2, level));
  const codes = Array.from({ length: ITEMS / 2 }, (_, item) => [item % 5, item % 3, item % 2]);
  const after = reassign(x, codes, books);
  expect(new Set(after.map(String)).size).toBe(ITEMS / 2);
});

test('nearest neighbours across chunks: as by looking at every row, never the item itself, ties to the lower', () => {
  const x = cloud(700, 3);
  for (const twin of [63, 64, 130]) x.data.set([3, 4, 5], twin * 3); // one direction
  const unit = (row: number): number[] => {
    const length = Math.hypot(...rowOf(x, row));
    return [...rowOf(x, row)].map((value) => value / length);
  };
  const units = Array.from({ length: x.rows }, (_, row) => unit(row));
  const cosine = (a: number, b: number): number => units[a]!.reduce((sum, value, j) => sum + value * units[b]![j]!, 0);
  const before = tf.memory().numTensors;
  for (const chunk of [64, 65, 1000]) {
    const pairs = new Map(nearestNeighbours(x, { chunk }));
    expect([pairs.get(63), pairs.get(64), pairs.get(130)]).toEqual([64, 63, 63]);
    for (const [item, nearest] of pairs) {
      let best = -2;
      for (let other = 0; other < x.rows; other++) if (other !== item) best = Math.max(best, cosine(item, other));
      expect(nearest).not.toBe(item);
      expect(cosine(item, nearest)).toBeCloseTo(best, 5);
    }
    expect([...nearestNeighbours(x, { chunk, sample: 90 })].every(([item, nearest]) => pairs.get(item) === nearest)).toBe(true); // prettier-ignore
  }
  expect(tf.memory().numTensors).toBe(before);
  const same = { rows: 300, width: 2, data: new Float32Array(600).fill(1) };
  const ties = new Map(nearestNeighbours(same, { chunk: 50 }));
  expect([ties.get(0), ties.get(1), ties.get(299)]).toEqual([1, 0, 0]);
});

test('nearest codes and distances block by block', () => {
  const x = cloud(70_000, 3);
  const books = cloud(9, 3, 2);
  const codes = nearestCodes(x, books);
  for (const row of [0, 65_535, 65_536, 69_999]) expect(codes[row]).toBe(nearestCode(rowOf(x, row), books));
  const rows = new EngineDistances(x);
  expect(distancesOnce(x, books)).toEqual(rows.distances(books));
  rows.dispose();
});

test('an RQ-VAE evaluates blocks as the whole', () => {
  const shape: RqVaeShape = { input: 6, hidden: [8], latent: 3, sizes: [4, 5], batchNorm: false, residual: false };
  const arrays = initialArrays(shape, 1);
  const random = new Random(3);
  for (const [name, { data }] of arrays)
    if (name.startsWith('rq.')) data.forEach((_, i) => (data[i] = random.normal()));
  const variables = toVariables(arrays);
  const rows = new ScaledRows(cloud(9000, 6), 2);
  const before = tf.memory().numTensors;
  const whole = evaluate(shape, variables, rows, { block: 9000 });
  for (const block of [1000, 8192, 4001]) {
    const found = evaluate(shape, variables, rows, { block });
    expect(found.codes).toEqual(whole.codes);
    expect(found.mse).toBeCloseTo(whole.mse, tf.getBackend() === 'tensorflow' ? 6 : 4); // others sum with less care
  }
  const latents = { rows: 9000, width: 3, data: new Float32Array(27_000) };
  evaluate(shape, variables, rows, { latents });
  expect(latents).toEqual(encode(shape, variables, rows));
  expect(rowOf(latents, 8500).some((value) => value !== 0)).toBe(true);
  expect(tf.memory().numTensors).toBe(before);
  tf.dispose([...variables.values()]);
});

test('rows on the engine are times the scale', () => {
  const rows = new ScaledRows({ rows: 3, width: 2, data: Float32Array.of(1, 2, 3, 4, 5, 6) }, 0.5);
  const firsts: [number, number[]][] = [];
  rows.forEachBlock((x, first) => firsts.push([first, [...x.dataSync()]]), 2);
  expect(firsts).toEqual([[0, [0.5, 1, 1.5, 2]], [2, [2.5, 3]]]); // prettier-ignore
  const picked = rows.pick([2, 0]).tensor();
  expect([...picked.dataSync()]).toEqual([2.5, 3, 0.5, 1]);
  picked.dispose();
});

test('the error of what SIDs are decoded to is that of all items, block by block', () => {
  const x = cloud(9000, 2);
  const books = [cloud(4, 2, 5)];
  const codes = Array.from({ length: 9000 }, (_, item) => [item % 4]);
  let sum = 0;
  codes.forEach(([code], i) => rowOf(x, i).forEach((value, j) => (sum += (value - 2 * books[0]!.data[code! * 2 + j]!) ** 2))); // prettier-ignore
  const asked: number[] = [];
  const twice = (sums: Vectors): Vectors => (asked.push(sums.rows), { ...sums, data: sums.data.map((v) => 2 * v) });
  expect(meanSquaredError(x, codes, books, twice)).toBeCloseTo(sum / 18_000, 6);
  expect(asked).toEqual([8192, 808]);
});

test('a fingerprint of many numbers is that of their bytes in base64', () => {
  for (const rows of [3, 900_000]) {
    const x = cloud(rows, 1);
    const text = Buffer.from(x.data.buffer).toString('base64');
    const hash = createHash('sha256').update(text).digest('hex').slice(0, 16);
    expect(fingerprint(x)).toBe(`${rows} x 1 ${hash}`);
  }
  const x = cloud(4, 2);
  expect(fingerprint({ rows: 3, width: 2, data: x.data.subarray(2) })).toBe(
    fingerprint({ rows: 3, width: 2, data: x.data.slice(2) }),
  );
});

test('a plan without preferences is dealt out in seconds, in the order of the items', () => {
  const [items, columns] = [50_000, 32];
  const codes = roundToCapacities(new Float32Array(items * columns).fill(1), items, new Int32Array(columns).fill(1563));
  expect([codes[0], codes[1562], codes[1563], codes[items - 1]]).toEqual([0, 0, 1, 31]);
});
