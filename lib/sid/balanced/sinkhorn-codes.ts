/**
 * Sinkhorn-balanced assignment: the plan between items and codes, made whole under a capacity.
 *
 * Follows MiniOneRec's uniform assignment of RQ-Kmeans, and the centring of RQ-VAE's Sinkhorn (costs on [-1, 1], epsilon
 * 0.003, 50 iterations). Departure: the largest entry of each row keeps to no capacity, so here items propose to their
 * codes in the plan's order, and a full code keeps those that the plan sends it most of (Gale & Shapley 1962).
 *
 * Shapes: N items, K codes, D width.
 */
import type { Vectors } from '../../files/npy.js';
import { checkRows } from '../check-input.js';
import { distancesOnce } from '../kmeans/engine-distances.js';
import { sinkhorn } from './sinkhorn.js';

/** How `sinkhornCodes` balances. */
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
 * @throws InputError for a row or centre that is not finite, or of another width
 */
export function sinkhornCodes(vectors: Vectors, centres: Vectors, options: UniformCodesOptions = {}): Int32Array {
  const [n, k] = [vectors.rows, centres.rows];
  const { capacity = Math.ceil(n / k), epsilon = 0.003, iterations = 50 } = options;
  checkRows(vectors, 'sinkhornCodes');
  checkRows(centres, 'sinkhornCodes: centres', vectors.width);
  const costs = centred(distancesOnce(vectors, centres));
  const plan = sinkhorn(costs, new Float64Array(n).fill(1 / n), new Float64Array(k).fill(1 / k), {
    epsilon,
    iterations,
  });
  return roundToCapacities(plan, n, new Int32Array(k).fill(capacity));
}

/** Onto [-1, 1], in place; equal costs become 0. (Each row's own constant, |x|^2, changes no plan.) */
function centred(costs: Float32Array): Float32Array {
  let [low, high] = [Infinity, -Infinity];
  for (const cost of costs) {
    if (cost < low) low = cost;
    if (cost > high) high = cost;
  }
  const [middle, half] = [(high + low) / 2, (high - low) / 2 + 1e-5];
  for (let at = 0; at < costs.length; at++) costs[at] = (costs[at]! - middle) / half;
  return costs;
}

/**
 * Items propose to the columns in the order of their row, ties to the lower; a column that is full keeps the items
 * with the larger entries, ties to the earlier.
 * @param plan [N * K]
 * @param capacities items a column at most [K]
 * @returns a column of each item [N]
 * @throws RangeError for capacities that do not take all items, or an entry that is not finite
 */
export function roundToCapacities(plan: ArrayLike<number>, items: number, capacities: Int32Array): Int32Array {
  const k = capacities.length;
  const room = capacities.reduce((sum, capacity) => sum + capacity, 0);
  if (room < items) {
    throw new RangeError(`roundToCapacities: expected room for ${items} items, got ${room}; raise the capacity`);
  }
  checkPlan(plan, k);
  const codes = new Int32Array(items).fill(-1);
  const columns = Array.from(
    capacities,
    (_, code) =>
      new Heap((a, b) => {
        const [x, y] = [plan[a * k + code]!, plan[b * k + code]!];
        return x < y || (x === y && a > b);
      }),
  );
  const waiting = Array.from({ length: items }, (_, i) => items - 1 - i);
  while (waiting.length > 0) {
    const i = waiting.pop()!;
    const code = nextColumn(plan, i * k, k, codes[i]!);
    codes[i] = code;
    columns[code]!.push(i);
    if (columns[code]!.size > capacities[code]!) waiting.push(columns[code]!.pop());
  }
  return codes;
}

function checkPlan(plan: ArrayLike<number>, k: number): void {
  for (let at = 0; at < plan.length; at++) {
    if (Number.isFinite(plan[at])) continue;
    throw new RangeError(`roundToCapacities: row ${Math.floor(at / k)}, column ${at % k} of the plan is ${plan[at]}`);
  }
}

/** The largest entry of a row after the one at `last`, in the order of proposals; -1 comes before all. */
function nextColumn(plan: ArrayLike<number>, row: number, k: number, last: number): number {
  const before = last < 0 ? Infinity : plan[row + last]!;
  let best = -1;
  for (let j = 0; j < k; j++) {
    const entry = plan[row + j]!;
    if (entry > before || (entry === before && j <= last)) continue; // it has proposed there
    if (best < 0 || entry > plan[row + best]!) best = j;
  }
  return best;
}

/** A binary heap of items, the worst first. */
class Heap {
  private readonly items: number[] = [];

  constructor(private readonly isWorse: (a: number, b: number) => boolean) {}

  get size(): number {
    return this.items.length;
  }

  push(item: number): void {
    const { items } = this;
    let at = items.push(item) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.isWorse(item, items[parent]!)) break;
      items[at] = items[parent]!;
      at = parent;
    }
    items[at] = item;
  }

  /** Removes the worst. */
  pop(): number {
    const { items } = this;
    const [worst, item] = [items[0]!, items.pop()!];
    if (items.length === 0) return worst;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= items.length) break;
      if (child + 1 < items.length && this.isWorse(items[child + 1]!, items[child]!)) child++;
      if (!this.isWorse(items[child]!, item)) break;
      items[at] = items[child]!;
      at = child;
    }
    items[at] = item;
    return worst;
  }
}
