/**
 * Residual k-means at scale, 4 x 256 on 100,000 x 384 rows drawn from a mixture of 1,000 Gaussians: ours against
 * faiss' ResidualQuantizer with beam 1, plain k-means at every level, all rows, random rows to start from on both
 * sides. Two rows: 10 rounds each (faiss starts every level from the same rows, which costs it error at later levels),
 * and as few of ours as end on no more than faiss' error.
 */
import { kmeans, Random, type Vectors } from 'sidlab';
import { subtractCodes } from 'sidlab/sid';
import { productSeconds } from '../industrial-vectors.js';
import { inTurn, peerFolder, type Precise, runPeer, timed } from '../peer.js';
import type { Row } from '../row.js';

const [ROWS, WIDTH, LEVELS, BITS, ITERATIONS] = [100_000, 384, 4, 8, 10];

/** Rounds of ours that end below faiss' error. */
const ENOUGH = 2;

export async function kmeansLarge(): Promise<Row[]> {
  const vectors = mixture();
  const folder = peerFolder({ levels: LEVELS, bits: BITS, iterations: ITERATIONS }, { vectors });
  const faiss = () => runPeer<Precise & { seconds: number; mse: number }>('kmeans_large.py', folder);
  const product = productSeconds(vectors, 2 ** BITS);
  const rows: Row[] = [];
  for (const iterations of [ITERATIONS, ENOUGH]) {
    const { times, ours, peer } = await inTurn(3, () => residualKmeans(vectors, iterations), faiss);
    const equal = typeof peer !== 'string' && ours.mse <= peer.mse * 1.005;
    rows.push({
      name: `kmeans-large ${iterations === ITERATIONS ? 'at equal rounds' : 'at equal error'}`,
      ...times,
      floor: product * LEVELS * (iterations + 1),
      unit: 's',
      precision: 'float32',
      goal: 'at most 1.0 x at equal error',
      reached: times.ratio !== null && times.ratio <= 1 && equal,
      note: typeof peer === 'string' ? peer : `error ${ours.mse.toFixed(5)}, of faiss ${peer.mse.toFixed(5)}`,
    });
  }
  return rows;
}

function residualKmeans(vectors: Vectors, iterations: number): { seconds: number; mse: number } {
  const { seconds, value } = timed(() => {
    const residual = { ...vectors, data: vectors.data.slice() };
    for (let level = 0; level < LEVELS; level++) {
      const found = kmeans(residual, { codes: 2 ** BITS, iterations, init: 'random-rows', seed: level });
      subtractCodes(residual, found.codes, found);
    }
    return residual;
  });
  let sum = 0;
  for (const x of value.data) sum += x * x;
  return { seconds, mse: sum / value.data.length };
}

function mixture(): Vectors {
  const random = new Random(1);
  const centres = Float32Array.from({ length: 1000 * WIDTH }, () => random.normal());
  const data = new Float32Array(ROWS * WIDTH);
  for (let i = 0; i < ROWS; i++) {
    const from = random.int(1000) * WIDTH;
    for (let j = 0; j < WIDTH; j++) data[i * WIDTH + j] = centres[from + j]! + random.normal();
  }
  return { rows: ROWS, width: WIDTH, data };
}
