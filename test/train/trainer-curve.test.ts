/** The same run in transformers' Trainer and here: initial weights, order of the data, settings, float32. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { loadModel } from '../../lib/lm/model.js';
import { readMetrics } from '../../lib/runs/metric-lines.js';
import { RunFolder } from '../../lib/runs/run-folder.js';
import { cutInto } from '../../lib/tasks/examples.js';
import { train } from '../../lib/train/loop/train.js';
import type { Task } from '../../lib/train/loop/task.js';
import { newFolder, type Text, textParts, tokenizer } from './tiny-task.js';

const folder = fileURLToPath(new URL('../golden/trainer-curve', import.meta.url));

interface Golden {
  batch: number;
  rate: number;
  decay: number;
  clip: number;
  examples: Text[];
  loss: number[];
  norm: number[];
  learningRate: number[];
}

beforeAll(async () => void (await useEngine()));

test("loss, gradient norm and rate are the Trainer's over 50 updates", async () => {
  const golden = JSON.parse(readFileSync(`${folder}/golden.json`, 'utf8')) as Golden;
  const model = loadModel(folder);
  const batches = cutInto(golden.examples, golden.batch);
  const task: Task<Text[]> = {
    name: 'sft',
    batches: () => batches,
    objective: (batch, random) => ({ microBatches: textParts(model, batch, golden.batch / 2, random) }),
    validate: async () => ({ figure: 0 }),
  };
  const run = new RunFolder(newFolder(), {});
  await train(model, tokenizer, task, run, {
    ...{
      epochs: 1,
      learningRate: golden.rate,
      schedule: 'linear',
      weightDecay: golden.decay,
      maxGradNorm: golden.clip,
    },
    ...{ evalSteps: 50, evalStart: false, bestMetric: 'figure', patience: 0, keep: 1, seed: 1 },
  });
  const lines = readMetrics(run.metricsFile).filter((line) => line.loss !== undefined);
  expect(lines).toHaveLength(50);
  expect(golden.norm.some((norm) => norm > golden.clip)).toBe(true);
  const gap = (ours: string, theirs: number[]): number =>
    Math.max(...lines.map((line, i) => Math.abs(line[ours]! - theirs[i]!)));
  const gaps = {
    loss: gap('loss', golden.loss),
    norm: gap('norm', golden.norm),
    rate: gap('rate', golden.learningRate),
  };
  process.stderr.write(`largest differences to transformers: ${JSON.stringify(gaps)}\n`);
  expect(gaps.loss).toBeLessThan(1e-4);
  expect(gaps.norm).toBeLessThan(1e-3);
  expect(gaps.rate).toBeLessThan(1e-9);
});
