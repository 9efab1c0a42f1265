/**
 * Residual k-means, 3 x 256 on 3,686 x 384: ours against scikit-learn's KMeans from the same first centres (greedy
 * k-means++, ours, through a file), both until no row changes its code or 100 rounds.
 */
import { kmeans, Random, type Vectors } from 'sidlab';
import { kmeansPlusPlus, subtractCodes } from 'sidlab/sid';
import { industrialVectors, productSeconds } from '../industrial-vectors.js';
import { inTurn, peerFolder, type Precise, runPeer, timed } from '../peer.js';
import type { Row } from '../row.js';

interface Result {
  seconds: number;
  /** A level. */
  inertia: number[];
  rounds: number[];
}

const ITERATIONS = 100;

export async function kmeansBench(): Promise<Row[]> {
  const vectors = industrialVectors();
  const starts: Vectors[] = [];
  const residualKmeans = (startOf: (residual: Vectors, level: number) => Vectors): Result => {
    const residual = { ...vectors, data: vectors.data.slice() };
    const result: Result = { seconds: 0, inertia: [], rounds: [] };
    for (let level = 0; level < 3; level++) {
      const start = startOf(residual, level);
      const { seconds, value } = timed(() => {
        const found = kmeans(residual, { codes: 256, iterations: ITERATIONS, init: start });
        subtractCodes(residual, found.codes, found);
        return found;
      });
      result.seconds += seconds;
      result.inertia.push(value.error);
      result.rounds.push(value.rounds);
    }
    return result;
  };
  residualKmeans((residual, level) => (starts[level] = kmeansPlusPlus(residual, 256, new Random(level))));
  const folder = peerFolder({ levels: 3, iterations: ITERATIONS }, { vectors, ...named(starts) });
  const { times, ours, peer } = await inTurn(
    5,
    () => residualKmeans((_, level) => starts[level]!),
    () => runPeer<Result & Precise>('kmeans.py', folder),
  );
  const off = typeof peer === 'string' ? NaN : Math.max(...ours.inertia.map((x, i) => x / peer.inertia[i]! - 1));
  const say = ({ inertia, rounds }: Result) =>
    inertia.map((x, i) => `${x.toFixed(1)} in ${rounds[i]} rounds`).join(', ');
  return [
    {
      name: 'kmeans',
      ...times,
      // What rounds without bounds cannot go below; ours may.
      floor: productSeconds(vectors, 256) * ours.rounds.reduce((sum, rounds) => sum + rounds, 0),
      unit: 's',
      precision: 'float32',
      goal: 'at most 0.5 x, inertia within 0.5 %',
      reached: times.ratio !== null && times.ratio <= 0.5 && off <= 0.005,
      note: typeof peer === 'string' ? peer : `inertia ${say(ours)}; of scikit-learn ${say(peer)}`,
    },
  ];
}

/** `start-0`, `start-1` ... */
export function named(starts: readonly Vectors[]): Record<string, Vectors> {
  return Object.fromEntries(starts.map((start, level) => [`start-${level}`, start]));
}
