/** A run in its folder: what it reports while it goes on, what of a run that failed is kept, what is left when it is done. */
import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { useEngine } from '../../../lib/engine/engine.js';
import { readMetrics } from '../../../lib/runs/metric-lines.js';
import type { GrpoOptions } from '../../../lib/train/grpo/grpo-options.js';
import { grpo } from '../../../lib/train/grpo/grpo.js';
import { readRollouts } from '../../../lib/train/grpo/rollout/rollout-log.js';
import { saveModels, shopOptions } from './shop.js';

const folder = mkdtempSync(join(tmpdir(), 'sidlab-grpo-run-'));
beforeAll(async () => {
  await useEngine();
  await saveModels(folder);
});

/** Four updates, each on two of eight rows, unless fewer are asked for. */
const four = (name: string, more: Partial<GrpoOptions> = {}): GrpoOptions => shopOptions(folder, { run: join(folder, name), sampleSize: 8, epochs: 1, beta: 0, evalSteps: 1, ...more }); // prettier-ignore
const checkpoints = (name: string): string[] => readdirSync(join(folder, name)).filter((of) => of.startsWith('checkpoint')).sort(); // prettier-ignore

test.each([
  [1, []],
  [2, ['checkpoint-1', 'checkpoint-2']],
])('of %d checkpoints that are kept, when it is done: %j', async (keep, left) => {
  await grpo(four(`keep ${keep}`, { keep, sampleSize: 4 }));
  expect(checkpoints(`keep ${keep}`)).toEqual(left);
});

test('failed and started again: every line comes once, rollouts among them', async () => {
  const seen: number[] = [];
  const failing = four('again', {
    logRollouts: 1,
    keep: 3,
    evalSteps: 2,
    onLog: (lines) => {
      const { step, loss } = lines.at(-1)!;
      if (loss === undefined) return;
      seen.push(step!);
      if (step === 3 && seen.length === 3) throw new Error('enough'); // after the rollout of step 3
    },
  });
  await expect(grpo(failing)).rejects.toThrow('enough');
  expect(readRollouts(join(folder, 'again')).map(({ step }) => step)).toContain(3);
  await grpo(failing);
  expect(seen).toEqual([1, 2, 3, 3, 4]); // what the plot was told
  const logged = readRollouts(join(folder, 'again'));
  expect([...new Set(logged.map(({ step, group }) => `${step} ${group}`))]).toEqual(['1 0', '2 0', '3 0', '4 0']);
  const updates = readMetrics(join(folder, 'again', 'metrics.jsonl')).filter(({ loss }) => loss !== undefined);
  expect(updates.map(({ step }) => step)).toEqual([1, 2, 3, 4]);
});

test('of a run without a checkpoint no rollout is kept', async () => {
  const run = join(folder, 'none');
  mkdirSync(run);
  writeFileSync(join(run, 'rollouts.jsonl'), JSON.stringify({ step: 1, items: [] }) + '\n');
  await grpo(four('none', { logRollouts: 1, sampleSize: 2 }));
  expect(readRollouts(run).filter(({ step, group }) => step === 1 && group > 0)).toEqual([]);
});
