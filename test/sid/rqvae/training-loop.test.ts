/** The RQ-VAE's training loop against a second one, written straight on: the same log, and the same bits in the end. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { useEngine } from '../../../lib/engine/engine.js';
import { readJson } from '../../../lib/files/files.js';
import { rowOf, type Vectors } from '../../../lib/files/npy.js';
import { dropoutMask } from '../../../lib/ops/dropout.js';
import type { MetricLine } from '../../../lib/runs/metric-lines.js';
import { codeUsage, collisionRate } from '../../../lib/sid/quantized.js';
import { BatchTerms, type LetterTerms } from '../../../lib/sid/rqvae/batch-terms.js';
import type { RqVaeState } from '../../../lib/sid/rqvae/checkpoint.js';
import { resetDeadCodes } from '../../../lib/sid/rqvae/dead-codes.js';
import { EmaCodebooks } from '../../../lib/sid/rqvae/ema-codebooks.js';
import { initCodebooks, initialRqVae } from '../../../lib/sid/rqvae/init.js';
import { Optimizer } from '../../../lib/sid/rqvae/optimizer.js';
import { rqVaePlan, type RqVaePlan } from '../../../lib/sid/rqvae/options.js';
import { codebookName, fromVariables, parameterShapes, toVariables } from '../../../lib/sid/rqvae/parameters.js';
import type { RqVaeOptions } from '../../../lib/sid/rqvae/rqvae.js';
import { ScaledRows } from '../../../lib/sid/rqvae/scaled-rows.js';
import { evaluate, lossAndGradients } from '../../../lib/sid/rqvae/step.js';
import { trainRqVae, type TrainRqVaeOptions } from '../../../lib/sid/rqvae/train.js';
import { setProgressSink } from '../../../lib/support/progress.js';
import { Random } from '../../../lib/support/random.js';
import { lrScale } from '../../../lib/support/schedule.js';

beforeAll(async () => void (await useEngine()));

function cloud(rows: number, width: number): Vectors {
  const random = new Random('loop');
  return { rows, width, data: Float32Array.from({ length: rows * width }, () => 3 * random.normal()) };
}

const x = cloud(22, 4);
const small: RqVaeOptions = {
  ...{ hidden: [6], latent: 3, codebookSize: [7, 6], levels: 2, epochs: 6, batchSize: 8, evalEpochs: 2, best: 'last' },
  ...{ autoencoderEpochs: 1, deadCodeEpochs: 3, learningRate: 0.03, warmupEpochs: 2, collisions: 'keep', seed: 5 },
};

/** @returns lines of the log without their seconds, and the last parameters */
function plainTraining(plan: RqVaePlan, { codebooks, letter }: TrainRqVaeOptions) {
  const { shape, epochs, batchSize, autoencoderEpochs, seed, scale } = plan;
  const random = new Random(`${seed}/dropout`);
  const rows = new ScaledRows(x, scale);
  const variables = toVariables(initialRqVae(plan, codebooks));
  const books = new Map(shape.sizes.map((_, level) => [codebookName(level), variables.get(codebookName(level))!]));
  const ema = plan.codebookUpdate === 'ema' ? new EmaCodebooks(books, plan.emaDecay) : undefined;
  const trained = [...parameterShapes(shape).keys()].filter((name) => ema === undefined || !name.startsWith('rq.'));
  const optimizer = new Optimizer(new Map(trained.map((name) => [name, variables.get(name)!])), plan.optimizer);
  const terms = new BatchTerms(plan, letter);
  let step = 0;
  const lines = Array.from({ length: epochs }, (_, epoch): MetricLine => {
    const rest = new Random(`${seed}/epoch/${epoch}`).shuffle([...Array(x.rows).keys()]);
    const batches: number[][] = [];
    while (rest.length > 0) batches.push(rest.splice(0, batchSize));
    const quantize = epoch >= autoencoderEpochs;
    if (epoch === autoencoderEpochs && codebooks === undefined) {
      initCodebooks(plan, rows, batches[0]!, variables);
      ema?.anchor();
    }
    if (quantize) terms.beginEpoch(epoch, variables);
    let rate = NaN;
    let names: string[] = [];
    const sums = tf.tidy(() => {
      const losses = batches.map((batch) => {
        step++;
        rate = plan.learningRate * lrScale(plan.schedule, step, plan.warmupEpochs * batches.length, epochs * batches.length); // prettier-ignore
        const values = batch.flatMap((row) => [...rowOf(x, row)]);
        const own = quantize ? terms.of(batch, random) : undefined;
        const found = lossAndGradients(shape, variables, tf.mul(tf.tensor2d(values, [batch.length, x.width]), scale), {
          ...{ quantize, ema: ema !== undefined, quantLossWeight: plan.quantLossWeight, commitment: plan.commitment },
          reconstructionLoss: plan.reconstructionLoss,
          assignment: { epsilons: plan.epsilons, iterations: plan.sinkhornIterations },
          ...(own && { terms: own }),
          ...(plan.dropout > 0 && {
            maskOf: ([b, d]: [number, number]) => tf.tensor2d(dropoutMask(random, b * d, plan.dropout), [b, d]),
          }),
        });
        optimizer.apply(found.gradients, { rate, maxGradNorm: plan.maxGradNorm, weightDecay: plan.weightDecay });
        found.levels.forEach(({ codes, residuals }, level) => ema!.update(codebookName(level), codes, residuals));
        tf.dispose([...found.gradients.values(), ...found.levels.flatMap((level) => Object.values(level))]);
        names = found.terms;
        return found.losses;
      });
      return tf.mean(tf.stack(losses), 0);
    });
    const [loss, reconstruction, quantizer, ...extra] = sums.dataSync();
    sums.dispose();
    const line: MetricLine = { step: epoch + 1, loss: loss!, reconstruction: reconstruction!, quantizer: quantizer!, rate }; // prettier-ignore
    names.forEach((name, i) => (line[name] = extra[i]!));
    if (quantize && epoch < autoencoderEpochs + plan.deadCodeEpochs) {
      const counts = resetDeadCodes(shape, variables, rows, new Random(`${seed}/reseed/${epoch + 1}`));
      line.resetCodes = counts.reduce((sum, count) => sum + count, 0);
      if (line.resetCodes > 0) ema?.anchor();
    }
    if (!quantize || ((epoch + 1) % plan.evalEpochs !== 0 && epoch + 1 < epochs)) return line;
    const { mse, codes } = evaluate(shape, variables, rows);
    const { codesUsed } = codeUsage(codes, shape.sizes);
    const total = (of: readonly number[]): number => of.reduce((sum, count) => sum + count, 0);
    Object.assign(line, { mse: mse / scale / scale, collision: collisionRate(codes) });
    line.utilisation = total(codesUsed) / total(shape.sizes);
    codesUsed.forEach((used, level) => (line[`utilisation/${'abc'[level]!}`] = used / shape.sizes[level]!));
    return line;
  });
  const arrays = fromVariables(variables);
  optimizer.dispose();
  ema?.dispose();
  tf.dispose([...variables.values()]);
  return { lines, arrays };
}

const books = [7, 6].map((rows): Vectors => ({ rows, width: 3, data: cloud(rows, 3).data.map((value) => value / 3) }));
const near = { ...cloud(22, 3), data: cloud(22, 3).data.map((value) => value / 3) };
const letter: LetterTerms = { collaborative: near, collaborativeWeight: 0.3, diversityWeight: 0.2, diversityClusters: 2 }; // prettier-ignore

const cases: [string, RqVaeOptions, TrainRqVaeOptions][] = [
  ['as it is', { seed: 1 }, {}],
  ['dropout, batch normalisation, weight decay', { dropout: 0.3, batchNorm: true, weightDecay: 0.1, schedule: 'cosine' }, {}], // prettier-ignore
  ['k-means on the first batch, absolute error', { kmeansInit: 'batch', reconstructionLoss: 'l1', autoencoderEpochs: 0, epochs: 3 }, {}], // prettier-ignore
  ['running means; none, one and two codes reset', { codebookUpdate: 'ema', emaDecay: 0.2, batchSize: 4, deadCodeEpochs: 5, seed: 2 }, {}], // prettier-ignore
  ['noise, which dropout draws from too', { estimator: 'gumbel', dropout: 0.2, optimizer: 'sgd' }, {}],
  ['Sinkhorn, balance', { sinkhornEpsilon: [0, 0.1], sinkhornIterations: 5, balanceWeight: 0.2 }, {}],
  ['codebooks to start from', { autoencoderEpochs: 1, deadCodeEpochs: 1, epochs: 3 }, { codebooks: books }],
  ['terms of LETTER', { epochs: 3 }, { letter }],
];

describe.each(cases)('%s', (_, own, options) => {
  test('log and parameters', async () => {
    let lines: readonly MetricLine[] = [];
    const onLog = (all: readonly MetricLine[]): void => void (lines = all);
    const plan = rqVaePlan(x, { ...small, ...own, onLog }, 'x');
    const found = await trainRqVae(x, plan, options);
    const wanted = plainTraining(plan, options);
    const close = (of: MetricLine): Record<string, unknown> => ({ ...of, seconds: expect.any(Number), ...(of.mse !== undefined && { mse: expect.closeTo(of.mse, 9) }) }); // prettier-ignore
    expect(lines).toEqual(wanted.lines.map(close));
    for (const [name, { data }] of wanted.arrays) expect(found.arrays.get(name)!.data, name).toEqual(data);
  });
});

describe('beside the numbers', () => {
  const train = (own: RqVaeOptions, options: TrainRqVaeOptions = {}) =>
    trainRqVae(x, rqVaePlan(x, { ...small, epochs: 3, ...own }, 'x'), options);
  const wild: RqVaeOptions = { learningRate: 9, schedule: 'constant', warmupEpochs: 0, maxGradNorm: 0, best: 'loss' };
  const at = (epoch: number, act: () => void) => (lines: readonly MetricLine[]): void => void (lines.at(-1)!.step === epoch && act()); // prettier-ignore
  const interrupt = (): void => void process.emit('SIGINT');

  test('codebooks to start from are evaluated before any training; without, nothing is', async () => {
    const found = await train({ ...wild, autoencoderEpochs: 0 }, { codebooks: books });
    expect(found.metrics.epoch).toBe(0);
    expect(found.arrays.get(codebookName(0))!.data).toEqual(initialRqVae(rqVaePlan(x, small, 'x'), books).get(codebookName(0))!.data); // prettier-ignore
    expect((await train({ ...wild, autoencoderEpochs: 1 })).metrics.epoch).toBeGreaterThan(0);
  });

  test('an interrupt: saved at once where there is a folder, of no consequence after the last epoch', async () => {
    const run = join(mkdtempSync(join(tmpdir(), 'rqvae-loop-')), 'run');
    const saved = (): string[] => readdirSync(run).filter((name) => name.startsWith('checkpoint-'));
    await expect(train({ onLog: at(1, interrupt) })).rejects.toThrow(
      'after epoch 1; nothing was saved (no run folder)',
    );
    await expect(train({ run, onLog: at(1, interrupt) })).rejects.toThrow(`after epoch 1; saved in ${run}, run it`);
    expect(saved()).toEqual(['checkpoint-1']); // evaluated are every second, and the last
    expect((await train({ onLog: at(3, interrupt) })).steps).toBe(9);
    const killed = (): void => { throw new Error('killed'); }; // prettier-ignore
    await expect(train({ run, onLog: at(3, killed) })).rejects.toThrow('killed');
    expect(saved()).toEqual(['checkpoint-2']);
    rmSync(run, { recursive: true });
  });

  test('codebooks to start from are not evaluated again by a run that resumes', async () => {
    const run = join(mkdtempSync(join(tmpdir(), 'rqvae-loop-')), 'run');
    const options: RqVaeOptions = { run, best: 'last', evalEpochs: 9 };
    await expect(train({ ...options, onLog: at(1, interrupt) }, { codebooks: books })).rejects.toThrow('interrupted');
    await expect(train({ ...options, onLog: at(2, interrupt) }, { codebooks: books })).rejects.toThrow('interrupted');
    const { best } = readJson<RqVaeState>(join(run, 'checkpoint-2', 'state.json'));
    expect(best.last!.epoch).toBe(0);
    rmSync(run, { recursive: true });
  });

  test('seconds are those of the clock, of all runs together, and progress says how many epochs are done', async () => {
    let now = 5000;
    const shown: string[] = [];
    setProgressSink(({ label, done, total }) => shown.push(`${label} ${done}/${total}`));
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now);
    const run = join(mkdtempSync(join(tmpdir(), 'rqvae-loop-')), 'run');
    const lasting = (act?: (lines: readonly MetricLine[]) => void) => (lines: readonly MetricLine[]): void => {
      now += 2500;
      act?.(lines);
    }; // prettier-ignore
    await expect(train({ run, onLog: lasting(at(2, interrupt)) })).rejects.toThrow('interrupted');
    now += 1e6;
    let all: readonly MetricLine[] = [];
    const found = await train({ run, onLog: lasting((lines) => (all = lines)) }, { name: 'letter' });
    expect(all.map(({ seconds }) => seconds)).toEqual([0, 2.5, 5]);
    expect(found.seconds).toBe(7.5);
    expect(shown).toEqual(['rqvae 1/3', 'rqvae 2/3', 'letter 3/3', 'letter 3/3']);
    setProgressSink(undefined);
    clock.mockRestore();
    rmSync(run, { recursive: true });
  });
});
