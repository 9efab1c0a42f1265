/**
 * One balanced assignment, 3,686 items x 256 clusters of 13 to 15, to k-means++ centres: ours from nothing (no prices
 * of a round before) against OR-tools' SimpleMinCostFlow with the arcs filled in, on the same whole numbers.
 */
import { Random } from 'sidlab';
import { balancedAssign, EngineDistances, kmeansPlusPlus, wholeCosts } from 'sidlab/sid';
import { industrialVectors } from '../industrial-vectors.js';
import { inTurn, peerFolder, runPeer, timed } from '../peer.js';
import type { Row } from '../row.js';

export async function balancedAssignBench(): Promise<Row[]> {
  const vectors = industrialVectors();
  const rows = new EngineDistances(vectors);
  const { costs } = wholeCosts(rows.distances(kmeansPlusPlus(vectors, 256, new Random(42))), 2 ** 20);
  rows.dispose();
  const [items, clusters, least, most] = [vectors.rows, 256, 13, 15];
  const problem = {
    items,
    clusters,
    costs,
    lower: new Int32Array(clusters).fill(least),
    upper: new Int32Array(clusters).fill(most),
  };
  const folder = peerFolder({ items, clusters, least, most }, {}, { costs });
  const { times, ours, peer } = await inTurn(
    7,
    () => timed(() => balancedAssign(problem)),
    () => runPeer<{ seconds: number; cost: number }>('assign.py', folder),
  );
  const apart = typeof peer === 'string' ? NaN : ours.value.cost / peer.cost - 1;
  return [
    {
      name: 'balanced-assign',
      ...times,
      floor: null,
      unit: 's',
      precision: null,
      goal: 'at most 0.11 x, cost within 0.01 %',
      reached: times.ratio !== null && times.ratio <= 0.11 && Math.abs(apart) <= 1e-4,
      note: typeof peer === 'string' ? peer : `cost ${ours.value.cost}, of OR-tools ${peer.cost}`,
    },
  ];
}
