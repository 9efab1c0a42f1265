/** Losses of fine-tuning as means over targets: of a batch, of held-out rows, of a mix of tasks. */
import * as tf from '@tensorflow/tfjs';
import { afterAll, expect, test } from 'vitest';
import type { Dataset, Row } from '../../lib/data/dataset.js';
import { useEngine } from '../../lib/engine/engine.js';
import { parseShape } from '../../lib/lm/config.js';
import { chain } from '../../lib/lm/forest.js';
import { disposeWeights, randomWeights } from '../../lib/lm/weights.js';
import { Random } from '../../lib/support/random.js';
import { type Example, rowExample } from '../../lib/tasks/examples.js';
import { promptContext, type Renderer } from '../../lib/tasks/prompts.js';
import { TaskSet } from '../../lib/tasks/task-set.js';
import { forestLogProbs } from '../../lib/train/loop/forest-loss.js';
import { batchGradients } from '../../lib/train/loop/gradients.js';
import { exampleBlocks, heldOutLoss, meanLoss } from '../../lib/train/sft/held-out-loss.js';
import { heldOutRows } from '../../lib/train/sft/held-out.js';
import { sftMicroBatches } from '../../lib/train/sft/micro-batches.js';
import { sftTask } from '../../lib/train/sft/sft-task.js';

await useEngine();

const config = parseShape('qwen2:32x1', 30, 0);
const model = { config, weights: randomWeights(config, 3) };
afterAll(() => disposeWeights(model.weights));

/** Answers of so many tokens each; the prompt is the history. */
function renderer(answer: number): Renderer {
  return {
    prompt: (history) => [29, ...history],
    answer: (item) => Array.from({ length: answer }, (_, i) => (7 * item + 5 * i) % 29),
    truncated: 0,
  };
}

function rowsOf(seed: string, count: number): Row[] {
  const random = new Random(seed);
  return Array.from({ length: count }, (_, user) => ({
    user: String(user),
    history: Array.from({ length: 1 + random.int(5) }, () => random.int(29)),
    target: random.int(29),
  }));
}

/** -log p of every target, text by text. */
function negativeLogProbs(examples: readonly Example[]): number[] {
  return examples.flatMap(({ tokens, labelPositions, labels }) => {
    const targets = labelPositions.map((node, i) => ({ tree: 0, node, token: labels[i]! }));
    const scorer = forestLogProbs(config, [chain(tokens)], targets);
    const values = tf.tidy(() => scorer.logProbs(model).dataSync().slice());
    scorer.dispose();
    return [...values].map((x) => -x);
  });
}

const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;

const settings = { batchSize: 4, tokenBudget: 40, dropout: 0, validRows: 9, seed: 1 };
const dataset: Dataset = { name: 'toy', dir: '', items: [], train: [], valid: [], test: [] };
const noTasks = new TaskSet(dataset, [], promptContext([]), { seed: 1 });

test('a mix of tasks: the loss of each, and the mean over all targets together', async () => {
  const parts = [
    { name: 'short', rows: rowsOf('short', 5), render: renderer(1) },
    { name: 'long', rows: rowsOf('long', 9), render: renderer(6) },
    { name: 'empty', rows: [], render: renderer(2) },
  ];
  const metrics = await sftTask(model, noTasks, [], { heldOut: parts }, settings).validate();
  const losses = parts.map(({ rows, render }) => negativeLogProbs(rows.map((row) => rowExample(row, render))));
  expect(Object.keys(metrics)).toEqual(['loss', 'loss short', 'loss long']); // a loss over no target is none
  expect(losses.map((values) => values.length)).toEqual([5, 54, 0]);
  expect(metrics['loss short']).toBeCloseTo(mean(losses[0]!), 5);
  expect(metrics['loss long']).toBeCloseTo(mean(losses[1]!), 5);
  expect(metrics.loss).toBeCloseTo(mean(losses.flat()), 5);
  // neither the mean over tasks nor that over rows
  const overTasks = mean(losses.slice(0, 2).map(mean));
  const overRows = (5 * mean(losses[0]!) + 9 * mean(losses[1]!)) / 14;
  for (const other of [overTasks, overRows]) expect(Math.abs(metrics.loss! - other)).toBeGreaterThan(1e-3);
});

test('nothing to validate on: an error, for the first model would pass for the best', () => {
  const parts = [
    { name: 'a', rows: [], render: renderer(1) },
    { name: 'b', rows: [], render: renderer(2) },
  ];
  expect(() => sftTask(model, noTasks, [], { heldOut: parts }, settings)).toThrow(
    'validation: expected held-out rows of a, b, got none; filter again',
  );
});

test('one task: its loss alone', async () => {
  const [rows, render] = [rowsOf('one', 7), renderer(3)];
  const metrics = await sftTask(
    model,
    noTasks,
    [],
    { heldOut: [{ name: 'one', rows, render }] },
    { ...settings, tokenBudget: 5 },
  ).validate();
  expect(Object.keys(metrics)).toEqual(['loss']);
  expect(metrics.loss).toBeCloseTo(mean(negativeLogProbs(rows.map((row) => rowExample(row, render)))), 5);
});

test('a batch of long and short answers: the mean over its targets, however it is cut', () => {
  const examples = [1, 6, 2].flatMap((answer) =>
    rowsOf(`batch ${answer}`, 3).map((row) => rowExample(row, renderer(answer))),
  );
  const expected = mean(negativeLogProbs(examples));
  for (const tokenBudget of [1, 20, 1000]) {
    const parts = sftMicroBatches(model, examples, { tokenBudget });
    const { loss, gradients } = batchGradients(model, parts);
    tf.dispose([...gradients.values()]);
    expect(loss).toBeCloseTo(expected, 5);
  }
});

test('held-out rows of a task: as many as asked for, drawn by seed and task, none twice', () => {
  const rows = rowsOf('held', 30);
  const drawn = heldOutRows(rows, 'a', { validRows: 12, seed: 1 });
  expect(drawn).toHaveLength(12);
  expect(new Set(drawn).size).toBe(12);
  expect(drawn.every((row) => rows.includes(row))).toBe(true);
  expect(heldOutRows(rows, 'a', { validRows: 12, seed: 1 })).toEqual(drawn);
  for (const [task, seed] of [
    ['b', 1],
    ['a', 2],
  ] as const) {
    // prettier-ignore
    expect(heldOutRows(rows, task, { validRows: 12, seed })).not.toEqual(drawn);
  }
  for (const validRows of [30, 31, 0])
    expect(new Set(heldOutRows(rows, 'a', { validRows, seed: 1 }))).toEqual(new Set(rows));
});

test('held-out rows in blocks: the mean over all targets, their examples made anew each time', () => {
  const rows = rowsOf('blocks', 10);
  let rendered = 0;
  const plain = renderer(2);
  const counted: Renderer = {
    ...plain,
    answer: (item) => {
      rendered++;
      return item % 2 === 0 ? plain.answer(item) : plain.answer(item).slice(1); // blocks of unlike weight
    },
  };
  const lossOf = (size?: number): { loss: number; targets: number } => {
    const blocks = exampleBlocks(rows, counted, size);
    expect(blocks).toHaveLength(size === 4 ? 3 : 1);
    const before = rendered;
    const [first, second] = [0, 1].map(() => meanLoss(blocks.map((block) => heldOutLoss(model, block(), 40))));
    expect(rendered - before).toBe(size === 4 ? 20 : 0);
    expect(second).toEqual(first);
    return first!;
  };
  const [whole, parts] = [lossOf(), lossOf(4)];
  expect(lossOf(10)).toEqual(whole);
  expect(parts.targets).toBe(whole.targets);
  expect(parts.loss).toBeCloseTo(whole.loss, 5);
});
