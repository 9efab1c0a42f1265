/** Lloyd's iterations where float32 cannot tell the nearest centre, at the ends of blocks and of what is allowed. */
import * as tf from '@tensorflow/tfjs';
import { afterEach, describe, expect, test } from 'vitest';
import { useEngine } from '../../../lib/engine/engine.js';
import { registerNativeOps, unregisterNativeOps } from '../../../lib/engine/native-ops.js';
import { rowOf, type Vectors } from '../../../lib/files/npy.js';
import { hasFused } from '../../../lib/ops/fused.js';
import { balancedKmeans } from '../../../lib/sid/balanced/balanced-kmeans.js';
import { nearestCode, squaredDistance, squaredNorms } from '../../../lib/sid/kmeans/distance.js';
import { fillEmptyCodes } from '../../../lib/sid/kmeans/empty-clusters.js';
import { distancesOnce, EngineDistances } from '../../../lib/sid/kmeans/engine-distances.js';
import { pickRows } from '../../../lib/sid/kmeans/initial-centres.js';
import { kmeans } from '../../../lib/sid/kmeans/kmeans.js';
import { lloyd, nearestCodes } from '../../../lib/sid/kmeans/lloyd.js';
import { Random } from '../../../lib/support/random.js';

await useEngine();
const faces = hasFused('SidlabKmeansRounds') ? (['fused', 'plain'] as const) : (['plain'] as const);

function useFace(face: 'fused' | 'plain'): void {
  if (face === 'plain') unregisterNativeOps();
}

afterEach(() => {
  if (faces.length === 2) registerNativeOps();
});

/** Normal numbers of a spread around a middle. */
function cloud(rows: number, width: number, spread = 1, middle = 0): Vectors {
  const random = new Random(rows);
  return { rows, width, data: Float32Array.from({ length: rows * width }, () => middle + spread * random.normal()) };
}

function column(...values: number[]): Vectors {
  return { rows: values.length, width: 1, data: Float32Array.from(values) };
}

/** Lloyd's iterations in float64, with every distance computed. */
function plainLloyd(x: Vectors, start: Vectors, iterations: number): number[] {
  const centres = { ...start, data: start.data.slice() };
  const look = () => Array.from({ length: x.rows }, (_, i) => nearestCode(rowOf(x, i), centres));
  let codes = look();
  for (let iteration = 0; iteration < iterations; iteration++) {
    for (let k = 0; k < centres.rows; k++) {
      const own = codes.flatMap((code, i) => (code === k ? [i] : []));
      for (let j = 0; own.length > 0 && j < x.width; j++) {
        centres.data[k * x.width + j] = own.reduce((sum, i) => sum + rowOf(x, i)[j]!, 0) / own.length;
      }
    }
    codes = look();
  }
  return codes;
}

test.each(faces)('at distances beyond float32 the first code is the nearest: %s', (face) => {
  useFace(face);
  expect([...lloyd(column(1e30, -1e30), column(1e30), 1).codes]).toEqual([0, 0]);
});

describe.each(faces)('where float32 cannot tell, float64 decides: %s', (face) => {
  test.each([0, 1, 3, 60])('rows and centres far from the origin, %i iterations', (iterations) => {
    useFace(face);
    const x = cloud(160, 6, 1, 1000); // squares of 6e6, distances of 12
    const start = pickRows(x, 24, new Random(2));
    expect([...lloyd(x, start, iterations).codes]).toEqual(plainLloyd(x, start, iterations));
  });

  test('small rows between far centres', () => {
    useFace(face);
    const x = cloud(120, 6, 1e-5);
    const far = cloud(30, 6);
    const norms = squaredNorms(far);
    const centres = {
      ...far,
      data: far.data.map((value, at) => (1000 * value) / Math.sqrt(norms[Math.floor(at / 6)]!)),
    };
    expect([...lloyd(x, centres, 0).codes]).toEqual(plainLloyd(x, centres, 0));
    expect(new Set(plainLloyd(x, centres, 0)).size).toBeGreaterThan(1);
  });

  test('large rows between small centres', () => {
    useFace(face);
    const x = cloud(120, 6, 3000);
    const centres = cloud(30, 6, 1e-3);
    expect([...lloyd(x, centres, 0).codes]).toEqual(plainLloyd(x, centres, 0));
  });
});

test('squared norms', () => {
  expect([...squaredNorms({ rows: 3, width: 2, data: Float32Array.of(3, 4, 0, 0, -1, 2) })]).toEqual([25, 0, 5]);
});

test.each(faces)('from where nothing moves, the second iteration ends it: %s', (face) => {
  useFace(face);
  const x = column(0, 2, 10, 14);
  const found = lloyd(x, column(1, 12), 100);
  expect(found).toMatchObject({ data: Float32Array.of(1, 12), codes: Int32Array.of(0, 0, 1, 1), error: 10, rounds: 2 });
  expect(lloyd(x, column(1, 12), 1).rounds).toBe(1);
});

test.each(faces)('one centre that moves after another, each time a row or two: %s', (face) => {
  useFace(face);
  const x = column(...Array.from({ length: 60 }, (_, i) => i + (i % 7) / 16));
  const start = column(-50, -40, -30, -20, 3, 9);
  for (const iterations of [1, 2, 3, 5, 8, 13, 21, 34, 55]) {
    expect([...lloyd(x, start, iterations).codes]).toEqual(plainLloyd(x, start, iterations));
  }
});

test.each(faces)('the only centre that moves takes the first row: %s', (face) => {
  useFace(face);
  const x = column(12, 0, 2, 8, 13.5, 14); // the third centre goes from 16 to 13.75, the others are where they belong
  expect([...lloyd(x, column(1, 10, 16), 1).codes]).toEqual([2, 0, 0, 1, 2, 2]);
  expect(lloyd(x, column(1, 10, 16), 9)).toMatchObject({ codes: Int32Array.of(2, 0, 0, 1, 2, 2), rounds: 3 });
});

test('distances less the square of the row, chunk by chunk', () => {
  const centres = { rows: 2, width: 2, data: Float32Array.of(1, 2, -3, 0.5) };
  for (const rows of [3, 16_384, 16_385]) {
    const x = { rows, width: 2, data: Float32Array.from({ length: 2 * rows }, (_, at) => (at % 13) - 4) };
    const wanted = new Float32Array(2 * rows);
    for (let i = 0; i < rows; i++) {
      for (const k of [0, 1]) {
        const own = squaredDistance(rowOf(x, i), rowOf(centres, k)) - squaredDistance(rowOf(x, i), [0, 0]);
        wanted[2 * i + k] = own;
      }
    }
    const before = tf.memory().numTensors;
    const engine = new EngineDistances(x);
    const chunks: number[][] = [];
    engine.forEachChunk(centres, (first, count) => chunks.push([first, count]));
    expect(chunks).toEqual(rows === 3 ? [[0, 3]] : [[0, 16_384], [16_384, 1]].slice(0, rows - 16_383)); // prettier-ignore
    expect(Buffer.compare(Buffer.from(engine.distances(centres).buffer), Buffer.from(wanted.buffer))).toBe(0);
    expect(Buffer.compare(Buffer.from(distancesOnce(x, centres).buffer), Buffer.from(wanted.buffer))).toBe(0);
    engine.dispose();
    expect(tf.memory().numTensors).toBe(before);
  }
});

test('the nearest codes of a block of rows, of one row more and of one less', () => {
  const centres = column(0.5, -0.25, 3);
  for (const rows of [65_535, 65_536, 65_537]) {
    const x = { rows, width: 1, data: Float32Array.from({ length: rows }, (_, i) => (i % 11) / 4 - 0.5) };
    const codes = nearestCodes(x, centres);
    expect(codes).toHaveLength(rows);
    expect(codes.every((code, i) => code === nearestCode([x.data[i]!], centres))).toBe(true);
  }
});

describe('empty clusters', () => {
  test('of rows at one distance the lower is taken, however many they are', () => {
    const x = column(...Array.from({ length: 24 }, (_, i) => (i % 2 === 0 ? 1 : -1) * (1 + (i % 3))));
    const filled = fillEmptyCodes(x, column(0, 50, 60, 70), new Int32Array(24))!;
    expect([...filled.data]).toEqual([0, 3, -3, -2]); // rows 2, 5 and 1: rows 8, 11 are twins of the first two
  });

  test('a cluster without rows keeps its place, and so does what comes before and after it', () => {
    for (const face of faces) {
      useFace(face);
      const x = { rows: 4, width: 2, data: Float32Array.of(0, 1, 0, 3, 9, 1, 9, 3) };
      const start = { rows: 4, width: 2, data: Float32Array.of(1, 2, 500, 600, 8, 2, 700, 800) };
      const means = Float32Array.of(0, 2, 500, 600, 9, 2, 700, 800);
      expect(lloyd(x, start, 9).data, face).toEqual(means);
      expect(balancedKmeans(x, { codes: 4, clusterSize: [0, 4], init: start }).data, face).toEqual(means);
    }
  });

  test('clusters of one row move to it', () => {
    for (const face of faces) {
      useFace(face);
      const x = cloud(5, 3);
      const init = { ...x, data: x.data.map((value) => value + 0.01) };
      expect(lloyd(x, init, 9).data, face).toEqual(x.data);
      expect(balancedKmeans(x, { codes: 5, clusterSize: [1, 1], init }), face).toMatchObject({
        data: x.data,
        error: 0,
      });
    }
  });
});

describe('a hundred iterations are the most by default', () => {
  // centres that start at one end of a line spread over it slowly
  const x = column(...Array.from({ length: 600 }, (_, i) => i));
  const init = column(...Array.from({ length: 20 }, (_, i) => i));

  test.each(['own', 'ml-kmeans'] as const)('k-means: %s', (implementation) => {
    expect(kmeans(x, { codes: 20, init, implementation }).rounds).toBe(100);
    expect(kmeans(x, { codes: 20, init, implementation, iterations: 101 }).rounds).toBe(101);
  });

  test('balanced k-means', () => {
    const options = { codes: 20, init, clusterSize: [1, 600] as const, tolerance: 0 };
    expect(balancedKmeans(x, options).rounds).toBe(100);
    expect(balancedKmeans(x, { ...options, iterations: 101 }).rounds).toBe(101);
  });
});

test('small things go to ml-kmeans: up to a million products an iteration', () => {
  for (const [rows, width, codes, implementation] of [
    [1000, 10, 100, 'ml-kmeans'],
    [9901, 1, 101, 'own'],
  ] as const) {
    const x = cloud(rows, width, 1e-7); // so small that the package stops early, and one can tell who iterated
    const options = { codes, init: pickRows(x, codes, new Random(1)), iterations: 20 };
    const [own, other] = (['own', 'ml-kmeans'] as const).map((face) => kmeans(x, { ...options, implementation: face }));
    expect(own!.rounds).not.toBe(other!.rounds);
    expect(kmeans(x, options).rounds).toBe((implementation === 'own' ? own! : other!).rounds);
  }
});

describe('centres without rows move while iterations are left, and once more', () => {
  const x = cloud(60, 3);
  const far = { rows: 12, width: 3, data: new Float32Array(36).fill(100) }; // eleven of them nobody's nearest
  far.data.fill(0, 0, 3);

  const expectMoves = (rows: Vectors, init: Vectors, iterations: number): void => {
    let wanted = lloyd(rows, init, iterations);
    for (let left = iterations - wanted.rounds; ; left = iterations - wanted.rounds) {
      const filled = fillEmptyCodes(rows, wanted, wanted.codes);
      if (filled === undefined) break;
      const next = lloyd(rows, filled, left);
      wanted = { ...next, rounds: wanted.rounds + next.rounds };
      if (left === 0) break;
    }
    expect(kmeans(rows, { codes: init.rows, init, iterations, implementation: 'own' })).toEqual(wanted);
  };

  test.each([1, 2, 3, 4, 5, 6, 7, 8, 50])('%i iterations', (iterations) => expectMoves(x, far, iterations));

  test('though a move may leave another code without rows', () => {
    for (let seed = 0; seed < 12; seed++) {
      const random = new Random(seed);
      const rows = column(...Array.from({ length: 16 }, () => Math.round(100 * random.normal())));
      const init = column(...Array.from({ length: 10 }, () => rows.data[random.int(3)]!));
      for (const iterations of [1, 2, 3, 4, 5]) expectMoves(rows, init, iterations);
    }
  });

  test.each([1, 2, 3])('the package moves its centres as often as ours: %i', (iterations) => {
    const init = pickRows(x, 5, new Random(3));
    const [own, other] = (['own', 'ml-kmeans'] as const).map((implementation) =>
      kmeans(x, { codes: 5, init, iterations, implementation }),
    );
    other!.data.forEach((value, at) => expect(value).toBeCloseTo(own!.data[at]!, 5));
    expect([other!.codes, other!.rounds]).toEqual([own!.codes, own!.rounds]);
  });
});

test('what k-means is asked for: codes from 1 to the rows, centres of their number and width', () => {
  const x = cloud(10, 2);
  expect(kmeans(x, { codes: 10 }).error).toBe(0);
  expect(kmeans(x, { codes: 1 }).codes).toEqual(new Int32Array(10));
  for (const codes of [0, 11, 1.5, NaN]) {
    expect(() => kmeans(x, { codes })).toThrow(`kmeans: expected codes from 1 to 10, one a row at most, got ${codes}`);
    expect(() => balancedKmeans(x, { codes })).toThrow(`expected codes from 1 to 10, the number of rows, got ${codes}`);
  }
  for (const init of [cloud(3, 3), cloud(4, 2)]) {
    expect(() => kmeans(x, { codes: 3, init })).toThrow(`expected 3 x 2 centres to start from, got ${init.rows} x ${init.width}`); // prettier-ignore
  }
});

test('a distance is the sum of all squared differences', () => {
  expect(squaredDistance([1, 2, 3], [4, -2, 3])).toBe(25);
});
