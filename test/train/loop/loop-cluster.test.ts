/** What the loop leaves to the first of several processes, and what it divides by their number. */
import type * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import { Cluster } from '../../../lib/cluster/cluster.js';
import { useEngine } from '../../../lib/engine/engine.js';
import { RunFolder } from '../../../lib/runs/run-folder.js';
import { readValidRows } from '../../../lib/runs/valid-rows.js';
import { train } from '../../../lib/train/loop/loop.js';
import type { Task } from '../../../lib/train/loop/task.js';
import { newFolder, type Text, tinyModel, tinyTask, tokenizer } from '../tiny-task.js';

beforeAll(async () => void (await useEngine()));

/** A process whose sums and messages are its own: the others are thought of. */
class Lonely extends Cluster {
  override sum(tensors: readonly tf.Tensor[]): tf.Tensor[] {
    return [...tensors];
  }
  override copyFirst(): void {}
  override numbers(values: readonly number[]): number[][] {
    return [[...values]];
  }
  override async first<T>(work: () => T | Promise<T>): Promise<T> {
    return work();
  }
}

/** Trains two updates as one of `size` processes. @returns what was said beforehand */
async function trainAs(rank: number, size: number, folder: string, epochs: number): Promise<string[]> {
  const said: string[] = [];
  const model = tinyModel();
  const task: Task<Text[]> = {
    ...tinyTask(model),
    validRows: () => [{ user: 'ann', rank: 2 }],
    batchSizes: (batch) => ({
      tokens: [batch.reduce((sum, { tokens }) => sum + tokens.length - 1, 0)],
      examples: batch.length,
      first: (count) => batch.slice(0, count),
    }),
  };
  await train(model, tokenizer, task, new RunFolder(folder, {}), {
    ...{ epochs, learningRate: 1e-3, schedule: 'constant', evalSteps: 2, evalStart: false, bestMetric: 'figure' },
    ...{ patience: 1, keep: 1, seed: 1 },
    cluster: new Lonely(rank, size, 1),
    say: (line) => said.push(line),
    onLog: (lines) => {
      if (lines.some((line) => 'valid figure' in line)) throw new Error('enough');
    },
  }).catch((error: Error) => expect(error.message).toBe('enough'));
  return said;
}

test('the first process writes the rows of a validation, the others do not', async () => {
  for (const rank of [0, 1]) {
    const folder = newFolder();
    await trainAs(rank, 2, folder, 1);
    expect(readValidRows(folder, 2), `process ${rank}`).toEqual(rank === 0 ? [{ user: 'ann', rank: 2 }] : undefined);
  }
});

test('a run of hours is none for as many processes', async () => {
  expect(await trainAs(0, 1, newFolder(), 20_000)).toHaveLength(1);
  expect(await trainAs(0, 1e9, newFolder(), 20_000)).toEqual([]);
});
