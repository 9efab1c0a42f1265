/** Fine-tuning as a task of the loop, with examples made by hand: batches, sizes, what is counted, what is measured. */
import * as tf from '@tensorflow/tfjs';
import { afterAll, expect, test } from 'vitest';
import type { Row } from '../../lib/data/dataset.js';
import { useEngine } from '../../lib/engine/engine.js';
import { parseShape } from '../../lib/lm/config.js';
import { disposeWeights, randomWeights } from '../../lib/lm/weights.js';
import { Random } from '../../lib/support/random.js';
import type { Example } from '../../lib/tasks/examples.js';
import type { Renderer } from '../../lib/tasks/prompts.js';
import type { ExampleReference, TaskSet } from '../../lib/tasks/task-set.js';
import { batchGradients } from '../../lib/train/loop/gradients.js';
import { packMicroBatches, sftMicroBatches, tokensOf } from '../../lib/train/sft/micro-batches.js';
import { sftTask, type SftTaskOptions } from '../../lib/train/sft/sft-task.js';

await useEngine();

const config = parseShape('qwen2:32x1', 30, 0);
const model = { config, weights: randomWeights(config, 3) };
afterAll(() => disposeWeights(model.weights));

/** Eleven texts of two to seven tokens; the third and the fifth had a prompt that was too long. */
const random = new Random(2);
const texts = Array.from({ length: 11 }, (_, i): Example => {
  const tokens = Array.from({ length: 2 + (i % 6) }, () => random.int(29));
  return { tokens, labelPositions: [tokens.length - 1], labels: [i], ...((i === 2 || i === 4) && { truncated: true }) };
});
const references = (numbers: number[]): ExampleReference[] => numbers.map((example) => ({ task: 0, example, prompt: 0 })); // prettier-ignore
const tasks = {
  examples: (epoch: number) => references([...texts.keys()].slice(0, epoch === 9 ? 0 : 11)),
  example: ({ example }: ExampleReference) => texts[example]!,
} as unknown as TaskSet;

const settings: SftTaskOptions = { batchSize: 4, tokenBudget: 12, dropout: 0, validRows: 3, seed: 5 };
const task = (options: Partial<SftTaskOptions> = {}, heldOut: Parameters<typeof sftTask>[3]['heldOut'] = []) =>
  sftTask(model, tasks, [], { heldOut }, { ...settings, ...options });
const numbers = (batches: ExampleReference[][]) => batches.map((batch) => batch.map(({ example }) => example));

test('batches by examples: each once an epoch, in an order that the seed and the epoch decide', () => {
  const order = new Random('5/sft/3').shuffle([...texts.keys()]);
  expect(numbers(task().batches(3))).toEqual([order.slice(0, 4), order.slice(4, 8), order.slice(8)]);
  expect(numbers(task().batches(4))).not.toEqual(numbers(task().batches(3)));
  expect(numbers(task({ seed: 6 }).batches(3))).not.toEqual(numbers(task().batches(3)));
  expect(task().batches(9)).toEqual([]);
});

test('batches by tokens, in place of examples', () => {
  const order = new Random('5/sft/0').shuffle([...texts.keys()]);
  const batches = numbers(task({ batchTokens: 14 }).batches(0));
  expect(batches.flat()).toEqual(order);
  const tokens = batches.map((batch) => batch.reduce((sum, i) => sum + texts[i]!.tokens.length, 0));
  expect(Math.max(...tokens)).toBeLessThanOrEqual(14);
  batches.slice(1).forEach((batch, i) => expect(tokens[i]! + texts[batch[0]!]!.tokens.length).toBeGreaterThan(14));
  expect(numbers(task({ batchTokens: 1 }).batches(0))).toEqual(order.map((i) => [i]));
});

test('the sizes of a batch: its micro-batches’ tokens, and a batch of its first examples', () => {
  const batch = references([0, 3, 5, 7, 9]);
  const examples = batch.map(({ example }) => texts[example]!);
  for (const dropout of [0, 0.5]) {
    const sizes = task({ dropout }).batchSizes(batch);
    expect(sizes.tokens).toEqual(packMicroBatches(examples, 12, dropout > 0).map(tokensOf));
    expect(sizes.examples).toBe(5);
    expect([0, 1, 4, 5].map((count) => sizes.first(count))).toEqual([0, 1, 4, 5].map((count) => batch.slice(0, count)));
  }
});

test('the objective is the loss of its examples; prompts that were cut are counted', () => {
  const loss = (of: Parameters<typeof batchGradients>[1]): number => {
    const { loss: value, gradients } = batchGradients(model, of);
    tf.dispose([...gradients.values()]);
    return value;
  };
  const metrics = (of: number[]) => {
    const { microBatches, metrics: counted } = task().objective(references(of), new Random(1));
    const plain = sftMicroBatches(model, of.map((i) => texts[i]!), { tokenBudget: 1000 }); // prettier-ignore
    expect(loss(microBatches)).toBeCloseTo(loss(plain), 5);
    return counted;
  };
  expect(metrics([0, 1, 3])).toBeUndefined();
  expect(metrics([0, 2, 3])).toEqual({ truncated: 1 });
  expect(metrics([4, 2])).toEqual({ truncated: 2 });
  const { microBatches } = task({ dropout: 0.5 }).objective(references([0, 1]), new Random(1));
  const { microBatches: others } = task({ dropout: 0.5 }).objective(references([0, 1]), new Random(2));
  expect(loss(microBatches)).not.toBe(loss(others));
});

test('a task without held-out rows has no loss; a task alone is not named', async () => {
  const render: Renderer = { prompt: (history) => [1, ...history], answer: (item) => [item], truncated: 0 };
  const rows: Row[] = [{ user: 'u', history: [2, 3], target: 4 }];
  expect(await task({}, []).validate()).toEqual({ loss: 0 });
  expect(() => task({}, [{ name: 'none', rows: [], render }])).toThrow('expected held-out rows of none, got none');
  const one = await task({}, [{ name: 'one', rows, render }]).validate();
  expect(Object.keys(one)).toEqual(['loss']);
  const both = await task({}, [{ name: 'one', rows, render }, { name: 'none', rows: [], render }]).validate(); // prettier-ignore
  expect(both).toEqual({ loss: one.loss, 'loss one': one.loss });
});
