import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import { sidTokens, writeIndex } from '../../lib/data/sid-index.js';
import { useEngine } from '../../lib/engine/engine.js';
import { readNpy, type Vectors, writeNpy } from '../../lib/files/npy.js';
import { balancedCodes } from '../../lib/sid/balanced/balanced-codes.js';
import { rqKmeansConstrained } from '../../lib/sid/balanced/rqkmeans-constrained.js';
import { countCodes } from '../../lib/sid/quantized.js';
import { rqKmeansPlus } from '../../lib/sid/rqvae/rqkmeans-plus.js';
import { sidStage } from '../../lib/sid/sid-stage.js';
import { Random } from '../../lib/support/random.js';

const REAL = '../shared/data/industrial/Industrial_and_Scientific.emb-lsa.npy';

beforeAll(async () => void (await useEngine()));

/** Groups of rows around centres. */
function cloud(rows: number, width: number, groups = 30): Vectors {
  const random = new Random(1);
  const centres = Array.from({ length: groups * width }, () => random.normal());
  const data = Float32Array.from({ length: rows * width }, (_, at) => {
    const [row, column] = [Math.floor(at / width), at % width];
    return centres[(row % groups) * width + column]! + 0.3 * random.normal();
  });
  return { rows, width, data };
}

const small = { hidden: [32, 16], batchSize: 32, epochs: 20, evalEpochs: 2, learningRate: 3e-3, codebookSize: 6 };

test('lower error than the constrained RQ-Kmeans it starts from, and no more raw collisions', async () => {
  const x = cloud(90, 8);
  const before = tf.memory().numTensors;
  const constrained = rqKmeansConstrained(x, { codebookSize: 6, collisions: 'keep' });
  const found = await rqKmeansPlus(x, small);
  expect(tf.memory().numTensors).toBe(before);
  expect(found.start.mse).toBeCloseTo(constrained.mse, 10);
  expect(found.start.collision).toBe(constrained.collision.raw);
  expect(found.rawMse).toBeLessThan(found.start.mse);
  expect(found.collision.raw).toBeLessThanOrEqual(found.start.collision);
  expect(found.collision.final).toBe(0);
  const raw = balancedCodes(found.latents, found.codebooks);
  for (const counts of countCodes(raw, [6, 6, 6])) {
    expect(Math.min(...counts)).toBeGreaterThanOrEqual(14);
    expect(Math.max(...counts)).toBeLessThanOrEqual(16);
  }
  expect(found.codebooks.map(({ rows, width }) => [rows, width])).toEqual([[6, 8], [6, 8], [6, 8]]); // prettier-ignore
});

test('saved codebooks give what computed ones give; those of another width are refused', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'plus-'));
  const index = join(folder, 'toys.index.json');
  const x = cloud(60, 5);
  const { codes, codebooks } = rqKmeansConstrained(x, { codebookSize: [8, 9] });
  await expect(rqKmeansPlus(x, { ...small, startIndex: index })).rejects.toThrow(
    'toys.codebook-a.npy: no such file; run sidlab sid first',
  );
  writeIndex(index, codes.map(sidTokens));
  codebooks.forEach((book, i) => writeNpy(join(folder, `toys.codebook-${'ab'[i]}.npy`), book));
  const computed = await rqKmeansPlus(x, { ...small, codebookSize: [8, 9] });
  const read = await rqKmeansPlus(x, { ...small, startIndex: index });
  expect([read.codes, read.start]).toEqual([computed.codes, computed.start]);
  await expect(rqKmeansPlus(cloud(60, 4), { ...small, startIndex: index })).rejects.toThrow(
    'toys.codebook-a.npy: expected a codebook of width 4, got 5',
  );
  await expect(rqKmeansPlus(cloud(61, 5), { ...small, startIndex: index })).rejects.toThrow('item 60 of 61 is missing');
  const other = join(folder, 'other.index.json');
  writeNpy(join(folder, 'x.npy'), x);
  await sidStage({ embeddings: join(folder, 'x.npy'), index: other, method: 'rqkmeans', codebookSize: 8 });
  await expect(rqKmeansPlus(x, { ...small, startIndex: other })).rejects.toThrow(
    'expected an index of rqkmeans-constrained to start from, got one of rqkmeans',
  );
  await expect(rqKmeansPlus(x, { ...small, latent: 3 })).rejects.toThrow("a latent of 5, the vectors' width, got 3");
});

test.skipIf(!existsSync(REAL))('real vectors, a few epochs (skipped without ../shared/data)', async ({ skip }) => {
  skip(tf.getBackend() !== 'tensorflow', 'minutes on an engine that is not native');
  const real = readNpy(REAL);
  const x = { rows: 600, width: real.width, data: real.data.slice(0, 600 * real.width) };
  const few = { hidden: [256, 64], epochs: 12, evalEpochs: 3, batchSize: 300, learningRate: 1e-3, codebookSize: 32 };
  const found = await rqKmeansPlus(x, { ...few, kmeansIterations: 10 });
  expect(found.rawMse).toBeLessThan(found.start.mse);
  expect(found.collision.raw).toBeLessThanOrEqual(found.start.collision);
});

test('the seed and the iterations are those of the start too', async () => {
  const x = cloud(40, 4);
  const options = { ...small, epochs: 1, codebookSize: 5 };
  const errors = new Set<number>();
  for (const [seed, kmeansIterations] of [
    [7, 1],
    [7, undefined],
    [8, 1],
  ] as const) {
    const iterations = kmeansIterations ?? 100;
    const { mse } = rqKmeansConstrained(x, { codebookSize: 5, collisions: 'keep', seed, iterations });
    const found = await rqKmeansPlus(x, { ...options, seed, ...(kmeansIterations && { kmeansIterations }) });
    expect(found.start.mse).toBe(mse);
    errors.add(mse);
  }
  expect(errors.size).toBe(3);
});
