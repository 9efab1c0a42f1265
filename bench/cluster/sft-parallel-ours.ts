/** Ours of `sft-parallel`: one of the processes, or the only one. Usage: node sft-parallel-ours.js FOLDER */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { Random, useEngine } from 'sidlab';
import { joinCluster, leaveCluster } from 'sidlab/cluster';
import { parseConfig, randomWeights, trainableWeights } from 'sidlab/lm';
import { batchGradients, Optimizer, sftMicroBatches } from 'sidlab/train';
import { median } from '../peer.js';
import type { ParallelJob, Updated } from './sft-parallel.js';

const job = JSON.parse(readFileSync(join(process.argv[2]!, 'job.json'), 'utf8')) as ParallelJob;
const cluster = await joinCluster();
if (!cluster) await useEngine();
const config = { ...parseConfig(job.config, 'job.json'), precision: job.precision };
const model = { config, weights: randomWeights(config, 42) };
const random = new Random('sft-parallel');
const batch = Array.from({ length: job.texts }, () => {
  const text = Array.from({ length: job.length }, () => random.int(config.vocabSize));
  const at = Array.from({ length: job.learnt }, (_, i) => job.length - job.learnt - 1 + i);
  return { tokens: text.slice(0, -1), labelPositions: at, labels: at.map((i) => text[i + 1]!) };
});
const optimizer = new Optimizer(trainableWeights(model), {
  ...{ weightDecay: 0.01, maxGradNorm: 1 },
  ...(cluster && { sumGradients: (all) => cluster.sum(all) }),
});
const times: number[] = [];
const communication: number[] = [];
for (let step = 1; step <= job.steps + 1; step++) {
  cluster?.barrier();
  const [start, before] = [performance.now(), cluster?.spent.seconds ?? 0];
  const options = { tokenBudget: job.tokenBudget, ...(cluster && { share: cluster }) };
  const { gradients } = batchGradients(model, sftMicroBatches(model, batch, options));
  cluster?.barrier(); // waiting for the slower one is no communication
  optimizer.apply(gradients, step, 1e-5);
  tf.dispose([...gradients.values()]);
  times.push((performance.now() - start) / 1000);
  communication.push((cluster?.spent.seconds ?? 0) - before);
}
const report: Updated = { seconds: median(times.slice(1)), communication: median(communication.slice(1)) };
console.log(JSON.stringify(report));
await leaveCluster(true);
