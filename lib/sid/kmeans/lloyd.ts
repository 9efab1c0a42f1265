/**
 * Lloyd's iterations of k-means, exact, in which only centres that moved are looked at.
 *
 * Follows Kaukoranta, Franti & Nevalainen, "A fast exact GLA based on code vector activity detection" (IEEE TIP 2000):
 * after a few iterations most centres do not move, and a row whose own centre is still the nearer one needs no distance
 * to those. (Hamerly's bounds by the triangle inequality pass over fewer rows here: one large cluster that drifts
 * opens them all.) Departures:
 *   1. each row keeps a lower bound of its distance to all centres but its own, which a centre that does not
 *      move cannot break; rows that the moved centres do not decide go through the engine against all centres, one product
 *      for all such rows;
 *   2. the engine's float32 distances propose; where they differ by no more than their error float64 decides
 *      (`distance.ts`), so that equal rows get equal codes on every engine;
 *   3. sums of clusters change by the rows that changed their code alone, in the order of the rows.
 * Several processes look for the codes of some rows each, tell one another which they found, and make the same sums of
 * them: the centres are the same bits with any number of processes. A code that loses its last row keeps its place.
 * The fused implementation (`kernels/tensorflow/ops/kmeans_rounds.cc`) keeps a bound for every row and centre, as Elkan's
 * "Using the triangle inequality to accelerate k-means" (ICML 2003), and copies nothing between the iterations.
 *
 * Shapes: N rows, K codes, M codes that moved, D width. Distances are less |x|^2 throughout.
 */
import * as tf from '@tensorflow/tfjs';
import { ownRange } from '../../cluster/alone.js';
import type { Cluster } from '../../cluster/cluster.js';
import { rowOf, rowSlice, type Vectors } from '../../files/npy.js';
import { chooseImplementation, runFused } from '../../ops/fused.js';
import { checkRows } from '../check-input.js';
import { squaredDistance, squaredNorms } from './distance.js';
import { EngineDistances } from './engine-distances.js';

const KERNEL = 'SidlabKmeansRounds';

/** Rows times codes beyond which the bounds of the fused implementation take too much memory, four bytes each. */
const MOST_BOUNDS = 2 ** 28;

/** The centres [K, D], and what was found with them. */
export interface KmeansResult extends Vectors {
  /** The nearest centre of each row [N], ties to the lower. */
  codes: Int32Array;
  /** Sum of the rows' squared distances from their centres. */
  error: number;
  /** Iterations until no row changed its code, or as many as were allowed. */
  rounds: number;
}

/**
 * Lloyd's iterations from given centres.
 * @param vectors [N, D]
 * @param start [K, D]
 * @param iterations at most; 0 only looks for the nearest centres
 * @param cluster processes that have the same rows and centres, and share the work
 * @throws InputError for a row or centre that is not finite, or of another width
 */
export function lloyd(vectors: Vectors, start: Vectors, iterations: number, cluster?: Cluster): KmeansResult {
  checkRows(vectors, 'lloyd');
  checkRows(start, 'lloyd: centres', vectors.width);
  if (cluster) return plainLloyd(vectors, start, iterations, cluster);
  const fits = iterations === 0 || vectors.rows * start.rows <= MOST_BOUNDS;
  return (fits ? chooseImplementation(KERNEL, plainLloyd, fusedLloyd) : plainLloyd)(vectors, start, iterations);
}

function fusedLloyd(vectors: Vectors, start: Vectors, iterations: number): KmeansResult {
  const { rows, width } = start;
  const inputs = [
    tf.tensor2d(vectors.data, [vectors.rows, width]),
    tf.tensor2d(start.data, [rows, width]),
    tf.tensor1d([iterations], 'int32'),
  ];
  const outputs = runFused(KERNEL, inputs);
  const data = outputs[0]!.dataSync<'float32'>();
  const codes = outputs[1]!.dataSync<'int32'>();
  const found = outputs[2]!.dataSync<'int32'>();
  tf.dispose([inputs, outputs]);
  const error = new Float64Array(found.slice(1).buffer)[0]!; // two whole numbers are its bits
  return { rows, width, data, codes, error, rounds: found[0]! };
}

function plainLloyd(vectors: Vectors, start: Vectors, iterations: number, cluster?: Cluster): KmeansResult {
  const state = new LloydState(vectors, start, cluster);
  try {
    let rounds = 0;
    let converged = false;
    while (!converged && rounds < iterations) {
      converged = state.assign() === 0;
      if (!converged) state.update();
      rounds++;
    }
    if (!converged) state.assign();
    return { ...state.centres, codes: state.codes, error: state.error(), rounds };
  } finally {
    state.dispose();
  }
}

/** Rows whose nearest centres are looked for at once: the engine gets a copy of them. */
const BLOCK = 65_536;

/** The nearest centre of each row [N], ties to the lower, block by block of the rows. */
export function nearestCodes(vectors: Vectors, centres: Vectors): Int32Array {
  const codes = new Int32Array(vectors.rows);
  for (let first = 0; first < vectors.rows; first += BLOCK) {
    const block = rowSlice(vectors, first, Math.min(vectors.rows, first + BLOCK));
    codes.set(lloyd(block, centres, 0).codes, first);
  }
  return codes;
}

/** What float32 products of unit size may be off by; the error grows with the rows' and centres' squares. */
const FLOAT32_ERROR = 4e-6;

class LloydState {
  readonly codes: Int32Array;
  readonly centres: Vectors;
  /** The first row of those whose codes this process looks for, and the first after them. */
  private readonly range: readonly [from: number, to: number];
  private readonly rows: EngineDistances;
  /** What was found for them. */
  private readonly found: Int32Array;
  /** |x|^2 [N] */
  private readonly squares: Float64Array;
  /** Distance to the own centre [N]. */
  private readonly own: Float64Array;
  /** Of the distances to all others, no more than the least [N]. */
  private readonly others: Float64Array;
  private readonly sums: Float64Array;
  private readonly counts: Int32Array;
  /** Codes whose centres moved since rows were last given theirs. */
  private moved: number[];

  constructor(
    private readonly vectors: Vectors,
    start: Vectors,
    private readonly cluster?: Cluster,
  ) {
    this.centres = { rows: start.rows, width: start.width, data: start.data.slice() };
    this.codes = new Int32Array(vectors.rows).fill(-1);
    this.range = ownRange(cluster, vectors.rows);
    this.rows = new EngineDistances(rowSlice(vectors, ...this.range));
    this.found = new Int32Array(this.range[1] - this.range[0]);
    this.squares = squaredNorms(vectors);
    this.own = new Float64Array(vectors.rows);
    this.others = new Float64Array(vectors.rows);
    this.sums = new Float64Array(start.data.length);
    this.counts = new Int32Array(start.rows);
    this.moved = [...Array(start.rows).keys()];
  }

  dispose(): void {
    this.rows.dispose();
  }

  /** Gives every row its nearest centre. @returns how many changed their code */
  assign(): number {
    this.find();
    const { cluster, found } = this;
    let [changed, first] = [0, 0];
    for (const codes of cluster?.integers(found) ?? [found]) {
      changed += this.take(codes, first);
      first += codes.length;
    }
    return changed;
  }

  /** The nearest centres of this process's rows. */
  private find(): void {
    const { vectors, centres, moved } = this;
    const [from] = this.range;
    const largest = squaredNorms(centres).reduce((most, square) => Math.max(most, square), 0);
    const slack = (row: number): number => FLOAT32_ERROR * (this.squares[row]! + largest);
    if (moved.length > centres.rows / 2) {
      this.rows.forEachChunk(centres, (first, rows, distances) => {
        for (let i = 0, row = from + first; i < rows; i++, row++) {
          this.choose(row, distances, i * centres.rows, slack(row));
        }
      });
      return;
    }
    if (moved.length === 0) return;
    const open: number[] = [];
    const place = new Int32Array(centres.rows).fill(-1);
    moved.forEach((code, m) => (place[code] = m));
    this.rows.forEachChunk(gather(centres, moved), (first, rows, distances) => {
      for (let i = 0, row = from + first; i < rows; i++, row++) {
        if (!this.chooseMoved(row, distances, i * moved.length, place, slack(row))) open.push(row);
      }
    });
    if (open.length === 0) return;
    const some = new EngineDistances(gather(vectors, open));
    some.forEachChunk(centres, (first, rows, distances) => {
      for (let i = 0; i < rows; i++) {
        const row = open[first + i]!;
        this.choose(row, distances, i * centres.rows, slack(row));
      }
    });
    some.dispose();
  }

  /**
   * Chooses between the row's own centre and those that moved.
   * @param place of a code among those that moved, else -1 [K]
   * @returns false where only all centres can tell
   */
  private chooseMoved(row: number, distances: Float32Array, at: number, place: Int32Array, slack: number): boolean {
    const { moved, codes, others } = this;
    const old = codes[row]!;
    const unmoved = place[old]! < 0;
    let best = old;
    let nearest = unmoved ? this.own[row]! : distances[at + place[old]!]!;
    let second = Infinity;
    for (let m = 0; m < moved.length; m++) {
      const distance = distances[at + m]!;
      if (distance >= second || moved[m] === old) continue;
      if (distance < nearest) {
        second = nearest;
        nearest = distance;
        best = moved[m]!;
      } else second = distance;
    }
    second = Math.min(second, others[row]!);
    if (second - nearest <= slack) return false;
    this.own[row] = nearest;
    others[row] = second;
    this.found[row - this.range[0]] = best;
    return true;
  }

  /** Chooses among all centres. @param slack what the distances may be off by */
  private choose(row: number, distances: Float32Array, at: number, slack: number): void {
    const codes = this.centres.rows;
    let [best, nearest, second] = [0, Infinity, Infinity];
    for (let k = 0; k < codes; k++) {
      const distance = distances[at + k]!;
      if (distance >= second) continue;
      if (distance < nearest) {
        second = nearest;
        nearest = distance;
        best = k;
      } else second = distance;
    }
    if (second - nearest <= slack) best = this.decide(row, distances, at, nearest + slack);
    this.own[row] = distances[at + best]!;
    this.others[row] = this.own[row] === nearest ? second : nearest;
    this.found[row - this.range[0]] = best;
  }

  /** Gives rows from `first` on their codes. @returns how many changed theirs */
  private take(codes: Int32Array, first: number): number {
    let changed = 0;
    for (let i = 0, row = first; i < codes.length; i++, row++) {
      const [old, code] = [this.codes[row]!, codes[i]!];
      if (old === code) continue;
      this.codes[row] = code;
      if (old >= 0) this.add(row, old, -1);
      this.add(row, code, 1);
      changed++;
    }
    return changed;
  }

  /** The nearest in float64 of the centres whose float32 distance is at most `limit`; ties to the lower. */
  private decide(row: number, distances: Float32Array, at: number, limit: number): number {
    const x = rowOf(this.vectors, row);
    let best = 0;
    let nearest = Infinity;
    for (let k = 0; k < this.centres.rows; k++) {
      if (distances[at + k]! > limit) continue;
      const distance = squaredDistance(x, rowOf(this.centres, k));
      if (distance < nearest) [best, nearest] = [k, distance];
    }
    return best;
  }

  private add(row: number, code: number, sign: number): void {
    const { width, data } = this.vectors;
    const { sums } = this;
    const [from, to] = [row * width, code * width];
    for (let j = 0; j < width; j++) sums[to + j]! += sign * data[from + j]!;
    this.counts[code]! += sign;
  }

  /** Moves the centres to the means of their rows. */
  update(): void {
    const { sums, counts } = this;
    const { rows, width, data } = this.centres;
    this.moved = [];
    for (let k = 0; k < rows; k++) {
      if (counts[k] === 0) continue;
      let still = true;
      for (let j = k * width; j < (k + 1) * width; j++) {
        const mean = Math.fround(sums[j]! / counts[k]!);
        if (mean === data[j]) continue;
        data[j] = mean;
        still = false;
      }
      if (!still) this.moved.push(k);
    }
  }

  error(): number {
    let sum = 0;
    const { vectors, centres, codes } = this;
    for (let i = 0; i < codes.length; i++) sum += squaredDistance(rowOf(vectors, i), rowOf(centres, codes[i]!));
    return sum;
  }
}

function gather(vectors: Vectors, rows: readonly number[]): Vectors {
  const data = new Float32Array(rows.length * vectors.width);
  rows.forEach((row, i) => data.set(rowOf(vectors, row), i * vectors.width));
  return { rows: rows.length, width: vectors.width, data };
}
