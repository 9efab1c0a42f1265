/**
 * The optimal assignment of items to clusters of limited size: minimum-cost flow, exact.
 *
 * The problem that k-means-constrained (Levy-Kramer 2018, after Bradley, Bennett & Demiriz 2000) hands to OR-tools:
 * every item to one cluster, cluster k gets lower_k to upper_k items, the sum of costs is least. Here the network is
 * shrunk to its K clusters and a ground node that the clusters' flows end in: an arc a -> b is the item of a that is
 * cheapest to move to b. Successive shortest paths on it (Dijkstra on reduced costs, as Jonker & Volgenant 1987 do for
 * n = K) take a unit from a cluster with too many items to one with room, until none has too many. Departures:
 *   1. it starts from prices: those given (the last iteration's of k-means), else zero, after sweeps of dual ascent
 *      (`assignment-prices.ts`) that leave few units to move;
 *   2. costs are whole numbers, so the result is the optimum, not near it.
 * The fused implementation (`kernels/tensorflow/ops/balanced_assign.cc`) does the same; of several optima it may end on another.
 *
 * Shapes: N items, K clusters; node K is the ground.
 */
import * as tf from '@tensorflow/tfjs';
import { chooseImplementation, runFused } from '../../ops/fused.js';
import { InputError } from '../../support/errors.js';
import { type AssignmentProblem, raisePrices } from './assignment-prices.js';

const KERNEL = 'SidlabBalancedAssign';

/** Options of `balancedAssign`. */
export interface BalancedAssignOptions {
  /** Prices to start from [K], such as those of a similar problem's result; not changed. Default all 0. */
  prices?: Float64Array;
  /** Sweeps of dual ascent before the paths. Default 1. */
  sweeps?: number;
}

/** An optimal assignment of N items to K clusters. */
export interface BalancedAssignment {
  /** [N] */
  clusters: Int32Array;
  /** The sum of the costs: the least possible. */
  cost: number;
  /** The dual's optimum [K]: with them every item is in its cheapest cluster. */
  prices: Float64Array;
}

/**
 * @throws InputError where no assignment keeps to the limits
 * @throws RangeError for arrays of other lengths, costs that are not below 2^30, prices that are not finite
 */
export function balancedAssign(problem: AssignmentProblem, options: BalancedAssignOptions = {}): BalancedAssignment {
  checkProblem(problem);
  const { items, clusters, costs } = problem;
  checkPrices(options.prices, clusters);
  const prices = options.prices ? options.prices.map(Math.round) : new Float64Array(clusters);
  const found = chooseImplementation(KERNEL, plainAssign, fusedAssign)(problem, prices, options.sweeps ?? 1);
  let cost = 0;
  for (let i = 0; i < items; i++) cost += costs[i * clusters + found.clusters[i]!]!;
  return { ...found, cost };
}

type Assign = (
  problem: AssignmentProblem,
  start: Float64Array,
  sweeps: number,
) => Pick<BalancedAssignment, 'clusters' | 'prices'>;

const plainAssign: Assign = (problem, start, sweeps) => {
  const { clusters } = problem;
  const prices = new Float64Array(clusters + 1); // the last is the ground's
  prices.set(start);
  const choice = raisePrices(problem, prices.subarray(0, clusters), sweeps);
  const network = new ClusterNetwork(problem, prices, choice);
  network.moveExcess();
  const ground = prices[clusters]!;
  return { clusters: network.cluster, prices: prices.subarray(0, clusters).map((price) => price - ground) };
};

const fusedAssign: Assign = ({ items, clusters, costs, lower, upper }, start, sweeps) => {
  const limits = new Int32Array(2 * clusters);
  limits.set(lower);
  limits.set(upper, clusters);
  const inputs = [
    tf.tensor2d(costs, [items, clusters], 'int32'),
    tf.tensor2d(limits, [2, clusters], 'int32'),
    tf.tensor1d(new Int32Array(start.slice().buffer), 'int32'), // the bits of float64
    tf.tensor1d([sweeps], 'int32'),
  ];
  const outputs = runFused(KERNEL, inputs);
  const assigned = outputs[0]!.dataSync<'int32'>();
  const prices = new Float64Array(outputs[1]!.dataSync<'int32'>().slice().buffer);
  tf.dispose([inputs, outputs]);
  return { clusters: assigned, prices };
};

function checkPrices(prices: Float64Array | undefined, clusters: number): void {
  if (prices === undefined) return;
  if (prices.length !== clusters) {
    throw new RangeError(`balancedAssign: expected ${clusters} prices, got ${prices.length}`);
  }
  const bad = prices.findIndex((price) => !(Math.abs(price) < 2 ** 50));
  if (bad >= 0)
    throw new RangeError(`balancedAssign: expected prices below 2^50, got ${prices[bad]} of cluster ${bad}`);
}

function checkProblem({ items, clusters, costs, lower, upper }: AssignmentProblem): void {
  if (costs.length !== items * clusters || lower.length !== clusters || upper.length !== clusters) {
    throw new RangeError(
      `balancedAssign: expected ${items} x ${clusters} costs and ${clusters} limits, got ${costs.length}, ${lower.length} and ${upper.length}`,
    );
  }
  let [least, most] = [0, 0];
  for (let k = 0; k < clusters; k++) {
    if (lower[k]! < 0 || lower[k]! > upper[k]!) {
      throw new InputError(
        `balancedAssign: expected sizes from 0 or more up, got ${lower[k]} to ${upper[k]} of cluster ${k}`,
      );
    }
    least += lower[k]!;
    most += upper[k]!;
  }
  if (items < least || items > most) {
    throw new InputError(
      `balancedAssign: expected ${least} to ${most} items, what the clusters take, got ${items}; widen the limits`,
    );
  }
  for (let at = 0; at < costs.length; at++) {
    if (costs[at]! >= 2 ** 30 || costs[at]! <= -(2 ** 30))
      throw new RangeError('balancedAssign: expected costs below 2^30');
  }
}

class ClusterNetwork {
  readonly cluster: Int32Array;
  private readonly nodes: number;
  private readonly members: number[][];
  /** Cost of the cheapest move a -> b [(K + 1) * (K + 1)], and the item that moves; to and from the ground 0 or none. */
  private readonly move: Float64Array;
  private readonly mover: Int32Array;
  /** Items that go on from the cluster to the ground [K]. */
  private readonly flow: Int32Array;
  /** Items too many [K + 1]; negative where there is room. */
  private readonly excess: Int32Array;
  private readonly distance: Float64Array;
  private readonly from: Int32Array;
  /** Nodes of a search, the open ones first [K + 1]. */
  private readonly open: Int32Array;

  constructor(
    private readonly problem: AssignmentProblem,
    private readonly prices: Float64Array,
    choice: Int32Array,
  ) {
    const { items, clusters, lower, upper } = problem;
    this.cluster = choice;
    this.members = Array.from({ length: clusters }, () => []);
    for (let i = 0; i < items; i++) this.members[choice[i]!]!.push(i);
    this.flow = new Int32Array(clusters);
    this.excess = new Int32Array(clusters + 1);
    this.excess[clusters] = -items;
    this.setFlows(lower, upper);
    this.spreadTies();
    this.nodes = clusters + 1;
    this.move = new Float64Array(this.nodes * this.nodes).fill(Infinity);
    this.mover = new Int32Array(this.nodes * this.nodes).fill(-1);
    for (let i = 0; i < items; i++) this.offer(i);
    for (let k = 0; k < clusters; k++) this.openGround(k);
    this.distance = new Float64Array(clusters + 1);
    this.from = new Int32Array(clusters + 1);
    this.open = new Int32Array(clusters + 1);
  }

  /** Flows to the ground that fit the prices: full at a positive one, least at a negative one. */
  private setFlows(lower: Int32Array, upper: Int32Array): void {
    const ground = this.flow.length;
    for (let k = 0; k < ground; k++) {
      const size = this.members[k]!.length;
      const price = this.prices[k]!;
      const flow = price > 0 ? upper[k]! : price < 0 ? lower[k]! : Math.min(upper[k]!, Math.max(lower[k]!, size));
      this.flow[k] = flow;
      this.excess[k] = size - flow;
      this.excess[ground]! += flow;
    }
  }

  /** Items of full clusters that cost no more elsewhere go where there is room. */
  private spreadTies(): void {
    const { clusters, costs } = this.problem;
    const { excess, prices } = this;
    for (let a = 0; a < clusters; a++) {
      if (excess[a]! <= 0) continue;
      this.members[a] = this.members[a]!.filter((i) => {
        if (excess[a]! <= 0) return true;
        const row = i * clusters;
        const now = costs[row + a]! + prices[a]!;
        for (let b = 0; b < clusters; b++) {
          if (excess[b]! >= 0 || costs[row + b]! + prices[b]! > now) continue;
          this.cluster[i] = b;
          this.members[b]!.push(i);
          excess[a]!--;
          excess[b]!++;
          return false;
        }
        return true;
      });
    }
  }

  /** Item `i` as the one to move out of its cluster, where it is the cheapest. */
  private offer(i: number): void {
    const { clusters, costs } = this.problem;
    const a = this.cluster[i]! * this.nodes;
    const row = i * clusters;
    const own = costs[row + this.cluster[i]!]!;
    const { move, mover } = this;
    for (let b = 0; b < clusters; b++) {
      const cost = costs[row + b]! - own;
      if (cost < move[a + b]!) {
        move[a + b] = cost;
        mover[a + b] = i;
      }
    }
  }

  /** Moves unit after unit along shortest paths until no node has too much. */
  moveExcess(): void {
    for (let source = 0; source < this.excess.length; source++) {
      while (this.excess[source]! > 0) {
        const target = this.shortestPath(source);
        for (let node = target; node !== source; node = this.from[node]!) this.pass(this.from[node]!, node);
        this.excess[source]!--;
        this.excess[target]!++;
      }
    }
  }

  /**
   * Dijkstra from `source` to the nearest node with room, on costs reduced by the prices. Prices change so that the
   * path costs nothing. One pass over the open nodes relaxes the arcs of a node and finds the next.
   */
  private shortestPath(source: number): number {
    const { distance, excess, prices, open } = this;
    distance.fill(Infinity);
    distance[source] = 0;
    for (let v = 0; v < open.length; v++) open[v] = v;
    let left = open.length;
    let place = source; // of the nearest node among the open ones
    for (;;) {
      const a = open[place]!;
      const nearest = distance[a]!;
      if (nearest === Infinity) throw new Error('balancedAssign: no path; the limits cannot be met');
      open[place] = open[--left]!;
      open[left] = a; // settled nodes lie behind the open ones
      if (excess[a]! < 0) {
        for (let s = left + 1; s < open.length; s++) prices[open[s]!]! += nearest - distance[open[s]!]!;
        return a;
      }
      place = this.relax(a, nearest - prices[a]!, left);
    }
  }

  /** Relaxes the arcs of `a`. @returns the place of the nearest of the `left` open nodes */
  private relax(a: number, base: number, left: number): number {
    const { distance, from, prices, open, move } = this;
    const row = a * this.nodes;
    let place = 0;
    let nearest = Infinity;
    for (let o = 0; o < left; o++) {
      const b = open[o]!;
      const reach = base + move[row + b]! + prices[b]!;
      let d = distance[b]!;
      if (reach < d) {
        distance[b] = d = reach;
        from[b] = a;
      }
      if (d < nearest) {
        nearest = d;
        place = o;
      }
    }
    return place;
  }

  /** The arcs between cluster `k` and the ground, open while its flow can grow or shrink. */
  private openGround(k: number): void {
    const { nodes, move, flow } = this;
    const { lower, upper } = this.problem;
    move[k * nodes + nodes - 1] = flow[k]! < upper[k]! ? 0 : Infinity;
    move[(nodes - 1) * nodes + k] = flow[k]! > lower[k]! ? 0 : Infinity;
  }

  /** One unit from node `a` to node `b`: an item moves, or a flow to the ground changes. */
  private pass(a: number, b: number): void {
    const { clusters } = this.problem;
    if (b === clusters) {
      this.flow[a]!++;
      this.openGround(a);
    } else if (a === clusters) {
      this.flow[b]!--;
      this.openGround(b);
    } else {
      const i = this.mover[a * this.nodes + b]!;
      const own = this.members[a]!;
      own[own.indexOf(i)] = own[own.length - 1]!;
      own.pop();
      this.members[b]!.push(i);
      this.cluster[i] = b;
      this.forget(a, i);
      this.offer(i);
    }
  }

  /** Finds the cheapest moves out of `a` anew where they were item `i`'s, which has left. */
  private forget(a: number, i: number): void {
    const { clusters, costs } = this.problem;
    const { move, mover } = this;
    const row = a * this.nodes;
    for (let b = 0; b < clusters; b++) {
      if (mover[row + b] !== i) continue;
      let best = Infinity;
      let bestItem = -1;
      for (const j of this.members[a]!) {
        const cost = costs[j * clusters + b]! - costs[j * clusters + a]!;
        if (cost < best) {
          best = cost;
          bestItem = j;
        }
      }
      move[row + b] = best;
      mover[row + b] = bestItem;
    }
  }
}
