/** What is said before a run: of a long one once, of a short one or a resumed one nothing. */
import { beforeAll, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { RunFolder } from '../../lib/runs/run-folder.js';
import { train } from '../../lib/train/loop/loop.js';
import type { Task } from '../../lib/train/loop/task.js';
import { newFolder, type Text, tinyModel, tinyTask, tokenizer } from './tiny-task.js';

beforeAll(async () => void (await useEngine()));

/** The sentences said by a run that is stopped at a step. */
async function saidUntil(folder: string, step: number, epochs: number, sizes = true): Promise<string[]> {
  const said: string[] = [];
  const model = tinyModel();
  const task: Task<Text[]> = {
    ...tinyTask(model),
    ...(sizes && {
      batchSizes: (batch: Text[]) => ({
        tokens: [batch.reduce((sum, { tokens }) => sum + tokens.length - 1, 0)],
        examples: batch.length,
        first: (count: number) => batch.slice(0, count),
      }),
    }),
  };
  const run = train(model, tokenizer, task, new RunFolder(folder, {}), {
    ...{ epochs, learningRate: 1e-3, schedule: 'constant', evalSteps: 3, evalStart: false, bestMetric: 'figure' },
    ...{ patience: 0, keep: 1, seed: 1 },
    say: (line) => said.push(line),
    onLog: (lines) => {
      if (lines.at(-1)!.step === step) throw new Error('stopped');
    },
  });
  await expect(run).rejects.toThrow('stopped');
  return said;
}

test('a run of hours is announced when it begins, and not again when it is resumed', async () => {
  const folder = newFolder();
  const said = await saidUntil(folder, 4, 20_000);
  expect(said).toHaveLength(1);
  expect(said[0]).toMatch(/^sft: .* 160000 updates in 20000 epochs of .* and validation$/);
  expect(await saidUntil(folder, 5, 20_000)).toEqual([]); // from the checkpoint of step 3
});

test('neither is a short run, nor one whose sizes are not known', async () => {
  expect(await saidUntil(newFolder(), 2, 0.5)).toEqual([]);
  expect(await saidUntil(newFolder(), 2, 20_000, false)).toEqual([]);
});
