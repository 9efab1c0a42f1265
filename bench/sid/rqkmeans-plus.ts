/**
 * RQ-Kmeans+ on the Industrial vectors, 3 x 256, against the constrained RQ-Kmeans that it starts from: reconstruction
 * error and raw collision rate.
 */
import { rqKmeansPlus } from 'sidlab';
import { industrialVectors } from '../industrial-vectors.js';
import type { Row } from '../row.js';

export async function rqkmeansPlusBench(): Promise<Row[]> {
  const { start, rawMse, collision, epoch, trainSeconds } = await rqKmeansPlus(industrialVectors());
  const note = `epoch ${epoch}, ${trainSeconds.toFixed(0)} s of training`;
  const shared = { floor: null, spread: 0, precision: 'float32', peerPrecision: 'float32', note };
  return [
    {
      name: 'rqkmeans-plus error',
      ...{ ours: rawMse, peer: start.mse, ratio: rawMse / start.mse, unit: 'mse', ...shared },
      ...{ goal: 'below 1 x', reached: rawMse < start.mse },
    },
    {
      name: 'rqkmeans-plus raw collisions',
      ...{
        ours: collision.raw,
        peer: start.collision,
        ratio: collision.raw / start.collision,
        unit: 'rate',
        ...shared,
      },
      ...{ goal: 'at most 1 x', reached: collision.raw <= start.collision },
    },
  ];
}
