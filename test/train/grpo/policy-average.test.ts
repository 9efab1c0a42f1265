/** The moving average of the policy's weights, by hand; what it is used for; the policy comes back from it. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { useEngine } from '../../../lib/engine/engine.js';
import type { LanguageModel } from '../../../lib/lm/language-model.js';
import { Random } from '../../../lib/support/random.js';
import { policyAverage } from '../../../lib/train/grpo/policy-average.js';
import { toy, toyTask } from './toy.js';

beforeAll(async () => void (await useEngine()));

const NAME = 'model.norm.weight';
const first = ({ weights }: LanguageModel): number => weights.get(NAME)!.dataSync()[0]!;
const move = ({ weights }: LanguageModel, by: number): void => {
  const weight = weights.get(NAME)!;
  weight.assign(weight.add(by));
};

test('of three updates by hand: it begins at the start', async () => {
  const { model } = toy();
  const start = first(model);
  const average = policyAverage(model, 0.75);
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

test('whatever happens meanwhile, the policy is put back', async () => {
  const { model } = toy();
  const average = policyAverage(model, 0.5);
  move(model, 2);
  const now = first(model);
  await expect(average.during(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(first(model)).toBe(now);
  expect(() => average.duringNow(() => { throw new Error('no'); })).toThrow('no'); // prettier-ignore
  expect(first(model)).toBe(now);
  average.dispose();
});

test('a task moves it after every update and validates it; the policy alone is trained', async () => {
  const of = toy();
  const average = policyAverage(of.model, 0.5);
  const start = first(of.model);
  const task = toyTask(of, {}, { average, validate: () => Promise.resolve({ value: first(of.model) }) });
  move(of.model, 1);
  expect((await task.validate()).value).toBeCloseTo(start, 6);
  task.updated(1);
  expect((await task.validate()).value).toBeCloseTo(start + 0.5, 6);
  expect(first(of.model)).toBeCloseTo(start + 1, 6);
  const { microBatches } = await task.objective(task.batches(0)[0]!, new Random(1), 1);
  for (const batch of microBatches) batch.dispose();
  expect(average.duringNow(() => first(of.model))).toBeCloseTo(start + 0.5, 6);
  average.dispose();
});

test('it goes through a checkpoint, bit for bit', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sidlab-average-'));
  const { model } = toy();
  const average = policyAverage(model, 0.9);
  move(model, 1);
  average.updated();
  toyTask(toy(), {}, { average }).state.save(folder);
  const kept = average.duringNow(() => first(model));
  const of = toy();
  const restored = policyAverage(of.model, 0.9);
  toyTask(of, {}, { average: restored }).state.restore(folder);
  expect(restored.duringNow(() => first(of.model))).toBe(kept);
  for (const each of [average, restored]) each.dispose();
});
