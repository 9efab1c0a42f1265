import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import type { Vectors } from '../../lib/files/npy.js';
import { readMetrics } from '../../lib/runs/metric-lines.js';
import { Optimizer } from '../../lib/sid/rqvae/optimizer.js';
import {
  bufferShapes,
  fromVariables,
  parameterShapes,
  type RqVaeShape,
  toVariables,
} from '../../lib/sid/rqvae/parameters.js';
import { rqvae, rqVaeCodes, type RqVaeOptions } from '../../lib/sid/rqvae/rqvae.js';
import { balancedCodes } from '../../lib/sid/rqvae/sinkhorn.js';
import { ScaledRows } from '../../lib/sid/rqvae/scaled-rows.js';
import { evaluate, lossAndGradients } from '../../lib/sid/rqvae/step.js';
import { Random } from '../../lib/support/random.js';

beforeAll(async () => void (await useEngine()));

interface Golden {
  width: number;
  hidden: number[];
  sizes: number[];
  rows: number;
  weight: number;
  commitment: number;
  clip: number;
  rate: number;
  decay: number;
  cases: {
    kind: string;
    latent: number;
    x: number[];
    before: Record<string, number[]>;
    codes: number[][];
    losses: number[];
    gradients: Record<string, number[]>;
    after: Record<string, number[]>;
    'reconstruction after': number;
  }[];
}

const golden = JSON.parse(readFileSync('test/golden/rqvae.json', 'utf8')) as Golden;

/** Groups of rows around centres, so that codes have something to find. */
function clouds(rows: number, width: number, groups: number, seed = 1): Vectors {
  const random = new Random(seed);
  const centres = Array.from({ length: groups * width }, () => random.normal());
  const data = Float32Array.from({ length: rows * width }, (_, at) => {
    const [row, column] = [Math.floor(at / width), at % width];
    return centres[(row % groups) * width + column]! + 0.2 * random.normal();
  });
  return { rows, width, data };
}

const small: RqVaeOptions = {
  hidden: [16],
  latent: 4,
  codebookSize: 8,
  epochs: 12,
  batchSize: 16,
  evalEpochs: 4,
  autoencoderEpochs: 3,
};

describe.each(golden.cases)('against PyTorch: $kind', (given) => {
  const shape: RqVaeShape = {
    input: golden.width,
    hidden: golden.hidden,
    latent: given.latent,
    sizes: golden.sizes,
    batchNorm: given.kind === 'batch norm',
    residual: given.kind === 'residual',
  };
  const shapes = new Map([...parameterShapes(shape), ...bufferShapes(shape)]);
  const rows = new ScaledRows({ rows: golden.rows, width: golden.width, data: Float32Array.from(given.x) });
  const arrays = new Map(
    [...shapes].map(([name, dims]) => [name, { shape: dims, data: Float32Array.from(given.before[name]!) }]),
  );

  test('loss, every gradient, one step', () => {
    const before = tf.memory().numTensors;
    const variables = toVariables(arrays);
    const x = rows.tensor();
    const { losses, gradients } = lossAndGradients(shape, variables, x, {
      quantLossWeight: golden.weight,
      commitment: golden.commitment,
    });
    const near = (name: string, got: ArrayLike<number>, want: number[]): void => {
      const worst = want.reduce((most, value, i) => Math.max(most, Math.abs(value - got[i]!)), 0);
      expect(worst, name).toBeLessThan(2e-6);
      expect(got.length, name).toBe(want.length);
    };
    near('losses', losses.dataSync(), given.losses);
    expect([...gradients.keys()].sort()).toEqual(Object.keys(given.gradients).sort());
    for (const [name, want] of Object.entries(given.gradients)) near(name, gradients.get(name)!.dataSync(), want);
    const trained = new Map([...parameterShapes(shape).keys()].map((name) => [name, variables.get(name)!]));
    const optimizer = new Optimizer(trained);
    optimizer.apply(gradients, { rate: golden.rate, maxGradNorm: golden.clip, weightDecay: golden.decay });
    const after = fromVariables(variables);
    expect([...after.keys()].sort()).toEqual(Object.keys(given.after).sort());
    for (const [name, want] of Object.entries(given.after)) {
      // Batch normalisation takes off what a bias adds: its gradient is 0 but for rounding, which Adam makes a step of.
      if (shape.batchNorm && given.gradients[name]?.every((g) => Math.abs(g) < 1e-6)) continue;
      near(`${name} after`, after.get(name)!.data, want);
    }
    expect(evaluate(shape, variables, rows).mse).toBeCloseTo(given['reconstruction after'], shape.batchNorm ? 3 : 5);
    optimizer.dispose();
    tf.dispose([losses, x, ...gradients.values(), ...variables.values()]);
    expect(tf.memory().numTensors).toBe(before);
  });

  test('codes', () => {
    if (shape.batchNorm) return; // PyTorch's codes here are those of the batch's own figures
    const variables = toVariables(arrays);
    expect(evaluate(shape, variables, rows).codes).toEqual(given.codes);
    tf.dispose([...variables.values()]);
  });
});

test('vectors -> codes: every item its own, error falls, later items get the same codes', async () => {
  const x = clouds(60, 10, 12);
  const before = tf.memory().numTensors;
  const lines: number[] = [];
  const longer = { epochs: 40, learningRate: 1e-2 };
  const found = await rqvae(x, { ...small, ...longer, onLog: (all) => lines.push(all.at(-1)!.loss!) });
  expect(tf.memory().numTensors).toBe(before);
  expect(new Set(found.codes.map(String)).size).toBe(60);
  expect(found.collision.final).toBe(0);
  expect(found.codebooks.map(({ rows, width }) => [rows, width])).toEqual([[8, 4], [8, 4], [8, 4]]); // prettier-ignore
  expect(lines).toHaveLength(40);
  expect(lines.at(-1)!).toBeLessThan(0.6 * lines[0]!);
  const variance = x.data.reduce((sum, value) => sum + value * value, 0) / x.data.length;
  expect(found.rawMse).toBeLessThan(0.5 * variance);
  expect(rqVaeCodes(found.model, x).mse).toBe(found.rawMse);
  const kept = await rqvae(x, { ...small, ...longer, collisions: 'keep' });
  expect(kept.codes).toEqual(rqVaeCodes(found.model, x).codes);
  expect(kept.mse).toBeCloseTo(found.rawMse, 6);
});

test('levels of different sizes, dropout, batch norm, Sinkhorn, one item', async () => {
  const x = clouds(40, 6, 8);
  const all = { ...small, codebookSize: [4, 8, 6, 2], dropout: 0.2, batchNorm: true, sinkhornEpsilon: [0, 0, 0, 0.01] };
  const found = await rqvae(x, { ...all, schedule: 'constant', weightDecay: 0.01, best: 'collision' });
  expect(found.codebooks.map((book) => book.rows)).toEqual([4, 8, 6, 2]);
  expect(found.collision.final).toBe(0);
  const one = await rqvae(clouds(1, 6, 1), { hidden: [4], latent: 2, epochs: 2 });
  expect(one.codes).toEqual([[0, 0, 0]]);
});

test('Sinkhorn deals 32 equal rows out over 4 codes as evenly as the nearest code does not', () => {
  const random = new Random(3);
  const rows = tf.tensor2d(
    Float32Array.from({ length: 64 }, () => 0.1 * random.normal()),
    [32, 2],
  );
  const books = tf.tensor2d([[0, 0], [1, 0], [0, 1], [1, 1]]); // prettier-ignore
  const closeness = tf.tidy(() => tf.sub(tf.mul(tf.matMul(rows, books, false, true), 2), tf.sum(tf.square(books), 1)));
  const counts = (codes: ArrayLike<number>) => [0, 1, 2, 3].map((k) => Array.from(codes).filter((c) => c === k).length);
  expect(counts(tf.argMax(closeness as tf.Tensor2D, 1).dataSync())).toEqual([32, 0, 0, 0]);
  const dealt = counts(balancedCodes(closeness as tf.Tensor2D, rows, 0.003, 100).dataSync());
  for (const count of dealt) expect(Math.abs(count - 8)).toBeLessThanOrEqual(2);
});

/**
 * LC-Rec's `sinkhorn_algorithm` word for word, in float64 products: exp(-distance / epsilon), then in every iteration
 * each item's shares over codes to 1 / B, then each code's over items to 1 / K.
 */
function referenceCodes(rows: readonly number[][], books: readonly number[][], epsilon: number, iterations: number) {
  const square = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, j) => sum + (x - b[j]!) ** 2, 0);
  const distances = rows.map((row) => books.map((book) => square(row, book)));
  const [low, high] = [Math.min(...distances.flat()), Math.max(...distances.flat())];
  const middle = (high + low) / 2;
  const q = distances.map((row) => row.map((d) => Math.exp(-(d - middle) / (high - middle + 1e-5) / epsilon)));
  for (let iteration = 0; iteration < iterations; iteration++) {
    for (const row of q) {
      const sum = row.reduce((a, b) => a + b, 0);
      row.forEach((share, k) => (row[k] = share / sum / rows.length));
    }
    books.forEach((_, k) => {
      const sum = q.reduce((total, row) => total + row[k]!, 0);
      for (const row of q) row[k] = row[k]! / sum / books.length;
    });
  }
  return q.map((row) => row.indexOf(Math.max(...row)));
}

test.each([
  [1, 1],
  [2, 1],
  [3, 1],
  [50, 1],
  [2, 0.002],
])("LC-Rec's Sinkhorn codes after %i iterations, numbers of a size of %d", (iterations, size) => {
  for (let seed = 0; seed < 8; seed++) {
    const random = new Random(seed);
    const draw = (count: number) => Array.from({ length: count }, () => [size * random.normal(), size * (random.normal() + 0.5)]); // prettier-ignore
    const [rows, books] = [draw(24), draw(6)];
    const found = tf.tidy(() => {
      const [r, c] = [tf.tensor2d(rows), tf.tensor2d(books)];
      const closeness = tf.sub<tf.Tensor2D>(tf.mul(tf.matMul(r, c, false, true), 2), tf.sum(tf.square(c), 1));
      return balancedCodes(closeness, r, 0.3, iterations);
    });
    expect([...found.dataSync()], `seed ${seed}`).toEqual(referenceCodes(rows, books, 0.3, iterations));
    found.dispose();
  }
});

test('a run that is stopped ends on the same bits as one that is not', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'rqvae-'));
  const x = clouds(50, 8, 10);
  const options: RqVaeOptions = { ...small, dropout: 0.1, epochs: 16 };
  const whole = await rqvae(x, { ...options, run: join(folder, 'whole') });
  const stopped = { ...options, run: join(folder, 'stopped') };
  // SIGINT in the middle of epoch 6: saved there; then a kill in epoch 10, which is resumed from the checkpoint of epoch 8.
  await expect(rqvae(x, { ...stopped, onLog: at(6, () => void process.emit('SIGINT')) })).rejects.toThrow(
    /interrupted after epoch 6; saved in .*stopped, run it again to resume/,
  );
  const killed = at(10, () => {
    throw new Error('killed');
  });
  await expect(rqvae(x, { ...stopped, onLog: killed })).rejects.toThrow('killed');
  const again = await rqvae(x, stopped);
  expect(again.codes).toEqual(whole.codes);
  for (const [name, { data }] of whole.model.arrays) expect(again.model.arrays.get(name)!.data).toEqual(data);
  const losses = (run: string) =>
    readMetrics(join(folder, run, 'metrics.jsonl')).map(({ step, loss, mse }) => [step, loss, mse]);
  expect(losses('stopped')).toEqual(losses('whole'));
  expect(['loss', 'collision', 'utilisation'].every((best) => existsSync(join(folder, 'whole', `best-${best}`)))).toBe(
    true,
  );
  await expect(rqvae(x, { ...options, learningRate: 0.5, run: join(folder, 'whole') })).rejects.toThrow(
    /another configuration \(learningRate is 0.001 there, 0.5 here\)/,
  );
  await expect(rqvae(clouds(50, 8, 9), { ...options, run: join(folder, 'whole') })).rejects.toThrow(
    /another configuration \(vectors/,
  );
});

function at(epoch: number, act: () => void): RqVaeOptions['onLog'] {
  return (lines) => {
    if (lines.at(-1)!.step === epoch) act();
  };
}

describe('bad input says where and what to do', () => {
  const x = clouds(20, 4, 4);
  const cases: [string, RqVaeOptions, string][] = [
    ['more codes than items', { codebookSize: 21 }, 'expected a codebook size from 1 to 20'],
    ['more items than SIDs', { codebookSize: 2 }, 'expected at most 8 items for 2 x 2 x 2 codes, got 20'],
    ['no epochs', { epochs: 0 }, 'expected epochs to be a whole number of 1 or more, got 0'],
    ['half a batch', { batchSize: 2.5 }, 'expected batchSize to be a whole number of 1 or more, got 2.5'],
    ['a rate of 0', { learningRate: 0 }, 'expected learningRate to be a number above 0, below 10, got 0'],
    ['dropout of everything', { dropout: 1 }, 'expected dropout to be a number of 0 or more, below 1, got 1'],
    ['a layer of 0', { hidden: [8, 0] }, 'expected hidden to be whole numbers of 1 or more, got [8,0]'],
    [
      'epsilons of other levels',
      { sinkhornEpsilon: [0.1] },
      'expected sinkhornEpsilon of 0 or more, one or 3, got 0.1',
    ],
    [
      'an unknown best',
      { best: 'luck' as 'loss' },
      'expected best to be one of loss, collision, utilisation, last, got "luck"',
    ],
    ['a small first batch', { kmeansInit: 'batch', batchSize: 4 }, 'expected batchSize of 8 or more'],
  ];
  test.each(cases)('%s', async (_, options, message) => {
    await expect(rqvae(x, options)).rejects.toThrow(message);
  });

  test('rows that are not finite, no rows', async () => {
    await expect(rqvae({ ...x, data: x.data.with(9, NaN) }, {}, 'x.npy')).rejects.toThrow(
      'x.npy: row 2, column 1 is NaN; embed the items anew',
    );
    await expect(rqvae({ rows: 0, width: 4, data: new Float32Array() }, {})).rejects.toThrow('got none');
  });

  test('a loss that is not finite', async () => {
    const huge = { ...x, data: x.data.map((value) => value * 1e30) };
    await expect(rqvae(huge, { ...small, normalize: false, collisions: 'keep' })).rejects.toThrow(
      /loss is not finite.*lower --learning-rate/,
    );
  });
});

test('constant vectors, duplicates by the hundred', async () => {
  const constant = { rows: 30, width: 4, data: new Float32Array(120).fill(0.5) };
  const same = await rqvae(constant, { ...small, epochs: 5 });
  expect(same.collision).toEqual({ raw: 29 / 30, final: 0 });
  const few = clouds(5, 4, 5);
  const data = Float32Array.from({ length: 300 * 4 }, (_, i) => few.data[i % 20]!);
  const many = await rqvae({ rows: 300, width: 4, data }, { ...small, epochs: 5 });
  expect(many.collision.final).toBe(0);
  expect(many.collision.raw).toBeGreaterThan(0.98);
});
