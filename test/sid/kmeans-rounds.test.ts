import * as tf from '@tensorflow/tfjs';
import { afterEach, describe, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { registerNativeOps, unregisterNativeOps } from '../../lib/engine/native-ops.js';
import { rowOf, type Vectors } from '../../lib/files/npy.js';
import { hasFused } from '../../lib/ops/fused.js';
import { balancedKmeans } from '../../lib/sid/balanced/balanced-kmeans.js';
import { nearestCode, squaredDistance } from '../../lib/sid/kmeans/distance.js';
import { fillEmptyCodes } from '../../lib/sid/kmeans/empty-clusters.js';
import { pickRows } from '../../lib/sid/kmeans/initial-centres.js';
import { kmeans } from '../../lib/sid/kmeans/kmeans.js';
import { lloyd, nearestCodes } from '../../lib/sid/kmeans/lloyd.js';
import { rqKmeans } from '../../lib/sid/kmeans/rqkmeans.js';
import { Random } from '../../lib/support/random.js';

await useEngine();
const faces = hasFused('SidlabKmeansRounds') ? (['fused', 'plain'] as const) : (['plain'] as const);
if (faces.length === 1) process.stderr.write('fused k-means: not on this engine, tests skipped\n');

function useFace(face: 'fused' | 'plain'): void {
  if (face === 'plain') unregisterNativeOps();
}

afterEach(() => {
  if (faces.length === 2) registerNativeOps();
});

function cloud(rows: number, width: number, seed = 1): Vectors {
  const random = new Random(seed);
  return { rows, width, data: Float32Array.from({ length: rows * width }, () => random.normal()) };
}

/** Lloyd's rounds in float64 without any bound. */
function plain(vectors: Vectors, start: Vectors, iterations: number): { codes: number[]; error: number } {
  const centres = { ...start, data: start.data.slice() };
  const look = () => Array.from({ length: vectors.rows }, (_, i) => nearestCode(rowOf(vectors, i), centres));
  let codes = look();
  for (let round = 0; round < iterations; round++) {
    for (let k = 0; k < centres.rows; k++) {
      const own = codes.flatMap((code, i) => (code === k ? [i] : []));
      if (own.length === 0) continue;
      for (let j = 0; j < centres.width; j++) {
        centres.data[k * centres.width + j] = own.reduce((sum, i) => sum + rowOf(vectors, i)[j]!, 0) / own.length;
      }
    }
    codes = look();
  }
  const error = codes.reduce((sum, code, i) => sum + squaredDistance(rowOf(vectors, i), rowOf(centres, code)), 0);
  return { codes, error };
}

test.each(faces.flatMap((face) => [1, 2, 5, 40].map((iterations) => ({ face, iterations }))))(
  'the rounds are plain Lloyd: $iterations of them, $face',
  ({ face, iterations }) => {
    useFace(face);
    for (const [rows, width, codes] of [
      [400, 3, 30],
      [300, 12, 8],
      [50, 2, 50],
      [20, 4, 1],
    ] as const) {
      // prettier-ignore
      const x = cloud(rows, width, rows);
      const start = pickRows(x, codes, new Random(2));
      const [fast, slow] = [lloyd(x, start, iterations), plain(x, start, iterations)];
      const apart = Math.abs(fast.error - slow.error);
      expect(apart).toBeLessThanOrEqual(1e-5 * slow.error + 1e-9);
      expect([...fast.codes]).toEqual(slow.codes);
      expect(fast.error).toBeCloseTo(plain(x, fast, 0).error, 6); // the codes are the nearest centres
    }
  },
);

test('the package and our own end on the same centres from the same start', () => {
  const x = cloud(200, 4);
  const start = pickRows(x, 9, new Random(5));
  const [a, b] = (['own', 'ml-kmeans'] as const).map((implementation) =>
    kmeans(x, { codes: 9, init: start, implementation }),
  );
  expect([...a!.codes]).toEqual([...b!.codes]);
  a!.data.forEach((value, at) => expect(value).toBeCloseTo(b!.data[at]!, 5));
});

test.each(faces)('equal rows get equal codes, ties the lower one: %s', (face) => {
  useFace(face);
  const base = cloud(4, 16);
  const x = { rows: 400, width: 16, data: Float32Array.from({ length: 6400 }, (_, at) => base.data[at % 64]!) };
  const { codes, error } = kmeans(x, { codes: 32, implementation: 'own' });
  for (let i = 4; i < 400; i++) expect(codes[i]).toBe(codes[i % 4]);
  expect(error).toBeLessThan(1e-8);
  const twice = { rows: 2, width: 16, data: Float32Array.from([...base.data.slice(0, 16), ...base.data.slice(0, 16)]) };
  expect(new Set(nearestCodes(x, twice))).toEqual(new Set([0]));
});

test.each(faces)('nothing stays on the engine: %s', (face) => {
  useFace(face);
  const x = cloud(300, 8);
  const before = tf.memory().numTensors;
  for (const start of ['best', 'k-means++', 'random-groups', 'random-rows'] as const)
    kmeans(x, { codes: 20, init: start, iterations: 3 });
  kmeans(x, { codes: 20, init: 'random-rows', implementation: 'own' });
  balancedKmeans(x, { codes: 10, iterations: 3 });
  expect(tf.memory().numTensors).toBe(before);
});

describe.skipIf(faces.length === 1)('fused and plain', () => {
  test.each([
    [2000, 100, 130],
    [1500, 33, 257],
    [900, 384, 64],
    [300, 1, 40],
    [40, 7, 1],
  ])('%i rows of %i, %i codes: the same codes and rounds', (rows, width, codes) => {
    const x = cloud(rows, width, width);
    for (let i = 0; i < rows; i += 3) x.data.copyWithin(i * width, 0, width); // a third of the rows are equal
    for (let at = 0; at < x.data.length; at++) x.data[at] = x.data[at]! + 3; // far from the origin
    const start = pickRows(x, codes, new Random(4));
    for (const iterations of [0, 3, 100]) {
      const [fused, plain] = faces.map((face) => {
        useFace(face);
        return lloyd(x, start, iterations);
      });
      registerNativeOps();
      expect(fused!.codes).toEqual(plain!.codes);
      expect(fused!.rounds).toBe(plain!.rounds);
      expect(Math.abs(fused!.error / plain!.error - 1)).toBeLessThan(1e-6);
      const off = fused!.data.reduce((most, value, at) => Math.max(most, Math.abs(value - plain!.data[at]!)), 0);
      expect(off).toBeLessThan(1e-5);
    }
  });

  test.each([
    [700, 40, 90, undefined],
    [300, 384, 17, undefined],
    [200, 5, 8, [10, 60] as const],
  ])('balanced: %i rows of %i, %i codes end on the same codes', (rows, width, codes, clusterSize) => {
    const x = cloud(rows, width, rows);
    x.data.fill(40, 0, width); // a row far from all others
    for (const start of [pickRows(x, codes, new Random(4)), undefined]) {
      const [fused, plain] = faces.map((face) => {
        useFace(face);
        return balancedKmeans(x, {
          codes,
          iterations: 6,
          ...(start && { init: start }),
          ...(clusterSize && { clusterSize }),
        });
      });
      registerNativeOps();
      expect(fused!.codes).toEqual(plain!.codes);
      expect(fused!.rounds).toBe(plain!.rounds);
      expect(Math.abs(fused!.error / plain!.error - 1)).toBeLessThan(1e-6);
    }
  });

  test.each(faces)('balanced: equal rows, and distances beyond float32, keep to the limits: %s', (face) => {
    useFace(face);
    for (const value of [1, 1e25]) {
      const x = { rows: 60, width: 3, data: new Float32Array(180).fill(value) };
      const { codes, rounds } = balancedKmeans(x, { codes: 7, nInit: 1 });
      const sizes = new Int32Array(7);
      codes.forEach((code) => sizes[code]!++);
      expect(Math.min(...sizes)).toBeGreaterThanOrEqual(7);
      expect(Math.max(...sizes)).toBeLessThanOrEqual(9);
      expect(rounds).toBeLessThanOrEqual(100);
    }
  });
});

test.each(faces)('balanced rounds lower the error, and stop: %s', (face) => {
  useFace(face);
  const x = cloud(300, 6);
  const start = pickRows(x, 12, new Random(1));
  const errors = [1, 2, 4, 100].map((iterations) =>
    balancedKmeans(x, { codes: 12, init: start, iterations, tolerance: 0 }),
  );
  for (let i = 1; i < 4; i++) expect(errors[i]!.error).toBeLessThanOrEqual(errors[i - 1]!.error);
  expect(errors[3]!.rounds).toBeLessThan(100);
});

test('mistakes', () => {
  const x = cloud(10, 2);
  expect(() => kmeans(x, { codes: 11 })).toThrow('expected codes from 1 to 10');
  expect(() => kmeans(x, { codes: 3, init: cloud(3, 4) })).toThrow('expected 3 x 2 centres to start from, got 3 x 4');
  expect(() => kmeans(x, { codes: 3, init: 'middle' as 'random-rows' })).toThrow('expected an init of best, k-means++');
});

test.each(['own', 'ml-kmeans'] as const)('no code stays empty where a row could fill it: %s', (implementation) => {
  const points = { rows: 4, width: 1, data: Float32Array.from([0, 1, 10, 11]) };
  for (let seed = 0; seed < 20; seed++) {
    const left = { ...points, data: Float32Array.from([-0.5, 0.5, -0.5, 0.5]) };
    expect(kmeans(left, { codes: 2, init: 'random-groups', seed, implementation }).error).toBe(0);
    expect(rqKmeans(points, { levels: 2, codebookSize: 2, seed }).mse).toBe(0);
  }
  const x = cloud(60, 3);
  const far = { rows: 12, width: 3, data: new Float32Array(36).fill(100) }; // eleven of them nobody's nearest
  far.data.fill(0, 0, 3);
  for (const iterations of [1, 2, 100]) {
    const { codes, rounds, error } = kmeans(x, { codes: 12, init: far, iterations, implementation });
    expect(new Set(codes).size, `${iterations}`).toBe(12);
    expect(rounds).toBeLessThanOrEqual(iterations);
    expect(error).toBeLessThan(0.8 * lloyd(x, far, iterations).error);
  }
});

test('empty codes go to the farthest rows, one of equal rows, none that lies on its centre', () => {
  const x = { rows: 5, width: 1, data: Float32Array.from([0, 3, 3, -2, 0]) };
  const centres = { rows: 4, width: 1, data: Float32Array.from([9, 0, 8, 7]) };
  const codes = Int32Array.of(1, 1, 1, 1, 1);
  expect([...fillEmptyCodes(x, centres, codes)!.data]).toEqual([3, 0, -2, 7]);
  expect(fillEmptyCodes(x, { ...centres, rows: 1, data: centres.data.slice(1, 2) }, codes.fill(0))).toBeUndefined();
  const on = { rows: 2, width: 1, data: Float32Array.from([3, 0]) };
  expect(fillEmptyCodes({ rows: 2, width: 1, data: Float32Array.of(3, 3) }, on, Int32Array.of(0, 0))).toBeUndefined();
});

test('without empty codes nothing changes', () => {
  const x = cloud(200, 6);
  const start = pickRows(x, 10, new Random(3));
  const rounds = lloyd(x, start, 100);
  expect(new Set(rounds.codes).size).toBe(10);
  expect(kmeans(x, { codes: 10, init: start, implementation: 'own' })).toEqual(rounds);
});
