/** The RQ-VAE's plan and its training loop: what is computed from the options, and what an epoch reports. */
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { readJson } from '../../lib/files/files.js';
import { rowOf, type Vectors } from '../../lib/files/npy.js';
import type { MetricLine } from '../../lib/runs/metric-lines.js';
import { BEST } from '../../lib/sid/choices.js';
import { squaredDistance } from '../../lib/sid/kmeans/distance.js';
import { beats } from '../../lib/sid/rqvae/best-model.js';
import { decodeSums, encodeVectors, type RqVaeModel } from '../../lib/sid/rqvae/model.js';
import { rqVaePlan } from '../../lib/sid/rqvae/options.js';
import { bufferShapes, checkArrays, codebookName, initialArrays, parameterShapes, type RqVaeShape } from '../../lib/sid/rqvae/parameters.js'; // prettier-ignore
import { quantizeForward } from '../../lib/sid/rqvae/quantize.js';
import { rqvae, rqVaeCodes, type RqVaeOptions } from '../../lib/sid/rqvae/rqvae.js';
import { Random } from '../../lib/support/random.js';
import { lrScale } from '../../lib/support/schedule.js';

beforeAll(async () => void (await useEngine()));

function cloud(rows: number, width: number): Vectors {
  const random = new Random(rows);
  return { rows, width, data: Float32Array.from({ length: rows * width }, () => 3 * random.normal()) };
}

describe('the plan', () => {
  const x = cloud(20, 4);
  const plan = (options: RqVaeOptions = {}, residual = false) => rqVaePlan(x, options, 'x.npy', residual);

  test.each([
    [1, 0, 0],
    [2, 1, 0],
    [3, 2, 0],
    [11, 10, 0],
    [12, 10, 1],
    [60, 10, 25],
  ])(
    '%i epochs: %i of a plain autoencoder, dead codes are reset in %i',
    (epochs, autoencoderEpochs, deadCodeEpochs) => {
      expect(plan({ epochs })).toMatchObject({ autoencoderEpochs, deadCodeEpochs });
      expect(plan({ epochs }, true)).toMatchObject({ autoencoderEpochs: 0, deadCodeEpochs: 0 });
    },
  );

  test('widths, scale and epsilons', () => {
    expect(plan()).toMatchObject({ latent: 32, epsilons: [0, 0, 0], run: undefined });
    expect(plan().shape).toEqual({ input: 4, hidden: [2048, 1024, 512, 256, 128, 64], latent: 32, sizes: [8, 8, 8], batchNorm: false, residual: false }); // prettier-ignore
    expect(plan({}, true).shape).toMatchObject({ latent: 4, residual: true });
    const square = x.data.reduce((sum, value) => sum + value * value, 0) / x.data.length;
    expect(plan().scale).toBeCloseTo(1 / Math.sqrt(square), 6);
    expect(plan({ normalize: false }).scale).toBe(1);
    expect(rqVaePlan({ ...x, data: x.data.map(() => 0) }, {}, 'x').scale).toBe(1);
    expect(plan({ sinkhornEpsilon: 0.5 }).epsilons).toEqual([0.5, 0.5, 0.5]);
    expect(plan({ levels: 2, sinkhornEpsilon: [0, 0.25] }).epsilons).toEqual([0, 0.25]);
    expect(plan({ autoencoderEpochs: 4, epochs: 5 })).toMatchObject({ autoencoderEpochs: 4, deadCodeEpochs: 0 });
    expect(plan({ kmeansInit: 'batch', batchSize: 8 }).batchSize).toBe(8);
  });

  test('what cannot be', () => {
    const fails = (options: RqVaeOptions, message: string, residual = false) =>
      expect(() => plan(options, residual)).toThrow(message);
    fails({ autoencoderEpochs: 5, epochs: 5 }, 'sid: expected autoencoderEpochs of at most 4, got 5');
    fails({ sinkhornEpsilon: [0, 0.1] }, 'expected sinkhornEpsilon of 0 or more, one or 3, got 0,0.1');
    fails({ kmeansInit: 'batch', batchSize: 7 }, 'expected batchSize of 8 or more, a row a code to start k-means');
    fails({ latent: 5 }, "sid: expected a latent of 4, the vectors' width, got 5", true);
  });
});

describe('parameters', () => {
  const shape: RqVaeShape = { input: 40, hidden: [60], latent: 30, sizes: [5, 6], batchNorm: true, residual: false };

  test('Xavier: normal, of variance 2 / (in + out); the rest is 0 or 1', () => {
    const arrays = initialArrays(shape, 1);
    for (const [name, { data, shape: dims }] of arrays) {
      const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
      const variance = data.reduce((sum, value) => sum + value * value, 0) / data.length;
      if (dims.length === 2 && !name.startsWith('rq.')) {
        expect(Math.abs(mean), name).toBeLessThan(0.02);
        expect(variance * (dims[0]! + dims[1]!), name).toBeCloseTo(2, 0);
        expect(Math.abs(variance * (dims[0]! + dims[1]!) - 2), name).toBeLessThan(0.2);
      } else {
        const one = /running_var|mlp_layers\.2\.weight/.test(name);
        expect(new Set(data), name).toEqual(new Set([one ? 1 : 0]));
      }
    }
    expect(initialArrays(shape, 1)).toEqual(arrays);
    expect(initialArrays(shape, 2)).not.toEqual(arrays);
  });

  test('Xavier weights are drawn one after the other, in the order of the file', () => {
    const [random, arrays] = [new Random('7/rqvae'), initialArrays(shape, 7)];
    for (const [name, dims] of parameterShapes(shape)) {
      if (dims.length === 1 || name.startsWith('rq.')) continue;
      const deviation = Math.sqrt(2 / (dims[0]! + dims[1]!));
      const wanted = Float32Array.from({ length: dims[0]! * dims[1]! }, () => deviation * random.normal());
      expect(arrays.get(name)!.data, name).toEqual(wanted);
    }
  });

  test('names and shapes, with and without batch normalisation', () => {
    const uneven: RqVaeShape = { input: 9, hidden: [7, 5], latent: 3, sizes: [6, 4], batchNorm: true, residual: false };
    const layer = (name: string, out: number, into: number, norm?: string): [string, number[]][] => [
      [`${name}.weight`, [out, into]],
      [`${name}.bias`, [out]],
      ...['weight', 'bias'].flatMap((of): [string, number[]][] => (norm ? [[`${norm}.${of}`, [out]]] : [])),
    ];
    const [e, d] = ['encoder.mlp_layers', 'decoder.mlp_layers'];
    const books: [string, number[]][] = [0, 1].map((level) => [`rq.vq_layers.${level}.embedding.weight`, [uneven.sizes[level]!, 3]]); // prettier-ignore
    expect([...parameterShapes(uneven)]).toEqual([
      ...[...layer(`${e}.1`, 7, 9, `${e}.2`), ...layer(`${e}.5`, 5, 7, `${e}.6`), ...layer(`${e}.9`, 3, 5)],
      ...[...layer(`${d}.1`, 5, 3, `${d}.2`), ...layer(`${d}.5`, 7, 5, `${d}.6`), ...layer(`${d}.9`, 9, 7), ...books],
    ]);
    const plain = { ...uneven, batchNorm: false };
    expect([...parameterShapes(plain)]).toEqual([
      ...[...layer(`${e}.1`, 7, 9), ...layer(`${e}.4`, 5, 7), ...layer(`${e}.7`, 3, 5)],
      ...[...layer(`${d}.1`, 5, 3), ...layer(`${d}.4`, 7, 5), ...layer(`${d}.7`, 9, 7), ...books],
    ]);
    const running = (norm: string, width: number): [string, number[]][] => [[`${norm}.running_mean`, [width]], [`${norm}.running_var`, [width]]]; // prettier-ignore
    expect([...bufferShapes(uneven)]).toEqual([
      ...[...running(`${e}.2`, 7), ...running(`${e}.6`, 5), ...running(`${d}.2`, 5), ...running(`${d}.6`, 7)],
    ]);
    expect(bufferShapes(plain).size).toBe(0);
  });

  test('a residual shape begins as the identity', () => {
    const square = { ...shape, latent: 40, residual: true, batchNorm: false };
    const model: RqVaeModel = { shape: square, arrays: initialArrays(square, 1), scale: 1 };
    const x = cloud(7, 40);
    expect(encodeVectors(model, x)).toEqual(x);
    expect(decodeSums(model, x)).toEqual(x);
    expect(model.arrays.get('encoder.mlp_layers.1.weight')!.data.some((value) => value !== 0)).toBe(true);
  });

  test('arrays of another shape, or missing, are named', () => {
    const arrays = initialArrays(shape, 1);
    expect(() => checkArrays(shape, arrays, 'x')).not.toThrow();
    arrays.set(codebookName(1), { shape: [6, 31], data: new Float32Array(186) });
    expect(() => checkArrays(shape, arrays, 'x')).toThrow(
      'x: expected rq.vq_layers.1.embedding.weight of shape [6, 30], got [6, 31]; train it again',
    );
    arrays.delete('decoder.mlp_layers.2.running_var');
    expect(() => checkArrays({ ...shape, sizes: [5] }, arrays, 'x')).toThrow('decoder.mlp_layers.2.running_var of shape [60], got none'); // prettier-ignore
  });
});

test('a model encodes and decodes any number of rows as its layers say', () => {
  const shape: RqVaeShape = { input: 3, hidden: [4], latent: 2, sizes: [2], batchNorm: false, residual: false };
  const arrays = initialArrays(shape, 3);
  const random = new Random(4);
  for (const { data } of arrays.values()) data.forEach((_, i) => (data[i] = random.normal()));
  const layer = (name: string, x: number[]): number[] => {
    const [weight, bias] = ['weight', 'bias'].map((of) => arrays.get(`${name}.${of}`)!.data) as [Float32Array, Float32Array]; // prettier-ignore
    return [...bias].map((b, o) => x.reduce((sum, value, i) => sum + weight[o * x.length + i]! * value, b));
  };
  const mlp = (part: string, x: number[]) =>
    layer(
      `${part}.mlp_layers.4`,
      layer(`${part}.mlp_layers.1`, x).map((value) => Math.max(0, value)),
    );
  const model: RqVaeModel = { shape, arrays, scale: 0.5 };
  const x = cloud(8200, 3);
  const latents = encodeVectors(model, x);
  const decoded = decodeSums(model, latents);
  expect([latents.rows, latents.width, decoded.rows, decoded.width]).toEqual([8200, 2, 8200, 3]);
  for (const row of [0, 1, 8191, 8192, 8199]) {
    const z = mlp('encoder', [...rowOf(x, row)].map((value) => value * 0.5)); // prettier-ignore
    z.forEach((value, j) => expect(rowOf(latents, row)[j]).toBeCloseTo(value, 4));
    mlp('decoder', z).forEach((value, j) => expect(rowOf(decoded, row)[j]).toBeCloseTo(value * 2, 3));
  }
});

describe('the better model', () => {
  const old = { epoch: 1, mse: 2, collision: 0.5, utilisation: 0.5 };
  /** By collision and utilisation: [the metric better, the same, worse] x [error lower, the same, higher]. */
  const TABLE = [[true, true, true], [true, false, false], [false, false, false]]; // prettier-ignore
  test.each(BEST)('%s', (name) => {
    expect(beats(name, old, undefined)).toBe(true);
    [-0.1, 0, 0.1].forEach((worse, row) =>
      [1, 2, 3].forEach((mse, column) => {
        const now = { epoch: 2, mse, collision: 0.5 + worse, utilisation: 0.5 - worse };
        const want = { last: true, loss: mse < 2, collision: TABLE[row]![column], utilisation: TABLE[row]![column] };
        expect(beats(name, now, old), `${worse} ${mse}`).toBe(want[name]);
      }),
    );
  });
});

test('codes while training: by Sinkhorn at the levels whose epsilon is above 0, else the nearest', () => {
  const rows = tf.tensor2d(
    cloud(32, 2).data.map((value) => value / 30),
    [32, 2],
  ); // all near the first code
  const book = tf.tensor2d([[0, 0], [1, 0], [0, 1], [1, 1]]); // prettier-ignore
  const used = (epsilons?: number[]) =>
    tf.tidy(() => {
      const assignment = epsilons && { epsilons, iterations: 100 };
      const { tape } = quantizeForward(rows, [book, book], 0.25, assignment);
      return tape.codes.map((codes) => new Set(codes.dataSync()).size);
    });
  expect([used(), used([0, 0]), used([0.003, 0])]).toEqual([[1, 1], [1, 1], [4, expect.any(Number)]]); // prettier-ignore
  expect(used([0, 0.003])).toEqual([1, 4]);
  tf.dispose([rows, book]);
});

describe('training', () => {
  const x = cloud(22, 5);
  const small: RqVaeOptions = {
    ...{ hidden: [12], latent: 3, codebookSize: [6, 5], epochs: 7, batchSize: 8, evalEpochs: 3, autoencoderEpochs: 2 },
    ...{ quantLossWeight: 0.5, learningRate: 0.02, warmupEpochs: 2, collisions: 'keep' },
  };
  const train = async (options: RqVaeOptions = {}) => {
    let lines: readonly MetricLine[] = [];
    const found = await rqvae(x, { ...small, onLog: (all) => (lines = all), ...options });
    return { found, lines };
  };

  test.each(['linear', 'cosine', 'constant'] as const)(
    'an epoch is every item once; the rate is of its last step: %s',
    async (schedule) => {
      const { found, lines } = await train({ schedule });
      expect(found.steps).toBe(7 * 3); // 22 items in batches of 8
      expect(lines.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6, 7]);
      lines.forEach(({ rate }, i) => expect(rate).toBe(0.02 * lrScale(schedule, 3 * (i + 1), 6, 21)));
    },
  );

  test('dropout, Sinkhorn and weight decay each change what is trained, batch normalisation and commitment too', async () => {
    const losses = async (options: RqVaeOptions) => (await train(options)).lines.map(({ loss }) => loss);
    const plain = await losses({});
    expect(await losses({ dropout: 0, sinkhornEpsilon: 0, weightDecay: 0 })).toEqual(plain);
    for (const options of [
      { dropout: 0.4 },
      { sinkhornEpsilon: [0, 0.01] },
      { weightDecay: 0.1 },
      { batchNorm: true },
      { commitment: 2 },
      { maxGradNorm: 0.01 },
      { seed: 1 },
      { kmeansInit: 'batch' as const },
    ]) {
      expect(await losses(options), JSON.stringify(options)).not.toEqual(plain);
    }
  });

  test('the loss is its two parts, and the first epochs have one', async () => {
    const { lines } = await train();
    for (const { step, loss, reconstruction, quantizer } of lines) {
      expect(loss).toBeCloseTo(reconstruction! + 0.5 * quantizer!, 5);
      if (step <= 2) expect(quantizer).toBe(0);
      else expect(quantizer).toBeGreaterThan(0);
    }
  });

  test.each([
    [{}, [3, 6, 7]],
    [{ autoencoderEpochs: 3 }, [6, 7]],
    [{ autoencoderEpochs: 6 }, [7]],
    [{ epochs: 6 }, [3, 6]],
    [{ evalEpochs: 1, autoencoderEpochs: 0, epochs: 3 }, [1, 2, 3]],
  ])('evaluated every so many epochs that quantize, and after the last: %o', async (options, epochs) => {
    const { lines } = await train(options);
    expect(lines.flatMap(({ step, mse }) => (mse === undefined ? [] : [step]))).toEqual(epochs);
    for (const metric of ['collision', 'utilisation']) {
      expect(lines.flatMap((line) => (line[metric] === undefined ? [] : [line.step]))).toEqual(epochs);
    }
  });

  test('metrics are of the vectors as they were given, and of the model that is kept', async () => {
    const { found, lines } = await train({ best: 'last' });
    const last = lines.at(-1)!;
    expect(found.epoch).toBe(7);
    expect(last.mse).toBeCloseTo(found.rawMse, 6);
    expect(last.collision).toBe(found.collision.raw);
    expect(last.utilisation).toBe(found.codesUsed.reduce((sum, used) => sum + used, 0) / 11);
    const sums = { rows: 22, width: 3, data: new Float32Array(66) };
    found.codes.forEach((path, i) =>
      path.forEach((code, level) => {
        const row = rowOf(found.codebooks[level]!, code);
        row.forEach((value, j) => (sums.data[i * 3 + j]! += value));
      }),
    );
    expect(squaredDistance(decodeSums(found.model, sums).data, x.data) / 110).toBeCloseTo(found.mse, 5);
    expect(encodeVectors(found.model, x).data).toEqual(found.latents.data);
    expect(rqVaeCodes(found.model, x).codes).toEqual(found.codes);
  });

  test('the model that k-means began from is evaluated too, and kept where training makes it worse', async () => {
    const { found, lines } = await train({ learningRate: 9, schedule: 'constant', warmupEpochs: 0, maxGradNorm: 0 });
    expect(found.epoch).toBe(2);
    expect(found.rawMse).toBeLessThan(lines.at(-1)!.mse!);
  });

  test('one step of one batch: resets of dead codes are counted in the epochs that ask for them', async () => {
    const reset = async (options: RqVaeOptions) =>
      (await train(options)).lines.flatMap(({ step, resetCodes }) => (resetCodes === undefined ? [] : [step]));
    expect(await reset({ deadCodeEpochs: 2 })).toEqual([3, 4]);
    expect(await reset({ deadCodeEpochs: 0 })).toEqual([]);
    expect(await reset({})).toEqual([3, 4]); // half of five
  });

  test('a run says what it was, but not where results go or which model is taken', async () => {
    const run = join(mkdtempSync(join(tmpdir(), 'rqvae-run-')), 'run');
    const { found } = await train({ run });
    const config = readJson<Record<string, unknown>>(join(run, 'config.json'));
    for (const name of ['epochs', 'seed', 'shape', 'scale', 'vectors', 'dropout']) expect(config).toHaveProperty(name);
    for (const name of ['run', 'onLog', 'collisions', 'best']) expect(config).not.toHaveProperty(name);
    expect(BEST.map((name) => existsSync(join(run, `best-${name}`)))).toEqual([true, true, true, false]);
    for (const best of ['collision', 'utilisation'] as const) {
      const other = await train({ run, best, collisions: 'rank' });
      expect(other.found.steps).toBe(found.steps);
      expect(other.found.trainSeconds).toBeGreaterThan(0);
    }
    await expect(train({ run, best: 'last' })).rejects.toThrow(`sid: the best model by last is lost; remove ${run}`);
  });
});
