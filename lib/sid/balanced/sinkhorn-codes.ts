/**
 * Codes dealt out evenly: Sinkhorn's plan between items and codes, made whole under a capacity.
 *
 * Follows MiniOneRec's uniform assignment of RQ-Kmeans, and the centring of RQ-VAE's Sinkhorn (costs on [-1, 1], epsilon
 * 0.003, 50 rounds). Departure: the largest entry of each row keeps to no capacity, so here items propose to their
 * codes in the plan's order, and a full code keeps those that the plan sends it most of (Gale & Shapley 1962).
 *
 * Shapes: N items, K codes, D width.
 */
import type { Vectors } from '../../files/npy.js';
import { EngineDistances } from '../kmeans/engine-distances.js';
import { sinkhorn } from './sinkhorn.js';

export interface UniformCodesOptions {
  /** Items a code at most; at least N/K. Default N/K rounded up. */
  capacity?: number;
  /** As `sinkhorn`'s, on costs in [-1, 1]. Default 0.003. */
  epsilon?: number;
  /** Default 50. */
  iterations?: number;
}

/**
 * @param vectors [N, D]
 * @param centres [K, D]
 * @returns a code of each row [N], none given to more rows than the capacity
 * @throws RangeError for a capacity that does not take all rows
 */
export function sinkhornCodes(vectors: Vectors, centres: Vectors, options: UniformCodesOptions = {}): Int32Array {
  const [n, k] = [vectors.rows, centres.rows];
  const { capacity = Math.ceil(n / k), epsilon = 0.003, iterations = 50 } = options;
  const rows = new EngineDistances(vectors);
  const costs = centred(rows.distances(centres));
  rows.dispose();
  const plan = sinkhorn(costs, new Float64Array(n).fill(1 / n), new Float64Array(k).fill(1 / k), {
    epsilon,
    iterations,
  });
  return roundToCapacities(plan, n, new Int32Array(k).fill(capacity));
}

/** Onto [-1, 1]; equal costs become 0. (Each row's own constant, |x|^2, changes no plan.) */
function centred(costs: Float32Array): Float32Array {
  let [low, high] = [Infinity, -Infinity];
  for (const cost of costs) {
    if (cost < low) low = cost;
    if (cost > high) high = cost;
  }
  const [middle, half] = [(high + low) / 2, (high - low) / 2 + 1e-5];
  return costs.map((cost) => (cost - middle) / half);
}

/**
 * Items propose to the columns in the order of their row, ties to the lower; a column that is full keeps the items
 * with the larger entries, ties to the earlier.
 * @param plan [N * K]
 * @param capacities items a column at most [K]
 * @returns a column of each item [N]
 * @throws RangeError for capacities that do not take all items
 */
export function roundToCapacities(plan: ArrayLike<number>, items: number, capacities: Int32Array): Int32Array {
  const k = capacities.length;
  const room = capacities.reduce((sum, capacity) => sum + capacity, 0);
  if (room < items) throw new RangeError(`dealOut: expected room for ${items} items, got ${room}; raise the capacity`);
  const codes = new Int32Array(items).fill(-1);
  const held: number[][] = Array.from({ length: k }, () => []);
  const refused = new Uint8Array(items * k);
  const waiting = Array.from({ length: items }, (_, i) => items - 1 - i);
  while (waiting.length > 0) {
    const i = waiting.pop()!;
    let code = -1;
    for (let j = 0; j < k; j++) {
      if (refused[i * k + j]) continue;
      if (code < 0 || plan[i * k + j]! > plan[i * k + code]!) code = j;
    }
    refused[i * k + code] = 1; // it proposes once
    codes[i] = code;
    const own = held[code]!;
    own.push(i);
    if (own.length <= capacities[code]!) continue;
    const entry = (item: number): number => plan[item * k + code]!;
    const worst = own.reduce((w, item) =>
      entry(item) < entry(w) || (entry(item) === entry(w) && item > w) ? item : w,
    );
    own.splice(own.indexOf(worst), 1);
    waiting.push(worst);
  }
  return codes;
}
