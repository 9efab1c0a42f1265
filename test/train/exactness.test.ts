/** Rules of training at their bounds: packed optimizer state, the best division of texts, logs of resumed runs, validation rows. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import fc from '../fast-check.js';
import { beforeAll, describe, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { writeSafetensors } from '../../lib/files/safetensors.js';
import { chain } from '../../lib/lm/forest.js';
import type { Weights } from '../../lib/lm/weights.js';
import { readMetrics } from '../../lib/runs/metric-lines.js';
import { RunFolder } from '../../lib/runs/run-folder.js';
import type { Example } from '../../lib/tasks/examples.js';
import { groupAdvantages } from '../../lib/train/grpo/loss/advantages.js';
import { rewardGroup } from '../../lib/train/grpo/rewards/reward-group.js';
import { resumeCheckpoint, saveCheckpoint } from '../../lib/train/loop/checkpoint.js';
import { forestLoss, forestLogProbs } from '../../lib/train/loop/forest-loss.js';
import { batchGradients } from '../../lib/train/loop/gradients.js';
import { Optimizer } from '../../lib/train/optim/optimizer.js';
import { sharePrefixes, sortTexts } from '../../lib/train/sft/shared-prefixes.js';
import { newFolder, tinyModel, trainTiny, type TinyOptions } from './tiny-task.js';

beforeAll(async () => void (await useEngine()));

describe('the optimizer', () => {
  const weightsOf = (shapes: Record<string, number[]>): Weights =>
    new Map(Object.entries(shapes).map(([name, shape]) => [name, tf.tidy(() => tf.variable(tf.ones(shape)))]));

  test('parameters in vectors of at most a million numbers; a larger one is by itself', () => {
    const half = 1 << 19;
    const of = (sizes: number[]) => {
      const weights = weightsOf(Object.fromEntries(sizes.map((size, i) => [`p${i}`, [size]])));
      const optimizer = new Optimizer(weights);
      const state = [...optimizer.save()].map(([name, { shape }]) => [name, shape[0]]);
      optimizer.dispose();
      tf.dispose([...weights.values()]);
      return state.filter(([name]) => String(name).endsWith('.m'));
    };
    expect(of([half, half, 1])).toEqual([['p0.m', 2 * half], ['p2.m', 1]]); // prettier-ignore
    expect(of([half, half + 1, 1])).toEqual([['p0.m', half], ['p1.m', half + 2]]); // prettier-ignore
    expect(of([1, 3 * half, 2])).toEqual([['p0.m', 1], ['p1.m', 3 * half], ['p2.m', 2]]); // prettier-ignore
  });

  test('the state of a matrix that is by itself has its shape, that of several is one vector', () => {
    const of = (shapes: Record<string, number[]>) => [...new Optimizer(weightsOf(shapes)).save()].map(([name, { shape }]) => [name, shape]); // prettier-ignore
    expect(of({ a: [2, 3] })).toEqual([['a.m', [2, 3]], ['a.v', [2, 3]]]); // prettier-ignore
    expect(of({ a: [2, 3], b: [4] })).toEqual([['a.m', [10]], ['a.v', [10]]]); // prettier-ignore
  });

  test('state of another model, another optimizer, another scale', () => {
    const weights = weightsOf({ a: [2, 3], b: [4] });
    const optimizer = new Optimizer(weights);
    const [other, none] = [tf.zeros([9]), () => undefined];
    expect(() => optimizer.restore(none)).toThrow('optimizer: a.m is not of this model');
    expect(() => optimizer.restore(() => other)).toThrow('optimizer: a.m is not of this model');
    optimizer.restore(() => tf.ones([10]));
    expect([...optimizer.save().keys()]).toEqual(['a.m', 'a.v']);
    expect(() => new Optimizer(weights, { optimizer: 'sgd' as 'muon' })).toThrow('--optimizer: expected one of adamw, muon, got sgd'); // prettier-ignore
    expect(() => new Optimizer(weights, { muonScale: 'big' as 'rms' })).toThrow('--muon-scale: expected one of');
  });

  test('decay acts on matrices within a vector of many, not on their neighbours', () => {
    const weights = weightsOf({ bias: [3], matrix: [2, 2], norm: [2], cube: [1, 1, 2] });
    const optimizer = new Optimizer(weights, { weightDecay: 0.5 });
    optimizer.apply(new Map(), 1, 0.1);
    const after = [...weights].map(([name, weight]) => [name, [...weight.dataSync()].map((x) => Math.round(100 * x))]);
    expect(Object.fromEntries(after)).toEqual({ bias: [100, 100, 100], matrix: [95, 95, 95, 95], norm: [100, 100], cube: [95, 95] }); // prettier-ignore
    const gradients = new Map<string, tf.Tensor>([['norm', tf.tensor1d([3, -4])]]);
    expect(optimizer.apply(gradients, 2, 0.1)).toBeCloseTo(5, 5);
    expect(weights.get('norm')!.dataSync()[0]).toBeLessThan(1);
    expect(weights.get('norm')!.dataSync()[1]).toBeGreaterThan(1);
    expect([...weights.get('bias')!.dataSync()]).toEqual([1, 1, 1]);
  });
});

test('no division of the sorted texts leaves fewer tokens than the one that is taken', () => {
  const text = fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 7 }), (texts) => {
      const examples = texts.map((tokens): Example => ({ tokens, labelPositions: [0], labels: [1] }));
      const order = sortTexts(examples).map(({ tokens }) => tokens);
      const common = (of: number[][]): number => {
        let length = 0;
        while (length < of[0]!.length && of.every((tokens) => tokens[length] === of[0]![length])) length++;
        return length;
      };
      const least = (from: number): number => {
        if (from === order.length) return 0;
        let best = Infinity;
        for (let to = from + 1; to <= order.length; to++) {
          const run = order.slice(from, to);
          const whole = run.reduce((sum, { length }) => sum + length, 0);
          best = Math.min(best, whole - (run.length - 1) * common(run) + least(to));
        }
        return best;
      };
      // equal texts of a run share more than their common prefix: fewer is fine, more is not
      const { trees } = sharePrefixes(examples);
      expect(trees.reduce((sum, { token }) => sum + token.length, 0)).toBeLessThanOrEqual(least(0));
    }),
    { numRuns: 300 },
  );
});

describe('runs that stop', () => {
  const stopAt =
    (at: number): TinyOptions['onLog'] =>
    (lines) => {
      if (lines.at(-1)!.step === at) throw new Error('stopped');
    };
  const steps = (folder: string) => readMetrics(join(folder, 'metrics.jsonl')).map(({ step }) => step);

  test.each([2, 4, 7])('at step %i: the log of the resumed run has every step once', async (at) => {
    const [whole, folder] = [newFolder(), newFolder()];
    await trainTiny(whole);
    await expect(trainTiny(folder, { onLog: stopAt(at) })).rejects.toThrow('stopped');
    const report = await trainTiny(folder);
    expect(steps(folder)).toEqual(steps(whole));
    const lines = readMetrics(join(folder, 'metrics.jsonl'));
    const other = readMetrics(join(whole, 'metrics.jsonl'));
    expect(lines.map(({ tokens }) => tokens)).toEqual(other.map(({ tokens }) => tokens));
    expect(report.tokens).toBe(other.filter(({ tokens }) => tokens !== undefined).at(-1)!.tokens);
    expect(report.seconds).toBeGreaterThan(0);
  });

  test.each([0, 2])(
    'the start is validated once, also where the run stops at step %i, before the next checkpoint',
    async (at) => {
      const folder = newFolder();
      const options = { evalStart: true, figures: [1, 2, 3, 4, 5, 6, 7] };
      await expect(trainTiny(folder, { ...options, onLog: stopAt(at) })).rejects.toThrow('stopped');
      await trainTiny(folder, options);
      expect(steps(folder).filter((step) => step === 0)).toHaveLength(1);
      expect(existsSync(join(folder, 'last'))).toBe(false);
    },
  );

  test('of several checkpoints the last one is taken up', () => {
    const model = tinyModel();
    const run = new RunFolder(newFolder(), {});
    const optimizer = new Optimizer(model.weights);
    const state = { epoch: 0, position: 3, tokens: 9, seconds: 1, random: [1, 2, 3, 4], validationsWithoutImprovement: 0 }; // prettier-ignore
    for (const step of [9, 10, 11]) saveCheckpoint(run, 3, model, optimizer, { ...state, step } as never);
    expect(resumeCheckpoint(run, model, optimizer)).toEqual({ ...state, step: 11 });
    run.release();
  });

  test('a best model that is gone, weights of another model: one line each', async () => {
    const folder = newFolder();
    const model = tinyModel();
    const run = new RunFolder(folder, {});
    const optimizer = new Optimizer(model.weights);
    const state = { step: 3, epoch: 0, position: 3, tokens: 9, seconds: 1, random: [1, 2, 3, 4], validationsWithoutImprovement: 0 }; // prettier-ignore
    expect(resumeCheckpoint(run, model, optimizer)).toBeUndefined();
    saveCheckpoint(run, 1, model, optimizer, state as never);
    expect(resumeCheckpoint(run, model, optimizer)).toEqual(state);
    const file = join(run.checkpoint(3), 'model.safetensors');
    const [name] = [...model.weights.keys()];
    const { shape } = model.weights.get(name!)!;
    writeSafetensors(file, new Map([[name!, { shape: [1, 2], data: new Float32Array(2) }]]));
    expect(() => resumeCheckpoint(run, model, optimizer)).toThrow(`${file}: expected ${name} of [${shape.join(', ')}], got [1, 2]`); // prettier-ignore
    writeSafetensors(file, new Map([['other', { shape: [1], data: new Float32Array(1) }]]));
    expect(() => resumeCheckpoint(run, model, optimizer)).toThrow(
      `expected ${name} of [${shape.join(', ')}], got none`,
    );
    run.release();
  });
});

test('advantages: by the deviation of a sample; one completion, or equal ones, have none', () => {
  const rewards = [1, 0.25, -0.5, -0.75];
  const deviation = Math.sqrt(rewards.reduce((sum, r) => sum + r * r, 0) / 3);
  groupAdvantages(rewards).forEach((a, i) => expect(a).toBeCloseTo(rewards[i]! / (deviation + 1e-4), 12));
  expect(groupAdvantages([0.7])).toEqual([0]);
  const [low, high] = groupAdvantages([2, 4]) as [number, number];
  expect([low, high]).toEqual([-1 / (Math.SQRT2 + 1e-4), 1 / (Math.SQRT2 + 1e-4)]);
  const tiny = groupAdvantages([0, 2e-4]); // where the deviation is as small as what is added to it
  expect(tiny[1]).toBeCloseTo(1e-4 / (Math.SQRT2 * 1e-4 + 1e-4), 10);
});

test('a reward’s long answer is cut in the message', async () => {
  const context = { items: [1], target: 1, row: { user: 'u', history: [1], target: 1 }, prompt: '' };
  const fails = (value: unknown, got: string) =>
    expect(rewardGroup([{ name: 'own', weight: 1, reward: () => value as number[] }], context)).rejects.toThrow(
      `1 finite numbers, one an item, got ${got}; mend`,
    );
  await fails('x'.repeat(80), 'x'.repeat(80));
  await fails('x'.repeat(81), `${'x'.repeat(77)}...`);
  await fails([Infinity], '[Infinity]');
  await fails([1, 2], '2 values');
});

test('the gradient of a few targets among many nodes, by finite differences', () => {
  const model = tinyModel();
  const trees = [chain([3, 7, 1, 12, 5]), chain([2, 9, 4])];
  const targets = [
    { tree: 0, node: 2, token: 6 },
    { tree: 1, node: 1, token: 11 },
    { tree: 0, node: 2, token: 8 },
  ];
  const loss = (logProbs: tf.Tensor1D): tf.Scalar => tf.mul(tf.sum(logProbs), -1);
  const part = () => forestLoss(model, forestLogProbs(model.config, trees, targets), loss);
  const value = (): number => {
    const { loss: of, dispose } = part();
    const found = tf.tidy(() => of().dataSync()[0]!);
    dispose();
    return found;
  };
  const { gradients } = batchGradients(model, [part()]);
  for (const [name, gradient] of gradients) {
    const data = gradient.dataSync<'float32'>();
    const at = data.reduce((best, x, i) => (Math.abs(x) > Math.abs(data[best]!) ? i : best), 0);
    const weight = model.weights.get(name)!;
    const [shape, before] = [weight.shape, weight.dataSync<'float32'>().slice()];
    const moved = (by: number): number => {
      tf.tidy(() => weight.assign(tf.tensor(before.with(at, before[at]! + by), shape)));
      return value();
    };
    const slope = (moved(5e-3) - moved(-5e-3)) / 1e-2;
    moved(0);
    expect(Math.abs(slope - data[at]!), name).toBeLessThan(0.02 * Math.abs(data[at]!) + 2e-3);
  }
  tf.dispose([...gradients.values(), ...model.weights.values()]);
});
