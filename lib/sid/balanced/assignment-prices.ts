/**
 * Prices for clusters of limited size: ascent on the dual of the balanced assignment, one cluster at a time.
 *
 * With a price p_k on every cluster an item goes where cost + price is least. The dual
 *   sum_i min_k (c_ik + p_k) - sum_k (upper_k max(p_k, 0) - lower_k max(-p_k, 0))
 * is concave, and its best p_k, the others fixed, can be read off the prices at which items would leave k: between
 * those of the upper-th and the next item where too many would come for nothing, of the lower-th and the next where
 * too few would, else 0. (Bertsekas's auction moves prices for the same reason, a bid at a time.) Ascent along
 * coordinates gets stuck before the optimum; what is missing then is little, and `balancedAssign` makes it exact.
 *
 * Shapes: N items, K clusters.
 */

/** An assignment problem. Costs are whole numbers below 2^30, so that all arithmetic is exact. */
export interface AssignmentProblem {
  items: number;
  clusters: number;
  /** [N, K], row-major. */
  costs: Int32Array;
  /** Items a cluster at least and at most [K]. */
  lower: Int32Array;
  upper: Int32Array;
}

/** Each item's cheapest cluster at the prices, and the second [N]. */
interface Choices {
  best: Int32Array;
  bestCost: Float64Array;
  second: Int32Array;
  secondCost: Float64Array;
}

/**
 * @param prices [K], whole numbers; changed in place
 * @param sweeps over all clusters, at most
 * @returns each item's cheapest cluster at the prices [N]
 */
export function raisePrices(problem: AssignmentProblem, prices: Float64Array, sweeps: number): Int32Array {
  const { items, clusters, costs, lower, upper } = problem;
  const choices: Choices = {
    best: new Int32Array(items),
    bestCost: new Float64Array(items),
    second: new Int32Array(items),
    secondCost: new Float64Array(items),
  };
  for (let i = 0; i < items; i++) choose(problem, prices, choices, i);
  if (sweeps === 0) return choices.best;
  const sizes = new Int32Array(clusters);
  for (const k of choices.best) sizes[k]!++;
  const column = new Int32Array(items);
  const top = new Float64Array(upper.reduce((most, size) => Math.max(most, size), 0) + 1);
  for (let sweep = 0; sweep < sweeps; sweep++) {
    let changed = false;
    for (let k = 0; k < clusters; k++) {
      const room = prices[k]! > 0 ? upper[k]! : lower[k]!; // what fits its price
      if (sizes[k] === room || (prices[k] === 0 && sizes[k]! >= room && sizes[k]! <= upper[k]!)) continue;
      for (let i = 0; i < items; i++) column[i] = costs[i * clusters + k]!;
      const price = bestPrice(column, k, choices, lower[k]!, upper[k]!, top);
      if (price === prices[k]) continue;
      prices[k] = price;
      changed = true;
      reprice(problem, prices, choices, sizes, column, k);
    }
    if (!changed) break;
  }
  return choices.best;
}

/** Both choices of item `i` anew; ties to the lower cluster. */
function choose({ clusters, costs }: AssignmentProblem, prices: Float64Array, choices: Choices, i: number): void {
  let [best, second, bestCost, secondCost] = [0, 0, Infinity, Infinity];
  const row = i * clusters;
  for (let k = 0; k < clusters; k++) {
    const cost = costs[row + k]! + prices[k]!;
    if (cost >= secondCost) continue;
    if (cost < bestCost) {
      second = best;
      secondCost = bestCost;
      best = k;
      bestCost = cost;
    } else {
      second = k;
      secondCost = cost;
    }
  }
  choices.best[i] = best;
  choices.bestCost[i] = bestCost;
  choices.second[i] = second;
  choices.secondCost[i] = secondCost;
}

/** The dual's best price of cluster `k`, the middle of the best ones. `top` is room for upper + 1 numbers. */
function bestPrice(
  column: Int32Array,
  k: number,
  choices: Choices,
  lower: number,
  upper: number,
  top: Float64Array,
): number {
  const { best, bestCost, secondCost } = choices;
  const room = Math.min(upper + 1, column.length);
  let held = 0;
  for (let i = 0; i < column.length; i++) {
    const leaves = (best[i] === k ? secondCost[i]! : bestCost[i]!) - column[i]!; // the price at which i leaves k
    if (held < room) siftUp(top, held++, leaves);
    else if (leaves > top[0]!) siftDown(top, held, leaves);
  }
  top.subarray(0, held).sort();
  const nth = (rank: number): number => (rank <= held ? top[held - rank]! : -Infinity); // of the largest, from 1
  if (nth(upper + 1) > 0) {
    return upper === 0 ? nth(1) + 1 : Math.floor((nth(upper) + nth(upper + 1)) / 2); // beyond what any item pays
  }
  if (lower > 0 && nth(lower) < 0) return lower < held ? Math.ceil((nth(lower) + nth(lower + 1)) / 2) : nth(lower);
  return 0;
}

/** A heap with its smallest number first: adds one. */
function siftUp(heap: Float64Array, at: number, value: number): void {
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (heap[parent]! <= value) break;
    heap[at] = heap[parent]!;
    at = parent;
  }
  heap[at] = value;
}

/** Replaces the smallest number. */
function siftDown(heap: Float64Array, size: number, value: number): void {
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= size) break;
    if (child + 1 < size && heap[child + 1]! < heap[child]!) child++;
    if (heap[child]! >= value) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = value;
}

/** Brings all choices up to date after the price of cluster `k` changed. */
function reprice(
  problem: AssignmentProblem,
  prices: Float64Array,
  choices: Choices,
  sizes: Int32Array,
  column: Int32Array,
  k: number,
): void {
  const { best, bestCost, second, secondCost } = choices;
  const price = prices[k]!;
  for (let i = 0; i < column.length; i++) {
    const cost = column[i]! + price;
    if (best[i] === k) {
      if (cost <= secondCost[i]!) bestCost[i] = cost;
      else {
        choose(problem, prices, choices, i);
        sizes[k]!--;
        sizes[best[i]!]!++;
      }
    } else if (cost < bestCost[i]!) {
      sizes[best[i]!]!--;
      sizes[k]!++;
      second[i] = best[i]!;
      secondCost[i] = bestCost[i]!;
      best[i] = k;
      bestCost[i] = cost;
    } else if (second[i] === k) {
      if (cost <= secondCost[i]!) secondCost[i] = cost;
      else choose(problem, prices, choices, i);
    } else if (cost < secondCost[i]!) {
      second[i] = k;
      secondCost[i] = cost;
    }
  }
}
