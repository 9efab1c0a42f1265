/** Ours of `shard-optimizer`: one of the processes. Usage: node shard-optimizer-ours.js CONFIG true|false */
import * as tf from '@tensorflow/tfjs';
import { joinCluster, leaveCluster } from 'sidlab/cluster';
import { parseConfig, randomWeights } from 'sidlab/lm';
import { Optimizer } from 'sidlab/train';
import { resident } from '../resident.js';
import type { Held } from './shard-optimizer.js';

const [config, split] = process.argv.slice(2) as [string, string];
const cluster = (await joinCluster())!;
const weights = randomWeights(parseConfig(JSON.parse(config), 'config'), 42);
const optimizer = new Optimizer(weights, {
  sumGradients: (all) => cluster.sum(all),
  ...(split === 'true' && { sharding: cluster }),
});
const gradients = new Map([...weights].map(([name, { shape }]) => [name, tf.fill(shape, 1e-3)]));
optimizer.apply(gradients, 1, 1e-5);
const state = 4 * optimizer.variables.reduce((sum, { size }) => sum + size, 0);
const all = cluster.numbers([resident().peak, state]);
const most = (of: number): number => Math.max(...all.map((row) => row[of]!));
console.log(JSON.stringify({ peak: most(0), state: most(1) } satisfies Held));
await leaveCluster(true);
