/** Ours of `sft-step`, in a process of its own, so that its memory is its own. Usage: node sft-step-ours.js FOLDER */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Random, useEngine } from 'sidlab';
import { parseConfig, randomWeights } from 'sidlab/lm';
import { timeKernels } from '../kernel-seconds.js';
import { QWEN_PRODUCTS } from '../qwen.js';
import { inPrecision, type Precision } from '../our-precision.js';
import { median } from '../peer.js';
import type { OurSteps, StepJob } from './sft-step.js';
import { trainSteps } from './train-steps.js';

await useEngine();
const job = JSON.parse(readFileSync(join(process.argv[2]!, 'job.json'), 'utf8')) as StepJob;
console.log(JSON.stringify(await inPrecision(job.precision, measure, QWEN_PRODUCTS)));

async function measure(precision: Precision): Promise<OurSteps> {
  const config = { ...parseConfig(job.config, 'job.json'), precision };
  const model = { config, weights: randomWeights(config, 42) };
  const random = new Random('sft-step');
  const batch = Array.from({ length: job.texts }, () => {
    const text = Array.from({ length: job.length }, () => random.int(config.vocabSize));
    const at = Array.from({ length: job.learnt }, (_, i) => job.length - job.learnt - 1 + i);
    return { tokens: text.slice(0, -1), labelPositions: at, labels: at.map((i) => text[i + 1]!) };
  });
  const options = { rate: 1e-5, weightDecay: 0.01, clip: 1, tokenBudget: 1 << 20 };
  const batches = Array.from({ length: job.steps + 1 }, () => batch);
  const steps = await trainSteps(model, batches, options);
  const each = steps.slice(1).map(({ seconds }) => seconds);
  const peak = process.resourceUsage().maxRSS * 1024;
  // Where a step's time goes, of two more; the first of them makes the moments anew.
  const kernels = timeKernels();
  await trainSteps(model, batches.slice(0, 1), options);
  const before = kernels();
  await trainSteps(model, batches.slice(0, 1), options);
  const byKernel = Object.entries(kernels()).map(([name, sum]): [string, number] => [name, sum - (before[name] ?? 0)]);
  return { precision, seconds: median(each), each, peak, byKernel };
}
