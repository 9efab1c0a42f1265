/**
 * A few real updates of a model from random weights, in a process of its own: what was estimated before the first one,
 * and what memory and time they took. Prints one JSON object.
 * Usage: node train-estimate-ours.js SHAPE VOCABULARY EXAMPLES TOKENS BUDGET adamw|muon
 */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { chain, Random, RunFolder, useEngine, wordTokenizer } from 'sidlab';
import { parseShape, randomWeights } from 'sidlab/lm';
import { cutInto } from 'sidlab/tasks';
import { estimateRun, forestLoss, forestLogProbs, train } from 'sidlab/train';
import type { LanguageModel } from 'sidlab';
import type { OptimizerName, Task } from 'sidlab/train';

const STEPS = 3;
const LABELS = 5;

const [shape, ...numbers] = process.argv.slice(2) as [string, ...string[]];
const [vocabulary, examples, tokens, budget] = numbers.slice(0, 4).map(Number) as [number, number, number, number];
const optimizer = numbers[4] as OptimizerName;

await useEngine();
const config = parseShape(shape, vocabulary, 0);
const model: LanguageModel = { config, weights: randomWeights(config, 1) };
const random = new Random(1);
const texts = Array.from({ length: STEPS * examples }, () =>
  Array.from({ length: tokens }, () => random.int(vocabulary)),
);
const parts = (batch: number[][]): number[][][] => cutInto(batch, Math.max(1, Math.floor(budget / tokens)));
const task: Task<number[][]> = {
  name: 'sft',
  batches: () => cutInto(texts, examples),
  batchSizes: (batch) => ({
    tokens: parts(batch).map((of) => of.length * tokens),
    examples: batch.length,
    first: (count) => batch.slice(0, count),
  }),
  objective: (batch) => ({
    microBatches: parts(batch).map((of) => {
      const at = Array.from({ length: LABELS }, (_, i) => tokens - 1 - LABELS + i);
      const targets = of.flatMap((text, tree) => at.map((node) => ({ tree, node, token: text[node + 1]! })));
      const scorer = forestLogProbs(
        model.config,
        of.map((text) => chain(text)),
        targets,
      );
      return forestLoss(model, scorer, (logProbs) => tf.mul(tf.sum(logProbs), -1 / (LABELS * batch.length)));
    }),
  }),
  validate: async () => ({ figure: 0 }),
};

const options = { epochs: 1, optimizer };
tf.tidy(() => [...model.weights.values()].forEach((weight) => tf.sum(weight).dataSync())); // they are the engine's now
const gc = (globalThis as { gc?: () => void }).gc!;
gc();
await new Promise((resolve) => setTimeout(resolve, 100));
gc();
const before = process.memoryUsage.rss(); // what the estimate's own probes leave behind counts as the run's
const estimate = estimateRun(model, task, task.batchSizes!, options);
const run = new RunFolder(join(mkdtempSync(join(tmpdir(), 'sidlab-estimate-')), 'run'), {});
let peak = 0;
let seconds = 0;
await train(model, wordTokenizer(['a'], [['<a_0>']]), task, run, {
  ...options,
  ...{ learningRate: 1e-4, schedule: 'constant', evalSteps: 1e6, evalStart: false, bestMetric: 'figure' },
  ...{ patience: 0, keep: 1, seed: 1, save: () => {}, say: () => {} },
  onLog: (lines) => {
    peak = process.resourceUsage().maxRSS * 1024; // of training: what is saved at the end comes later
    seconds = lines.at(-1)!.seconds ?? seconds;
  },
});
const { memory, seconds: expected } = estimate;
console.log(JSON.stringify({ estimated: memory, measured: peak - before, expected, seconds }));
