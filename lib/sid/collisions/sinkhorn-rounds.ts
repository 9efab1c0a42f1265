/**
 * Settles collisions by rounds of Sinkhorn: in each, every group of items on one SID gets its last codes anew, balanced
 * over the codebook (`generate_indices.py` of MiniOneRec and LC-Rec, arXiv 2311.09049). Items may share a SID still when
 * the rounds are over, and then keep it.
 *
 * Departures:
 *   1. items keep their own prefix; there it is the nearest codes', which is the same but for methods that balance theirs;
 *   2. logarithms in place of products: an epsilon of 0.003 takes exp to the edge of float64.
 *
 * Shapes: N items, G items of a group, L levels, K codes of the last level, D width.
 */
import { rowOf, type Vectors } from '../../files/npy.js';
import { squaredDistance } from '../kmeans/distance.js';

/** How Sinkhorn is run. */
export interface SinkhornRoundsOptions {
  /** Of distances that are shifted and scaled to [-1, 1]. Default 0.003. */
  epsilon?: number;
  /** Of Sinkhorn, each over items and codes. Default 50. */
  iterations?: number;
  /** At most. Default 20. */
  rounds?: number;
}

/**
 * @param vectors [N, D], in the space of the codebooks
 * @param codes [N][L]
 * @returns codes [N][L]; items of no group keep theirs
 */
export function sinkhornRounds(
  vectors: Vectors,
  codes: readonly number[][],
  codebooks: readonly Vectors[],
  { epsilon = 0.003, iterations = 50, rounds = 20 }: SinkhornRoundsOptions = {},
): number[][] {
  const settled = codes.map((path) => [...path]);
  const last = codebooks.length - 1;
  for (let round = 0; round < rounds; round++) {
    const groups = collidingGroups(settled);
    if (groups.length === 0) break;
    for (const group of groups) {
      const distances = group.map((item) => lastDistances(rowOf(vectors, item), settled[item]!, codebooks));
      balancedShares(distances, epsilon, iterations).forEach((code, i) => (settled[group[i]!]![last] = code));
    }
  }
  return settled;
}

/** Items of each SID that several have, in order of their ids. */
export function collidingGroups(codes: readonly (readonly number[])[]): number[][] {
  const groups = new Map<string, number[]>();
  codes.forEach((path, item) => {
    const sid = path.join();
    const group = groups.get(sid);
    if (group) group.push(item);
    else groups.set(sid, [item]);
  });
  return [...groups.values()].filter((group) => group.length > 1);
}

/** Squared distances of what the other levels leave of a vector [D] to the codes of the last [K]. */
function lastDistances(vector: Float32Array, path: readonly number[], codebooks: readonly Vectors[]): Float64Array {
  const residual = vector.slice();
  const last = codebooks.length - 1;
  for (let level = 0; level < last; level++) {
    const row = rowOf(codebooks[level]!, path[level]!);
    for (let j = 0; j < residual.length; j++) residual[j]! -= row[j]!;
  }
  const book = codebooks[last]!;
  return Float64Array.from({ length: book.rows }, (_, code) => squaredDistance(residual, rowOf(book, code)));
}

/** The code of each item's largest share; ties to the lower. @param distances [G][K] @returns [G] */
function balancedShares(distances: readonly Float64Array[], epsilon: number, iterations: number): number[] {
  let [low, high] = [Infinity, -Infinity];
  for (const row of distances) for (const d of row) [low, high] = [Math.min(low, d), Math.max(high, d)];
  const middle = (low + high) / 2;
  const logs = distances.map((row) => row.map((d) => (middle - d) / (high - middle + 1e-5) / epsilon));
  const codes = logs[0]!.length;
  for (let iteration = 0; iteration < iterations; iteration++) {
    for (const row of logs) {
      const sum = logSum(codes, (code) => row[code]!);
      for (let code = 0; code < codes; code++) row[code]! -= sum;
    }
    for (let code = 0; code < codes; code++) {
      const sum = logSum(logs.length, (item) => logs[item]![code]!);
      for (const row of logs) row[code]! -= sum;
    }
  }
  return logs.map((row) => row.indexOf(row.reduce((most, share) => Math.max(most, share), -Infinity)));
}

/** log of the sum of exp */
function logSum(count: number, at: (i: number) => number): number {
  let most = -Infinity;
  for (let i = 0; i < count; i++) most = Math.max(most, at(i));
  let sum = 0;
  for (let i = 0; i < count; i++) sum += Math.exp(at(i) - most);
  return most + Math.log(sum);
}
