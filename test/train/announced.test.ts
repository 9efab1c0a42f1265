/** What is said before a run: of a long one once, of a short one or a resumed one nothing. */
import { beforeAll, expect, test, vi } from 'vitest';
import type { Cluster } from '../../lib/cluster/cluster.js';
import { useEngine } from '../../lib/engine/engine.js';
import { RunFolder } from '../../lib/runs/run-folder.js';
import { announce, announcement } from '../../lib/train/loop/announce.js';
import { train } from '../../lib/train/loop/train.js';
import type { Task } from '../../lib/train/loop/task.js';
import { estimateRun, type RunEstimate } from '../../lib/train/report/estimate.js';
import { newFolder, type Text, tinyModel, tinyTask, tokenizer } from './tiny-task.js';

beforeAll(async () => void (await useEngine()));

/** The task with the sizes of its batches. */
function sized(task: Task<Text[]>): Task<Text[]> {
  return {
    ...task,
    batchSizes: (batch: Text[]) => ({
      tokens: [batch.reduce((sum, { tokens }) => sum + tokens.length - 1, 0)],
      examples: batch.length,
      first: (count: number) => batch.slice(0, count),
    }),
  };
}

/** The sentences said by a run that is stopped at a step. */
async function saidUntil(folder: string, step: number, epochs: number, sizes = true): Promise<string[]> {
  const said: string[] = [];
  const model = tinyModel();
  const task = sizes ? sized(tinyTask(model)) : tinyTask(model);
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

const estimate: RunEstimate = {
  ...{ parameters: 10, trainable: 10, steps: 7, epochs: 1, tokensPerEpoch: 99, tokens: 99, largestPart: 9 },
  ...{ memory: 1, freeBytes: 2, fixedBytes: 0, seconds: 40 },
};

test.each([
  [40, 1, '40 s'],
  [40, 2, '20 s'],
  [40, 4, undefined],
  [10, 1, undefined],
  [10.5, 1, '11 s'],
  [1, 10, undefined],
])('%d seconds of work for %d processes: %s', (seconds, processes, said) => {
  const line = announcement('sft', { ...estimate, seconds }, processes);
  if (said === undefined) return void expect(line).toBeUndefined();
  expect(line).toContain(`sft: 10 parameters`);
  expect(line).toMatch(new RegExp(`about ${said} and validation$`));
});

test.each<[size: number | undefined, shardOptimizer: boolean | undefined, shards: number]>([
  [undefined, undefined, 1],
  [undefined, true, 1],
  [4, undefined, 1],
  [4, true, 4],
])('of %s processes that split the optimizer or not (%s), one keeps a share of %d', (size, shardOptimizer, shards) => {
  const model = tinyModel();
  const [task, said] = [sized(tinyTask(model)), [] as string[]];
  const clock = vi.spyOn(performance, 'now'); // a gradient takes hours
  let now = 0;
  clock.mockImplementation(() => (now += 1e7));
  const options = { epochs: 1000 };
  const plain = (line: string): string => line.replace(/ \(\S+ GiB free\)/, '');
  try {
    announce(model, task, {
      ...{ ...options, say: (line: string) => said.push(line) },
      ...(size !== undefined && { cluster: { size } as Cluster }),
      ...(shardOptimizer !== undefined && { shardOptimizer }),
    });
    const expected = estimateRun(model, task, (batch) => task.batchSizes!(batch), { ...options, shards });
    expect(said.map(plain)).toEqual([plain(announcement('sft', expected, size ?? 1)!)]);
  } finally {
    clock.mockRestore();
  }
});
