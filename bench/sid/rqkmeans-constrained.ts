/**
 * Constrained residual k-means whole, 3 x 256 on 3,686 x 384, 5 rounds a level: ours against the same algorithm in NumPy
 * with OR-tools inside, from the same first centres (greedy k-means++, ours, through a file).
 */
import { Random, rqKmeansConstrained, type Vectors } from 'sidlab';
import { kmeansPlusPlus } from 'sidlab/sid';
import { industrialVectors } from '../industrial-vectors.js';
import { named } from './kmeans.js';
import { inTurn, peerFolder, type Precise, runPeer, timed } from '../peer.js';
import type { Row } from '../row.js';

const ITERATIONS = 5;

interface Peer extends Precise {
  seconds: number;
  mse: number;
  /** Sizes of the smallest and the largest cluster. */
  least: number;
  most: number;
}

export async function rqkmeansConstrained(): Promise<Row[]> {
  const vectors = industrialVectors();
  const starts: Vectors[] = [];
  const run = (initFrom: (residual: Vectors, level: number) => Vectors) =>
    timed(() => rqKmeansConstrained(vectors, { iterations: ITERATIONS, tolerance: 0, collisions: 'keep', initFrom }));
  run((residual, level) => (starts[level] = kmeansPlusPlus(residual, 256, new Random(level))));
  const [least, most] = [13, 15];
  const job = { levels: 3, iterations: ITERATIONS, least, most, scale: 2 ** 20 };
  const folder = peerFolder(job, { vectors, ...named(starts) });
  const { times, ours, peer } = await inTurn(
    3,
    () => run((_, level) => starts[level]!),
    () => runPeer<Peer>('rqkmeans_constrained.py', folder),
  );
  const { mse, clusterSize } = ours.value;
  const within = clusterSize.min >= least && clusterSize.max <= most;
  return [
    {
      name: 'rqkmeans-constrained',
      ...times,
      floor: null,
      unit: 's',
      precision: 'float32',
      goal: 'at most 0.15 x, error no higher, sizes within the limits',
      reached:
        times.ratio !== null && times.ratio <= 0.15 && within && typeof peer !== 'string' && mse <= peer.mse * 1.0005,
      note:
        typeof peer === 'string'
          ? peer
          : `error ${mse.toExponential(4)}, sizes ${clusterSize.min} to ${clusterSize.max}; of OR-tools inside ${peer.mse.toExponential(4)}`,
    },
  ];
}
