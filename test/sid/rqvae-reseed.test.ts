import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import type { Vectors } from '../../lib/files/npy.js';
import type { MetricLine } from '../../lib/runs/metric-lines.js';
import { resetDeadCodes } from '../../lib/sid/rqvae/dead-codes.js';
import { codebookName, type RqVaeShape, initialArrays, toVariables } from '../../lib/sid/rqvae/parameters.js';
import { rqvae } from '../../lib/sid/rqvae/rqvae.js';
import { ScaledRows } from '../../lib/sid/rqvae/scaled-rows.js';
import { evaluate } from '../../lib/sid/rqvae/step.js';
import { Random } from '../../lib/support/random.js';

beforeAll(async () => void (await useEngine()));

/** Encoder and decoder are the identity: the latents are the vectors. */
const shape: RqVaeShape = { input: 2, hidden: [4], latent: 2, sizes: [4, 3], batchNorm: false, residual: true };

/** Codebooks whose first code alone is near. */
function variables(of = shape) {
  const arrays = initialArrays(of, 1);
  of.sizes.forEach((_, level) => arrays.get(codebookName(level))!.data.fill(90).fill(0, 0, 2));
  return toVariables(arrays);
}

const used = (parameters: ReturnType<typeof variables>, x: ScaledRows) =>
  [0, 1].map((level) => new Set(evaluate(shape, parameters, x).codes.map((path) => path[level])).size);

const scaledRows = (rows: number[][]) =>
  new ScaledRows({ rows: rows.length, width: rows[0]!.length, data: Float32Array.from(rows.flat()) });

test('codes that no item uses are reset to an item, the others stay', () => {
  const before = tf.memory().numTensors;
  const random = new Random(3);
  const rows = Array.from({ length: 40 }, () => [random.normal(), random.normal()]);
  const x = scaledRows(rows);
  const parameters = variables();
  const error = evaluate(shape, parameters, x).mse;
  expect(used(parameters, x)).toEqual([1, 1]);
  expect(resetDeadCodes(shape, parameters, x, new Random(1))).toEqual([3, 2]);
  expect(used(parameters, x)).toEqual([4, 3]);
  expect(evaluate(shape, parameters, x).mse).toBeLessThan(0.8 * error);
  const book = [...parameters.get(codebookName(0))!.dataSync()];
  expect(book.slice(0, 2)).toEqual([0, 0]);
  for (const code of [1, 2, 3]) {
    const own = book.slice(2 * code, 2 * code + 2);
    expect(rows.some(([a, b]) => Math.fround(a!) === own[0] && Math.fround(b!) === own[1])).toBe(true);
  }
  expect(resetDeadCodes(shape, parameters, x, new Random(1))).toEqual([0, 0]);
  expect([...parameters.get(codebookName(0))!.dataSync()]).toEqual(book);
  const again = variables();
  resetDeadCodes(shape, again, x, new Random(1));
  expect([...again.get(codebookName(0))!.dataSync()]).toEqual(book); // the seed decides
  tf.dispose([...parameters.values(), ...again.values()]);
  expect(tf.memory().numTensors).toBe(before);
});

test('items are drawn by their squared distance, none that lies on its code', () => {
  const x = scaledRows([[0, 0], [0, 0], [1, 0], [0, 2]]); // prettier-ignore
  const counts = [0, 0];
  const two = { ...shape, sizes: [2] };
  for (let seed = 0; seed < 200; seed++) {
    const parameters = variables(two);
    expect(resetDeadCodes(two, parameters, x, new Random(seed))).toEqual([1]);
    counts[parameters.get(codebookName(0))!.dataSync()[3] === 2 ? 1 : 0]!++;
    tf.dispose([...parameters.values()]);
  }
  expect(counts[1]! / 200).toBeGreaterThan(0.7); // four fifths are expected
  expect(counts[1]! / 200).toBeLessThan(0.9);
  const parameters = variables();
  expect(resetDeadCodes(shape, parameters, x, new Random(1))).toEqual([2, 0]); // then every item lies on a code
  tf.dispose([...parameters.values()]);
});

test('training reseeds in the first half of the epochs that quantize, and uses no fewer codes for it', async () => {
  const random = new Random(5);
  const data = Float32Array.from({ length: 120 * 6 }, () => random.normal());
  const x: Vectors = { rows: 120, width: 6, data };
  const options = { hidden: [24], latent: 4, codebookSize: 24, epochs: 20, batchSize: 30, autoencoderEpochs: 0 };
  const shared = { ...options, evalEpochs: 10, learningRate: 5e-3, best: 'last', collisions: 'keep' } as const;
  let lines: readonly MetricLine[] = [];
  const found = await rqvae(x, { ...shared, onLog: (all) => (lines = all) });
  expect(lines.flatMap(({ step, resetCodes }) => (resetCodes === undefined ? [] : [step]))).toEqual(
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], // prettier-ignore
  );
  expect(lines.some(({ resetCodes }) => resetCodes! > 0)).toBe(true);
  const never = await rqvae(x, { ...shared, deadCodeEpochs: 0, onLog: (all) => (lines = all) });
  expect(lines.every(({ resetCodes }) => resetCodes === undefined)).toBe(true);
  const sum = (counts: number[]): number => counts.reduce((total, count) => total + count, 0);
  expect(sum(found.codesUsed)).toBeGreaterThan(sum(never.codesUsed));
  await expect(rqvae(x, { deadCodeEpochs: -1 })).rejects.toThrow(
    'expected deadCodeEpochs to be a whole number of 0 or more, got -1',
  );
});
