/** Ours of `sft-real`, in a process of its own, so that its memory is its own. Usage: node sft-real-ours.js FOLDER */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { useEngine } from 'sidlab';
import { parseConfig, randomWeights, trainableWeights } from 'sidlab/lm';
import { batchGradients, packMicroBatches, sftLoss, Optimizer, sftMicroBatches } from 'sidlab/train';
import type { MicroBatch } from 'sidlab/train';
import { QWEN_PRODUCTS } from '../qwen.js';
import { inPrecision, type Precision } from '../our-precision.js';
import { timed } from '../peer.js';
import type { OurReal, RealJob } from './sft-real.js';

await useEngine();
const job = JSON.parse(readFileSync(join(process.argv[2]!, 'job.json'), 'utf8')) as RealJob;
console.log(JSON.stringify(inPrecision(job.precision, measure, QWEN_PRODUCTS)));

function measure(precision: Precision): OurReal {
  const { examples, tokenBudget, steps, rate, clip } = job;
  const config = { ...parseConfig(job.config, 'job.json'), precision };
  const model = { config, weights: randomWeights(config, 42) };
  const optimizer = new Optimizer(trainableWeights(model), { maxGradNorm: clip, weightDecay: 0 });

  // Once without a clock: kernels, gradients and moments stand.
  const warm = batchGradients(model, sftMicroBatches(model, examples.slice(0, 2), { tokenBudget }));
  optimizer.apply(warm.gradients, 1, rate);
  tf.dispose([...warm.gradients.values()]);

  const targets = examples.reduce((sum, { labels }) => sum + labels.length, 0);
  const { seconds: cutting, value: laid } = timed(() => packMicroBatches(examples, tokenBudget, false));
  const tokensOf = ({ trees }: (typeof laid)[number]): number =>
    trees.reduce((sum, { token }) => sum + token.length, 0);
  const dear = [...laid].sort((a, b) => b.targets.length - a.targets.length); // a label costs a row of logits
  const count = Math.min(steps, dear.length);
  const picked = Array.from({ length: count }, (_, i) => dear[Math.floor(((i + 0.5) * dear.length) / count)]!);

  const ends: number[] = [];
  const start = performance.now();
  const parts = picked.map((of) => whenDone(sftLoss(model, of, targets), () => ends.push(performance.now())));
  const { gradients } = batchGradients(model, parts);
  const end = performance.now();
  const { seconds: applying } = timed(() => {
    optimizer.apply(gradients, 2, rate);
    tf.dispose([...gradients.values()]);
  });
  const each = ends.map((at, i) => ((i === count - 1 ? end : at) - (ends[i - 1] ?? start)) / 1000);
  const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);
  const [tokens, measured] = [sum(laid.map(tokensOf)), sum(picked.map(tokensOf))];
  const update = cutting + applying;
  const seconds = sum(each) * (tokens / measured) + update;
  const peak = process.resourceUsage().maxRSS * 1024;
  return { precision, seconds, each, update, tokens, parts: laid.length, peak };
}

function whenDone(part: MicroBatch, done: () => void): MicroBatch {
  return {
    ...part,
    dispose() {
      part.dispose();
      done();
    },
  };
}
