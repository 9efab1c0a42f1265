/** The loop's rules on a tiny model: patience, what is kept, what a failure leaves behind. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { hashFile } from '../../lib/files/files.js';
import { readSafetensors } from '../../lib/files/safetensors.js';
import { readMetrics } from '../../lib/runs/metric-lines.js';
import { planSteps } from '../../lib/train/loop/step-plan.js';
import { newFolder, tinyModel, trainTiny } from './tiny-task.js';

/** Bytes that the disk still takes. */
const disk = vi.hoisted(() => ({ left: Infinity }));

vi.mock('node:fs', async (original) => {
  const real = await original<typeof fs>();
  const full = (): Error => Object.assign(new Error('ENOSPC: no space left on device, write'), { syscall: 'write' });
  return {
    ...real,
    writeSync: (...given: Parameters<typeof real.writeSync>) => {
      disk.left -= Buffer.byteLength(given[1]);
      if (disk.left < 0) throw full();
      return real.writeSync(...given);
    },
  };
});

beforeAll(async () => void (await useEngine()));
beforeEach(() => void (disk.left = Infinity));

const weights = (folder: string): string => hashFile(join(folder, 'model', 'model.safetensors'));
const checkpoints = (folder: string): string[] =>
  fs.readdirSync(folder).filter((name) => name.startsWith('checkpoint'));

test.each([
  ['adamw', {}],
  ['muon', { optimizer: 'muon' as const }],
  ['constant, warm-up by share', { schedule: 'constant' as const, warmupRatio: 0.2 }],
])('a run that stops anywhere is resumed to the same bits: %s', async (_, more) => {
  const whole = newFolder();
  const report = await trainTiny(whole, more);
  expect(report.steps).toBe(16);
  for (const at of [2, 3, 11]) {
    const folder = newFolder();
    const stop = (): never => {
      throw new Error('stopped');
    };
    const onLog = (lines: readonly { step: number }[]): void => (lines.at(-1)!.step === at ? stop() : undefined);
    await expect(trainTiny(folder, { ...more, onLog })).rejects.toThrow('stopped');
    await trainTiny(folder, more);
    expect(weights(folder)).toBe(weights(whole));
  }
});

test('only what is trained is in a checkpoint, and it is enough', async () => {
  const frozen = [...tinyModel().weights.keys()].filter((name) => !name.includes('mlp'));
  const trainable = new Set([...tinyModel().weights.keys()].filter((name) => !frozen.includes(name)));
  const [whole, folder] = [newFolder(), newFolder()];
  await trainTiny(whole, { trainable });
  const onLog = (lines: readonly { step: number }[]): void => {
    if (lines.at(-1)!.step === 8) throw new Error('stopped');
  };
  await expect(trainTiny(folder, { trainable, onLog })).rejects.toThrow('stopped');
  const saved = readSafetensors(join(folder, 'checkpoint-6', 'model.safetensors'));
  expect([...saved.keys()].sort()).toEqual([...trainable].sort());
  await trainTiny(folder, { trainable });
  expect(weights(folder)).toBe(weights(whole));
  const [before, after] = [tinyModel().weights, readSafetensors(join(whole, 'model', 'model.safetensors'))];
  for (const name of frozen) expect(after.get(name)!.data).toEqual(before.get(name)!.dataSync());
});

test('patience: stops after so many validations without a better one, and keeps the best', async () => {
  const folder = newFolder();
  const report = await trainTiny(folder, { figures: [1, 3, 2, 3, 1, 9], patience: 3, epochs: 9 });
  expect(report.steps).toBe(15); // the second validation is the best, ties do not count, three more follow
  expect(report.best).toMatchObject({ step: 6, metrics: { figure: 3 } });
});

test('of the loss the smaller is the better; a metric that there is not is reported before anything is kept', async () => {
  const folder = newFolder();
  const { best } = await trainTiny(folder, { bestMetric: 'loss', figures: [9, 8, 7, 6, 5, 4] });
  const losses = readMetrics(join(folder, 'metrics.jsonl')).flatMap((line) => line['valid loss'] ?? []);
  expect(losses).toHaveLength(6);
  expect(best.metrics.loss).toBe(Math.min(...losses));
  await expect(trainTiny(newFolder(), { bestMetric: 'MRR' })).rejects.toThrow(
    'sft: expected --best-metric to be one of figure, loss, got MRR',
  );
});

test('best, last, and as many checkpoints as asked for', async () => {
  const folder = newFolder();
  await trainTiny(folder, { figures: [5, 1, 1, 1, 1, 1], keep: 2, keepLast: true });
  expect(checkpoints(folder).sort()).toEqual(['checkpoint-15', 'checkpoint-16']);
  const last = hashFile(join(folder, 'last', 'model.safetensors'));
  expect(last).not.toBe(weights(folder));
  const whole = newFolder();
  await trainTiny(whole, { figures: [1, 2, 3, 4, 5, 6] });
  expect(checkpoints(whole)).toEqual([]);
  expect(last).toBe(weights(whole)); // whose last one is its best
});

test('a loss that is not finite stops the run; the last good checkpoint is kept and resumed from', async () => {
  const [folder, whole] = [newFolder(), newFolder()];
  await expect(trainTiny(folder, { nanAt: 8 })).rejects.toThrow(
    /not finite at step 8; the last good checkpoint is kept: .*checkpoint-6; lower --learning-rate/,
  );
  await trainTiny(folder);
  await trainTiny(whole);
  expect(weights(folder)).toBe(weights(whole));
});

test('a full disk is one line; the last checkpoint is kept, nothing half-written is left', async () => {
  const [folder, whole] = [newFolder(), newFolder()];
  const onLog = (lines: readonly { step: number }[]): void => {
    if (lines.at(-1)!.step === 7) disk.left = 30_000; // less than the optimizer's state
  };
  await expect(trainTiny(folder, { onLog })).rejects.toThrow(
    /cannot be written \(ENOSPC: no space left on device, write\); check the folder, its rights and the room on disk/,
  );
  expect(checkpoints(folder)).toEqual(['checkpoint-6']);
  const all = fs.readdirSync(folder, { recursive: true }) as string[];
  expect(all.filter((name) => name.includes('tmp'))).toEqual([]);
  disk.left = Infinity;
  await trainTiny(folder);
  await trainTiny(whole);
  expect(weights(folder)).toBe(weights(whole));
  expect(readMetrics(join(folder, 'metrics.jsonl')).map(({ step }) => step)).toEqual(
    readMetrics(join(whole, 'metrics.jsonl')).map(({ step }) => step),
  );
});

test('updates of a run: fractions of epochs, uneven epochs, shares', () => {
  expect(planSteps(() => 10, { epochs: 2.5, warmupRatio: 0.1, evalEpochs: 0.5 })).toEqual({
    ...{ total: 25, warmup: 3, evalSteps: 5 },
  });
  expect(planSteps((epoch) => 4 + epoch, { epochs: 3, warmupSteps: 7, evalSteps: 2 })).toEqual({
    ...{ total: 15, warmup: 7, evalSteps: 2 },
  });
  expect(planSteps(() => 3, { epochs: 0.01, evalEpochs: 0.01 })).toEqual({ total: 1, warmup: 0, evalSteps: 1 });
  expect(() => planSteps(() => 3, { epochs: 0 })).toThrow('--epochs: expected a positive number, got 0');
  expect(() => planSteps(() => 3, { epochs: 1, warmupRatio: 0.1, warmupSteps: 5 })).toThrow(
    '--warmup-ratio: expected it or --warmup-steps, got both',
  );
});
