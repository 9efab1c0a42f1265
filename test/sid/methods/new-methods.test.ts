/** R-VQ, RQ-OPQ and LETTER: what each promises, on small vectors; the rotation against SciPy. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useEngine } from '../../../lib/engine/engine.js';
import { rowOf, type Vectors, writeNpy } from '../../../lib/files/npy.js';
import type { MetricLine } from '../../../lib/runs/metric-lines.js';
import { assignSids } from '../../../lib/sid/assign-sids.js';
import { squaredDistance } from '../../../lib/sid/kmeans/distance.js';
import { rqKmeans } from '../../../lib/sid/kmeans/rqkmeans.js';
import { meanSquaredError, reconstruct } from '../../../lib/sid/quantized.js';
import { nearestRotation } from '../../../lib/sid/rqopq/nearest-rotation.js';
import { opq } from '../../../lib/sid/rqopq/opq.js';
import { rqOpq } from '../../../lib/sid/rqopq/rq-opq.js';
import { clusterMates } from '../../../lib/sid/rqvae/batch-terms.js';
import type { LetterOptions } from '../../../lib/sid/method-options.js';
import { letter } from '../../../lib/sid/rqvae/letter.js';
import { rvq } from '../../../lib/sid/rvq.js';
import { Random } from '../../../lib/support/random.js';
import { golden, worst } from '../rqvae/golden.js';

beforeAll(async () => void (await useEngine()));

const folder = mkdtempSync(join(tmpdir(), 'sid-methods-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Rows around centres, stretched along mixed directions, so that columns depend on one another. */
function clouds(rows: number, width: number, groups: number, seed = 1): Vectors {
  const random = new Random(seed);
  const draw = (count: number): number[] => Array.from({ length: count }, () => random.normal());
  const [centres, mix] = [draw(groups * width), draw(width * width)];
  const data = new Float32Array(rows * width);
  for (let i = 0; i < rows; i++) {
    const own = draw(width).map((noise, j) => centres[(i % groups) * width + j]! + (0.6 * noise) / (j + 1));
    for (let j = 0; j < width; j++) data[i * width + j] = own.reduce((sum, value, k) => sum + value * mix[k * width + j]!, 0); // prettier-ignore
  }
  return { rows, width, data };
}

const x = clouds(120, 6, 10);

test("the nearest rotation is SciPy's, and what a matrix does not say stays as it was", () => {
  const { left, right, rotation } = golden.procrustes;
  tf.tidy(() => {
    const [a, b] = [tf.tensor2d(left, [30, 6]), tf.tensor2d(right, [30, 6])];
    const identity = tf.eye(6);
    const found = nearestRotation(tf.matMul(a, b, true), identity);
    expect(worst(found.dataSync(), rotation)).toBeLessThan(1e-3);
    expect(worst(tf.matMul(found, found, true).dataSync(), [...identity.dataSync()])).toBeLessThan(1e-5);
    expect(worst(nearestRotation(tf.zeros([6, 6]), found).dataSync(), [...found.dataSync()])).toBeLessThan(1e-4);
  });
});

describe('RQ-OPQ', () => {
  const sizes = [8, 8];
  const fit = (rotations: number) => opq(x, { sizes, rotations, iterations: 50, seed: 1 });
  const errorOf = (parts: ReturnType<typeof opq>): number =>
    meanSquaredError(x, Array.from(parts[0]!.codes, (code, i) => [code, parts[1]!.codes[i]!]), parts.map((part) => part.codebook)); // prettier-ignore

  test("parts are orthogonal, an item's codes are the nearest of each, and rotations lower the error", () => {
    const before = tf.memory().numTensors;
    const [plain, rotated] = [fit(0), fit(10)];
    expect(tf.memory().numTensors).toBe(before);
    expect(errorOf(rotated)).toBeLessThan(0.97 * errorOf(plain));
    const [one, other] = rotated.map(({ codebook }) => codebook) as [Vectors, Vectors];
    for (let k = 0; k < 8; k++) for (let l = 0; l < 8; l++) {
      const product = rowOf(one, k).reduce((sum, value, j) => sum + value * rowOf(other, l)[j]!, 0);
      expect(Math.abs(product)).toBeLessThan(1e-3);
    } // prettier-ignore
    const codes = assignSids(x, [one, other]);
    const same = codes.filter((path, i) => path[0] === rotated[0]!.codes[i] && path[1] === rotated[1]!.codes[i]).length;
    expect(same).toBeGreaterThanOrEqual(119); // a tie may fall otherwise after rounding
  });

  test('residual levels, then the product; uneven parts; what is refused', () => {
    const found = rqOpq(x, { levels: 3, codebookSize: 8, products: 2, rotations: 4, collisions: 'keep' });
    expect(found.codebooks.map(({ rows, width }) => [rows, width])).toEqual([[8, 6], [8, 6], [8, 6]]); // prettier-ignore
    const first = rqKmeans(x, { levels: 1, codebookSize: 8, collisions: 'keep' });
    expect(found.raw.map(([code]) => code)).toEqual(first.raw.map(([code]) => code));
    expect(found.mse).toBeLessThan(first.mse);
    const error = found.codes.reduce((sum, path, i) => sum + squaredDistance(rowOf(x, i), reconstruct(path, found.codebooks)), 0); // prettier-ignore
    expect(error / x.data.length).toBeCloseTo(found.mse, 6);
    expect(rqOpq(clouds(30, 5, 6), { levels: 2, codebookSize: 6, products: 2 }).collision.final).toBe(0);
    expect(() => rqOpq(x, { levels: 1, products: 2 })).toThrow(
      'sid: expected at most 1 products, one a level and a column, got 2',
    );
  });
});

describe('R-VQ', () => {
  test('close to residual k-means, no code dead, the same by the same seed', () => {
    const before = tf.memory().numTensors;
    const options = { levels: 2, codebookSize: 8, collisions: 'keep' } as const;
    const found = rvq(x, { ...options, epochs: 20, batchSize: 40, emaDecay: 0.9 });
    expect(tf.memory().numTensors).toBe(before);
    expect(found.mse).toBeLessThan(1.15 * rqKmeans(x, options).mse);
    expect(found.codesUsed).toEqual([8, 8]);
    expect(found.raw).toEqual(assignSids(x, found.codebooks));
    const again = rvq(x, { ...options, epochs: 20, batchSize: 40, emaDecay: 0.9 });
    expect(again.codes).toEqual(found.codes);
    expect(rvq(x, { ...options, epochs: 20, batchSize: 40, emaDecay: 0.9, seed: 7 }).codes).not.toEqual(found.codes);
  });

  test('training takes error off what k-means of a few iterations began with', () => {
    const options = { levels: 2, codebookSize: 8, collisions: 'keep', iterations: 1, seed: 3 } as const;
    const error = (epochs: number): number => rvq(x, { ...options, epochs, batchSize: 120, emaDecay: 0.5 }).mse;
    expect(error(16)).toBeLessThan(0.98 * error(1));
  });
});

describe('LETTER', () => {
  const small = {
    ...{ hidden: [12], codebookSize: 6, levels: 2, epochs: 9, batchSize: 40, autoencoderEpochs: 1, evalEpochs: 9 },
    ...{ collisions: 'keep' as const, learningRate: 0.01, diversityClusters: 3 },
  } as const;
  const near = clouds(120, 4, 10, 2);
  writeNpy(join(folder, 'near.npy'), near);
  const train = async (options: LetterOptions) => {
    let lines: readonly MetricLine[] = [];
    const found = await letter(x, { ...small, onLog: (all: readonly MetricLine[]) => (lines = all), ...options });
    return { found, last: lines.at(-1)! };
  };

  test('quantized latents come to agree with the collaborative vectors', async () => {
    const before = tf.memory().numTensors;
    const [drawn, left] = [
      await train({ collaborative: join(folder, 'near.npy'), collaborativeWeight: 1 }),
      await train({ collaborative: join(folder, 'near.npy'), collaborativeWeight: 1e-9 }),
    ];
    expect(tf.memory().numTensors).toBe(before);
    expect(drawn.found.codebooks[0]!.width).toBe(4);
    expect(drawn.last.collaborative).toBeLessThan(0.8 * left.last.collaborative!);
    expect(drawn.last.diversity).toBeGreaterThan(0);
  });

  test('without them the diversity loss alone, on a latent of the own width', async () => {
    const { found, last } = await train({ latent: 3, diversityWeight: 0.1 });
    expect(found.codebooks[0]!.width).toBe(3);
    expect(last).not.toHaveProperty('collaborative');
    expect(last.loss).toBeCloseTo(last.reconstruction! + last.quantizer! + 0.1 * last.diversity!, 4);
  });

  test('the latent is 32 wide without vectors, and a weight of 0 asks for none of them', async () => {
    const few = { ...small, epochs: 2, evalEpochs: 2 };
    expect((await train(few)).found.codebooks[0]!.width).toBe(32);
    const { found, last } = await train({ ...few, collaborative: join(folder, 'near.npy'), collaborativeWeight: 0 });
    expect(found.codebooks[0]!.width).toBe(4);
    expect(last).not.toHaveProperty('collaborative');
  });

  test('every code has the others of its cluster, and a level of one code none', () => {
    const book = clouds(11, 3, 3);
    const mates = clusterMates(book, 4, 's');
    mates.forEach((own, code) => {
      expect(own).not.toContain(code);
      expect([1, 2]).toContain(own.length); // clusters of two and three
      for (const other of own) expect(mates[other]).toContain(code);
    });
    expect(clusterMates({ rows: 1, width: 2, data: Float32Array.of(1, 2) }, 10, 's')).toEqual([[]]);
  });

  test('what is refused', async () => {
    const collaborative = join(folder, 'near.npy');
    await expect(letter(x, { collaborative, latent: 5 })).rejects.toThrow('expected --latent 4, the width of');
    await expect(letter(clouds(9, 6, 2), { collaborative })).rejects.toThrow(
      'expected a vector for each of 9 items, got 120',
    );
  });
});

describe('RQ-OPQ, its parts', () => {
  test('columns are dealt out by their variance about the mean, the largest first, to the part that has least', () => {
    const random = new Random('columns');
    const [means, deviations] = [[0, 9, 0, 50], [1, 4, 2, 2.8]]; // prettier-ignore
    const data = Float32Array.from(
      { length: 4 * 64 },
      (_, at) => means[at % 4]! + deviations[at % 4]! * random.normal(),
    );
    const found = opq({ rows: 64, width: 4, data }, { sizes: [2, 2], rotations: 0, iterations: 3, seed: 'opq' });
    const used = found.map(({ codebook }) => [0, 1, 2, 3].filter((column) => rowOf(codebook, 0)[column] !== 0));
    expect(used).toEqual([[0, 1], [2, 3]]); // prettier-ignore
  });

  test('the nearest rotation is the same whatever the unit', () => {
    const random = new Random('unit');
    const numbers = Float32Array.from({ length: 25 }, () => random.normal());
    const eye = tf.eye(5);
    const of = (factor: number): number[] => {
      const x = nearestRotation(tf.tensor2d(numbers.map((x) => factor * x), [5, 5]), eye); // prettier-ignore
      return [...x.dataSync()];
    };
    const own = of(1);
    for (const factor of [1e-5, 1e5]) of(factor).forEach((x, i) => expect(x).toBeCloseTo(own[i]!, 4));
  });
});
