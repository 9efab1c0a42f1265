/**
 * Residual k-means in batches from disk against all rows at once: 4 x 256 on 100,000 x 384 rows of a mixture of 1,000
 * Gaussians, sorted by their Gaussian as a catalogue is by category. The error may be 2 % larger at most.
 */
import { join } from 'node:path';
import { homeFolder, Random, rqKmeans, type Vectors, writeNpy } from 'sidlab';
import { rqKmeansOfFile } from 'sidlab/sid';
import { timed } from '../peer.js';
import { forgetPeak, resident } from '../resident.js';
import type { Row } from '../row.js';

const [ROWS, WIDTH, GROUPS] = [100_000, 384, 1000];
const LEVELS = { levels: 4, codebookSize: 256, collisions: 'keep' } as const;

export async function kmeansMiniBatch(): Promise<Row[]> {
  const file = join(homeFolder(), '.run/kmeans-minibatch.npy');
  writeNpy(file, mixture());
  forgetPeak();
  const before = resident().now;
  const own = timed(() => rqKmeansOfFile(file, LEVELS));
  const peak = (resident().peak - before) / 1e9;
  const full = timed(() => rqKmeans(mixture(), LEVELS));
  const ratio = own.value.mse / full.value.mse;
  return [
    {
      name: 'kmeans-minibatch error',
      ...{ ours: own.value.mse, peer: full.value.mse, floor: null, unit: 'mse', ratio, spread: 0 },
      ...{ precision: 'float32', peerPrecision: 'float32' },
      goal: 'at most 1.02 x all rows at once',
      reached: ratio <= 1.02,
      note: `${own.seconds.toFixed(0)} s and ${peak.toFixed(2)} GB more, all rows at once ${full.seconds.toFixed(0)} s`,
    },
  ];
}

function mixture(): Vectors {
  const random = new Random(1);
  const centres = Float32Array.from({ length: GROUPS * WIDTH }, () => random.normal());
  const data = new Float32Array(ROWS * WIDTH);
  for (let i = 0; i < ROWS; i++) {
    const from = Math.floor((i * GROUPS) / ROWS) * WIDTH;
    for (let j = 0; j < WIDTH; j++) data[i * WIDTH + j] = centres[from + j]! + random.normal();
  }
  return { rows: ROWS, width: WIDTH, data };
}
