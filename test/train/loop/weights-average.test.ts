/** The moving average of the weights, by hand; what it is used for; the weights come back from it. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { useEngine } from '../../../lib/engine/engine.js';
import { SafetensorsFile } from '../../../lib/files/safetensors.js';
import type { LanguageModel } from '../../../lib/lm/language-model.js';
import { RunFolder } from '../../../lib/runs/run-folder.js';
import { train } from '../../../lib/train/loop/train.js';
import type { Task } from '../../../lib/train/loop/task.js';
import { averaged, weightsAverage } from '../../../lib/train/loop/weights-average.js';
import { newFolder, tinyModel, tinyTask, tokenizer } from '../tiny-task.js';

beforeAll(async () => void (await useEngine()));

const NAME = 'model.norm.weight';
const valuesOf = ({ weights }: LanguageModel): number[] => [...weights.get(NAME)!.dataSync()];
const first = (model: LanguageModel): number => valuesOf(model)[0]!;
const move = ({ weights }: LanguageModel, by: number): void => {
  const weight = weights.get(NAME)!;
  weight.assign(weight.add(by));
};

test('of three updates by hand: it begins at the start', async () => {
  const model = tinyModel();
  const start = first(model);
  const average = weightsAverage(model, 0.75);
  for (const by of [1, 1, 1]) {
    move(model, by);
    average.updated();
  }
  // 0.25, 0.25 x 0.75 + 0.5, ... of the moves 1, 2 and 3
  const byHand = start + 0.25 * (3 + 0.75 * (2 + 0.75));
  expect(await average.during(() => first(model))).toBeCloseTo(byHand, 5);
  expect(average.duringNow(() => first(model))).toBeCloseTo(byHand, 5);
  expect(first(model)).toBeCloseTo(start + 3, 5);
  average.dispose();
});

test('whatever happens meanwhile, the weights are put back', async () => {
  const model = tinyModel();
  const average = weightsAverage(model, 0.5);
  move(model, 2);
  const now = first(model);
  await expect(average.during(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(first(model)).toBe(now);
  expect(() => average.duringNow(() => { throw new Error('no'); })).toThrow('no'); // prettier-ignore
  expect(first(model)).toBe(now);
  average.dispose();
});

test('a task with it: moved after the task has seen the update, validated, and in its checkpoints beside its own state', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sidlab-average-'));
  const said: string[] = [];
  const of = (model: LanguageModel): Task<unknown> => ({
    ...{ name: 'own', batches: () => [1, 2], objective: () => ({ microBatches: [] }) },
    updated: (step) => void said.push(`updated ${step}, ${average.duringNow(() => first(model)) - start}`),
    state: {
      save: (at) => void said.push(`saved ${at === folder}`),
      restore: (at) => void said.push(`restored ${at === folder}`),
    },
    validate: () => Promise.resolve({ value: first(model) - start }),
    validRows: () => [],
  });
  const model = tinyModel();
  const start = first(model);
  const average = weightsAverage(model, 0.5);
  const task = averaged(of(model), average);
  move(model, 1);
  expect(await task.validate()).toEqual({ value: 0 });
  task.updated!(7);
  expect(await task.validate()).toEqual({ value: 0.5 });
  expect(first(model) - start).toBe(1);
  task.state!.save(folder);
  const other = tinyModel();
  const restored = weightsAverage(other, 0.5);
  averaged(of(other), restored).state!.restore(folder);
  expect(restored.duringNow(() => first(other)) - start).toBe(0.5);
  expect(first(other)).toBe(start);
  expect(said).toEqual(['updated 7, 0', 'saved true', 'restored true']);
  expect([task.name, task.batches(0), task.validRows!()]).toEqual(['own', [1, 2], []]);
  expect(averaged(tinyTask(model), average)).not.toHaveProperty('validRows'); // of a task that keeps none
  for (const each of [average, restored]) each.dispose();
});

test('a run keeps the average of its weights, and trains as it would without', async () => {
  const how = { epochs: 1, learningRate: 1e-2, schedule: 'cosine', evalSteps: 4, evalStart: false, bestMetric: 'figure' } as const; // prettier-ignore
  const losses: unknown[][] = [];
  const moved: number[][] = [];
  const folders = [newFolder(), newFolder()] as const;
  for (const averageDecay of [0, 0.75]) {
    const model = tinyModel();
    const task = tinyTask(model);
    if (averageDecay > 0) moved.push(valuesOf(model));
    const updated = (): void => void (averageDecay > 0 && moved.push(valuesOf(model)));
    const run = new RunFolder(folders[averageDecay > 0 ? 1 : 0], { stage: 'test' });
    const logged: unknown[] = [];
    await train(model, tokenizer, { ...task, updated }, run, {
      ...{ ...how, patience: 0, seed: 7, keep: 1, keepLast: true, averageDecay },
      onLog: (lines) => void (lines.at(-1)!.loss !== undefined && logged.push(lines.at(-1)!.loss)),
    });
    losses.push(logged);
  }
  expect(losses[1]).toEqual(losses[0]);
  const [start, ...after] = moved as [number[], ...number[][]];
  expect(after).toHaveLength(8);
  const average = after.reduce((mean, now) => mean.map((x, i) => 0.75 * x + 0.25 * now[i]!), start);
  const file = new SafetensorsFile(join(folders[1], 'last/model.safetensors'));
  const kept = [...(file.read(NAME).data as Float32Array)];
  file.close();
  kept.forEach((x, i) => expect(x).toBeCloseTo(average[i]!, 5));
  expect(Math.max(...kept.map((x, i) => Math.abs(x - after.at(-1)![i]!)))).toBeGreaterThan(1e-3);
});
