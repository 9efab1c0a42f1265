/** Ours of `allreduce`: one of the processes. Usage: node allreduce-ours.js MEGABYTES REPETITIONS */
import * as tf from '@tensorflow/tfjs';
import { joinCluster, leaveCluster } from 'sidlab/cluster';
import { median } from '../peer.js';
import type { Reduced } from './allreduce.js';

const [megabytes, repetitions] = process.argv.slice(2).map(Number) as [number, number];
const cluster = (await joinCluster())!;
const size = (megabytes * 1e6) / 4;
const peak = (): number => process.resourceUsage().maxRSS * 1024;
const times: number[] = [];
let before = 0;
for (let i = 0; i <= repetitions; i++) {
  const x = tf.fill([size], cluster.rank + 1);
  x.dataSync().subarray(0, 1); // made before the clock starts
  before ||= peak();
  cluster.barrier();
  const start = performance.now();
  const [sum] = cluster.sum([x]) as [tf.Tensor];
  times.push((performance.now() - start) / 1000);
  const wrong = tf.tidy(() => tf.sum(tf.notEqual(sum, (cluster.size * (cluster.size + 1)) / 2)).dataSync()[0]!);
  if (wrong !== 0) throw new Error(`allreduce: ${wrong} of ${size} numbers are wrong`);
  sum.dispose();
}
console.log(JSON.stringify({ seconds: median(times.slice(1)), above: peak() - before } satisfies Reduced));
await leaveCluster(true);
