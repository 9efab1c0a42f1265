/** Options of the RQ-VAE's training: they train, say what they measure, resume on the same bits, keep checkpoints. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { useEngine } from '../../../lib/engine/engine.js';
import type { Vectors } from '../../../lib/files/npy.js';
import type { MetricLine } from '../../../lib/runs/metric-lines.js';
import { bestEpochs, RqVaeCheckpoints } from '../../../lib/sid/rqvae/checkpoint.js';
import { codebookName } from '../../../lib/sid/rqvae/parameters.js';
import { rqvae, type RqVaeOptions } from '../../../lib/sid/rqvae/rqvae.js';
import { Random } from '../../../lib/support/random.js';

beforeAll(async () => void (await useEngine()));

const random = new Random(8);
const x: Vectors = { rows: 24, width: 4, data: Float32Array.from({ length: 96 }, () => random.normal()) };
const small: RqVaeOptions = {
  ...{ hidden: [6], latent: 3, codebookSize: [4, 3], epochs: 5, batchSize: 12, evalEpochs: 1, autoencoderEpochs: 1 },
  ...{ learningRate: 0.02, warmupEpochs: 0, collisions: 'keep', deadCodeEpochs: 1, best: 'last' },
};

async function train(options: RqVaeOptions = {}) {
  let lines: readonly MetricLine[] = [];
  const found = await rqvae(x, { ...small, onLog: (all) => (lines = all), ...options });
  return { found, lines };
}

/** Losses without any of the options. */
let plain: (number | undefined)[] | undefined;

const variants: [string, RqVaeOptions, string[]][] = [
  ['absolute error', { reconstructionLoss: 'l1' }, []],
  ['plain gradient descent', { optimizer: 'sgd' }, []],
  ['rotation', { estimator: 'rotation' }, []],
  ['gumbel', { estimator: 'gumbel', gumbelTemperature: 0.5 }, []],
  ['running means', { codebookUpdate: 'ema', emaDecay: 0.8 }, []],
  ['balance', { balanceWeight: 0.1, balanceTemperature: 0.5 }, ['balance']],
  ['uniform codebooks', { kmeansInit: 'none' }, []],
];

test.each(variants)('%s changes what is trained, and resumes on the same bits', async (_, options, terms) => {
  plain ??= (await train()).lines.map(({ loss }) => loss);
  const whole = await train(options);
  expect(whole.lines.map(({ loss }) => loss)).not.toEqual(plain);
  const last = whole.lines.at(-1)!;
  expect(Object.keys(last)).toEqual(expect.arrayContaining(['utilisation/a', 'utilisation/b', ...terms]));
  expect((4 * last['utilisation/a']! + 3 * last['utilisation/b']!) / 7).toBeCloseTo(last.utilisation!, 9);
  const run = mkdtempSync(join(tmpdir(), 'rqvae-options-'));
  const killed = (lines: readonly MetricLine[]): void => {
    if (lines.at(-1)!.step === 3) throw new Error('killed');
  };
  await expect(rqvae(x, { ...small, ...options, run, onLog: killed })).rejects.toThrow('killed');
  const again = await rqvae(x, { ...small, ...options, run });
  for (const [name, { data }] of whole.found.model.arrays)
    expect(again.model.arrays.get(name)!.data, name).toEqual(data);
  rmSync(run, { recursive: true });
});

test('uniform codebooks lie within 1 / K of 0 before anything is trained', async () => {
  const { found } = await train({ kmeansInit: 'none', learningRate: 1e-9, epochs: 2, deadCodeEpochs: 0 });
  for (const [level, codes] of [4, 3].entries()) {
    const { data } = found.model.arrays.get(codebookName(level))!;
    expect(Math.max(...data)).toBeLessThanOrEqual(1 / codes + 1e-6);
    expect(Math.min(...data)).toBeGreaterThanOrEqual(-1 / codes - 1e-6);
    expect(Math.max(...data.map(Math.abs))).toBeGreaterThan(0.5 / codes);
  }
});

test('gumbel and running means do not go together', async () => {
  await expect(train({ estimator: 'gumbel', codebookUpdate: 'ema' })).rejects.toThrow(
    'sid: expected codebookUpdate gradient with estimator gumbel',
  );
});

const line = (step: number, mse: number, collision: number): MetricLine => ({ step, mse, collision, utilisation: 0.5 });

test('the best epochs, by any metric; ties to the smaller error, then the earlier', () => {
  const lines = [line(1, 3, 0.2), { step: 2, loss: 1 }, line(3, 2, 0.3), line(4, 1, 0.3), line(5, 2, 0.1)];
  expect(bestEpochs(lines, 'loss', 2)).toEqual([4, 3]);
  expect(bestEpochs(lines, 'loss', 9)).toEqual([4, 3, 5, 1]);
  expect(bestEpochs(lines, 'collision', 3)).toEqual([5, 1, 4]);
  expect(bestEpochs(lines, 'last', 2)).toEqual([5, 4]);
  expect(bestEpochs(lines, 'loss', 0)).toEqual([]);
});

test.each([
  [0, [7]],
  [1, [2, 7]],
  [2, [1, 2, 6, 7]],
])('keep %i: the newest and the best checkpoints stay', (count, epochs) => {
  const run = mkdtempSync(join(tmpdir(), 'rqvae-keep-'));
  const folder = new RqVaeCheckpoints(run, {}, { count, best: 'loss' });
  [2, 1, 3, 4, 5, 6, 7].forEach((mse, i) => {
    const state = { epoch: i + 1, step: i, seconds: 0, random: new Random(1).save(), best: {} };
    folder.log(line(i + 1, mse, 0));
    folder.save({ state, parameters: new Map(), optimizer: new Map() });
  });
  const kept = readdirSync(run).flatMap((name) => /^checkpoint-(\d)$/.exec(name)?.[1] ?? []);
  expect(kept.map(Number).sort()).toEqual(epochs);
  expect(folder.load()!.state.epoch).toBe(7);
  rmSync(run, { recursive: true });
});

test('by default the newest checkpoint stays alone; what was logged after it, or without one, goes', () => {
  const run = mkdtempSync(join(tmpdir(), 'rqvae-keep-'));
  const opened = () => new RqVaeCheckpoints(run, {});
  const logged = (epoch: number): RqVaeCheckpoints => {
    const folder = opened();
    folder.log(line(epoch, epoch, 0));
    return folder;
  };
  logged(1);
  expect(opened().lines).toEqual([]);
  expect(opened().load()).toBeUndefined();
  for (const epoch of [1, 2, 3]) {
    const state = { epoch, step: epoch, seconds: 0, random: new Random(1).save(), best: {} };
    logged(epoch).save({ state, parameters: new Map(), optimizer: new Map() });
  }
  logged(4);
  expect(readdirSync(run).filter((name) => name.startsWith('checkpoint-'))).toEqual(['checkpoint-3']); // 1 is the best
  expect(opened().lines.map(({ step }) => step)).toEqual([1, 2, 3]);
  expect(opened().load()!.state).toMatchObject({ epoch: 3, step: 3 });
  expect([opened().best('loss'), new RqVaeCheckpoints(undefined, {}).best('loss')]).toEqual([undefined, undefined]);
  rmSync(run, { recursive: true });
});

test('of several checkpoints the last is gone on from', () => {
  const run = mkdtempSync(join(tmpdir(), 'rqvae-keep-'));
  const folder = new RqVaeCheckpoints(run, {}, { count: 3, best: 'last' });
  for (const epoch of [1, 2, 3]) {
    const state = { epoch, step: epoch, seconds: 0, random: new Random(1).save(), best: {} };
    folder.log(line(epoch, epoch, 0));
    folder.save({ state, parameters: new Map(), optimizer: new Map() });
  }
  folder.log(line(4, 4, 0));
  const again = new RqVaeCheckpoints(run, {}, { count: 3, best: 'last' });
  expect(again.load()!.state.epoch).toBe(3);
  expect(again.lines.map(({ step }) => step)).toEqual([1, 2, 3]);
  rmSync(run, { recursive: true });
});
