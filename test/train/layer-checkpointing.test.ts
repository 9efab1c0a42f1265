/** Layer checkpointing: the same gradient for fewer bytes, whatever learns, and the same run. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { parseShape } from '../../lib/lm/config.js';
import { freeze } from '../../lib/lm/lora/freeze.js';
import { parseLora } from '../../lib/lm/lora/lora-options.js';
import { addLora } from '../../lib/lm/lora/lora.js';
import type { LanguageModel } from '../../lib/lm/language-model.js';
import { disposeWeights, randomWeights } from '../../lib/lm/weights.js';
import { RunFolder } from '../../lib/runs/run-folder.js';
import { Random } from '../../lib/support/random.js';
import type { Example } from '../../lib/tasks/examples.js';
import { groupAdvantages } from '../../lib/train/grpo/loss/advantages.js';
import { grpoLoss } from '../../lib/train/grpo/loss/grpo-loss.js';
import { batchGradients, type MicroBatch } from '../../lib/train/loop/gradients.js';
import type { Task } from '../../lib/train/loop/task.js';
import { estimateRun } from '../../lib/train/report/estimate.js';
import { liveBytes } from '../../lib/train/report/peak-memory.js';
import { fingerprint } from '../../lib/options/derive.js';
import { SFT_OPTIONS } from '../../lib/train/sft/sft-options.js';
import { sftMicroBatches } from '../../lib/train/sft/micro-batches.js';

await useEngine();

const LAYERS = 6;
const VOCABULARY = 50;
const random = new Random('layer-checkpointing');
const examples: Example[] = Array.from({ length: 16 }, () => {
  const tokens = Array.from({ length: 90 + random.int(30) }, () => random.int(VOCABULARY));
  const at = [tokens.length - 2, tokens.length - 1];
  return { tokens, labelPositions: at, labels: at.map(() => random.int(VOCABULARY)) };
});

function shape(): LanguageModel {
  const config = parseShape(`qwen2:64x${LAYERS}`, VOCABULARY, 0);
  return { config, weights: randomWeights(config, 1) };
}

function adapted(dropout: number): LanguageModel {
  const model = addLora(shape(), parseLora({ rank: 4, dropout, modules: [] }, '', false), 2);
  const draw = new Random('b');
  for (const [name, b] of model.weights) {
    if (!name.includes('lora_B')) continue; // else nothing would reach A
    tf.tidy(() =>
      b.assign(
        tf.tensor2d(
          Float32Array.from({ length: b.size }, () => 0.02 * draw.normal()),
          [b.shape[0]!, b.shape[1]!],
        ),
      ),
    );
  }
  return model;
}

/** Loss, gradients, the peak above what was there before, and the place of the generator in the end. */
function measure(model: LanguageModel, parts: (random: Random) => MicroBatch[]) {
  const draw = new Random('masks');
  const { result, peak, left } = liveBytes(() => {
    const { loss, gradients } = batchGradients(model, parts(draw));
    const numbers = [...gradients].map(([name, gradient]) => [name, gradient.dataSync<'float32'>().slice()] as const);
    tf.dispose([...gradients.values()]);
    return { loss, gradients: new Map(numbers) };
  });
  return { ...result, peak, left, next: draw.next() };
}

/** Bit for bit: the same kernels on the same numbers in the same order. */
function compare(model: LanguageModel, parts: (random: Random, layerCheckpointing: boolean) => MicroBatch[]): number {
  const [kept, again] = [false, true].map((on) => measure(model, (draw) => parts(draw, on))) as [
    ReturnType<typeof measure>,
    ReturnType<typeof measure>,
  ];
  expect(again.loss).toBe(kept.loss);
  expect([...again.gradients.keys()]).toEqual([...kept.gradients.keys()]);
  for (const [name, gradient] of kept.gradients) {
    expect(
      gradient.some((x) => x !== 0),
      name,
    ).toBe(true);
    expect(again.gradients.get(name), name).toEqual(gradient);
  }
  expect(again.next).toBe(kept.next);
  expect(again.left).toBe(0);
  disposeWeights(model.weights);
  return again.peak / kept.peak;
}

test.each([
  ['all learns', shape, 0],
  ['dropout', shape, 0.2],
  ['adapters', () => adapted(0), 0],
  ['adapters, with their dropout and the other', () => adapted(0.1), 0.2],
  ['new rows alone', () => freeze(shape(), 'all-but-new-rows', { first: 40, count: 10 }), 0],
  ['the layers alone', () => freeze(shape(), 'embeddings'), 0],
] as [string, () => LanguageModel, number][])('the same bits in less memory: %s', (_, make, dropout) => {
  const model = make();
  const share = compare(model, (draw, layerCheckpointing) =>
    sftMicroBatches(model, examples, { tokenBudget: 1 << 20, dropout, random: draw, layerCheckpointing }),
  );
  process.stderr.write(`layer checkpointing, ${_}: ${share.toFixed(2)} x the memory\n`);
  expect(share).toBeLessThan(0.5);
});

test('the same bits in less memory: groups of GRPO', () => {
  const [model, reference] = [shape(), shape()];
  const text = (length: number): number[] => Array.from({ length }, () => random.int(VOCABULARY));
  const groups = Array.from({ length: 4 }, () => ({
    prompt: text(60),
    completions: Array.from({ length: 8 }, () => text(4)),
    advantages: groupAdvantages([1, 0, 0, -1, 0.5, 0, 0, 0]),
  }));
  const share = compare(model, (_, layerCheckpointing) => [
    ...grpoLoss(
      model,
      groups.map((group) => ({ ...group })),
      { reference, beta: 0.1, forward: { layerCheckpointing } },
    ),
  ]);
  expect(share).toBeLessThan(0.5);
  disposeWeights(reference.weights);
});

test('without a gradient one layer is in memory at a time, in any case', () => {
  const peak = (layers: number): number => {
    const config = parseShape(`qwen2:64x${layers}`, VOCABULARY, 0);
    const model = { config, weights: randomWeights(config, 1) };
    const [part] = sftMicroBatches(model, examples, { tokenBudget: 1 << 20 }) as [MicroBatch];
    const { peak } = liveBytes(() => tf.tidy(() => part.loss().dataSync()));
    part.dispose();
    disposeWeights(model.weights);
    return peak;
  };
  expect(peak(8)).toBeLessThan(1.6 * peak(2)); // its input is all that a layer leaves
});

test.runIf(tf.getBackend() === 'tensorflow')('an estimate knows it', () => {
  const model = shape();
  const task = (layerCheckpointing: boolean): Task<Example[]> => ({
    name: 'sft',
    batches: () => [examples],
    objective: (batch, draw) => ({
      microBatches: sftMicroBatches(model, batch, { tokenBudget: 1 << 20, random: draw, layerCheckpointing }),
    }),
    validate: async () => ({}),
  });
  const outline = (batch: Example[]) => ({
    tokens: [batch.reduce((sum, { tokens }) => sum + tokens.length, 0)],
    examples: batch.length,
    first: (count: number) => batch.slice(0, count),
  });
  const of = (on: boolean) => estimateRun(model, task(on), outline, { epochs: 1 });
  const parameters = [...model.weights.values()].reduce((sum, { size }) => sum + size, 0);
  const activations = (on: boolean): number => of(on).memory - 3 * 4 * parameters;
  expect(activations(true)).toBeLessThan(0.6 * activations(false));
  disposeWeights(model.weights);
});

test('a run that was begun without it is resumed with it', () => {
  const folder = join(mkdtempSync(join(tmpdir(), 'sidlab-checkpointing-')), 'run');
  const settings = { batchSize: 4, layerCheckpointing: false };
  new RunFolder(folder, fingerprint(SFT_OPTIONS.options, settings)).release();
  expect(() =>
    new RunFolder(folder, fingerprint(SFT_OPTIONS.options, { ...settings, layerCheckpointing: true })).release(),
  ).not.toThrow();
  expect(() => new RunFolder(folder, fingerprint(SFT_OPTIONS.options, { ...settings, batchSize: 8 }))).toThrow();
});
