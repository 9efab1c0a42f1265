/**
 * Lloyd's rounds of k-means, exact, with most rows passed over once the centres move little.
 *
 * Follows Hamerly, "Making k-means even faster" (SDM 2010): a row whose distance to its centre is at most (upper
 * bound) what its distance to any other is at least (lower bound) keeps its code without being looked at. Departures:
 *   1. the rows that are looked at go through the engine together, one matrix product for all; its float32 distances
 *      propose, and where they differ by no more than their error float64 decides (`distance.ts`), so that equal rows
 *      get equal codes on every engine;
 *   2. sums of clusters change by the rows that changed their code alone.
 * A code that loses its last row keeps its place.
 *
 * Shapes: N rows, K codes, D width.
 */
import { rowOf, type Vectors } from '../embed/npy.js';
import { squaredDistance } from './distance.js';
import { EngineRows } from './engine-rows.js';

/** The centres [K, D], and what was found with them. */
export interface KmeansResult extends Vectors {
  /** The nearest centre of each row [N], ties to the lower. */
  codes: Int32Array;
  /** Sum of the rows' squared distances from their centres. */
  error: number;
  /** Rounds until no row changed its code, or as many as were allowed. */
  rounds: number;
}

/**
 * @param start [K, D]
 * @param iterations rounds at most
 */
export function kmeansRounds(vectors: Vectors, start: Vectors, iterations: number): KmeansResult {
  const state = new Rounds(vectors, start);
  try {
    let rounds = 0;
    let settled = false;
    while (!settled && rounds < iterations) {
      settled = state.assign() === 0;
      if (!settled) state.update();
      rounds++;
    }
    if (!settled) state.assign();
    return { ...state.centres, codes: state.codes, error: state.error(), rounds };
  } finally {
    state.dispose();
  }
}

/** The nearest centre of each row [N], ties to the lower. */
export function nearestCodes(vectors: Vectors, centres: Vectors): Int32Array {
  const state = new Rounds(vectors, centres);
  state.assign();
  state.dispose();
  return state.codes;
}

class Rounds {
  readonly codes: Int32Array;
  readonly centres: Vectors;
  private readonly rows: EngineRows;
  /** |x|^2 [N] */
  private readonly squares: Float64Array;
  private readonly upper: Float64Array;
  private readonly lower: Float64Array;
  private readonly sums: Float64Array;
  private readonly counts: Int32Array;

  constructor(
    private readonly vectors: Vectors,
    start: Vectors,
  ) {
    this.centres = { ...start, data: start.data.slice() };
    this.codes = new Int32Array(vectors.rows).fill(-1);
    this.rows = new EngineRows(vectors);
    this.squares = squaresOf(vectors);
    this.upper = new Float64Array(vectors.rows).fill(Infinity);
    this.lower = new Float64Array(vectors.rows);
    this.sums = new Float64Array(start.data.length);
    this.counts = new Int32Array(start.rows);
  }

  dispose(): void {
    this.rows.dispose();
  }

  /** Gives every row its nearest centre. @returns how many changed their code */
  assign(): number {
    const { vectors, centres } = this;
    const open = this.openRows();
    // What float32 products may be off by, of numbers of this size.
    const scale = Math.max(...squaresOf(centres));
    let changed = 0;
    const look = (row: number, distances: Float32Array, at: number): void => {
      if (this.choose(row, distances, at, 4e-6 * (this.squares[row]! + scale))) changed++;
    };
    if (open.length > 0.5 * vectors.rows) {
      this.rows.forEachChunk(centres, (first, rows, distances) => {
        for (let i = 0; i < rows; i++) look(first + i, distances, i * centres.rows);
      });
    } else if (open.length > 0) {
      const some = new EngineRows(gather(vectors, open));
      some.forEachChunk(centres, (first, rows, distances) => {
        for (let i = 0; i < rows; i++) look(open[first + i]!, distances, i * centres.rows);
      });
      some.dispose();
    }
    return changed;
  }

  /** Rows whose bounds do not settle them. */
  private openRows(): number[] {
    const { codes, upper, lower, vectors, centres } = this;
    const open: number[] = [];
    for (let i = 0; i < codes.length; i++) {
      if (upper[i]! <= lower[i]!) continue;
      if (codes[i]! >= 0) {
        upper[i] = Math.sqrt(squaredDistance(rowOf(vectors, i), rowOf(centres, codes[i]!)));
        if (upper[i]! < lower[i]!) continue;
      }
      open.push(i);
    }
    return open;
  }

  /** @param slack what the distances may be off by. @returns whether the row changed its code */
  private choose(row: number, distances: Float32Array, at: number, slack: number): boolean {
    const codes = this.centres.rows;
    let [best, bestDistance, second] = [0, Infinity, Infinity];
    for (let k = 0; k < codes; k++) {
      const distance = distances[at + k]!;
      if (distance >= second) continue;
      if (distance < bestDistance) {
        second = bestDistance;
        bestDistance = distance;
        best = k;
      } else second = distance;
    }
    if (second - bestDistance <= slack) best = this.decide(row, distances, at, bestDistance + slack);
    const square = this.squares[row]!;
    this.upper[row] = Math.sqrt(Math.max(0, square + bestDistance + slack));
    this.lower[row] = Math.sqrt(Math.max(0, square + second - slack));
    const old = this.codes[row]!;
    if (old === best) return false;
    this.codes[row] = best;
    if (old >= 0) this.add(row, old, -1);
    this.add(row, best, 1);
    return true;
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

  /** Moves the centres to the means of their rows, and the bounds by as much. */
  update(): void {
    const { centres, sums, counts, codes, upper, lower } = this;
    const { rows, width, data } = centres;
    const moved = new Float64Array(rows);
    let [far, farthest, next] = [0, 0, 0];
    for (let k = 0; k < rows; k++) {
      if (counts[k] === 0) continue;
      let sum = 0;
      for (let j = k * width; j < (k + 1) * width; j++) {
        const old = data[j]!;
        data[j] = sums[j]! / counts[k]!;
        sum += (data[j]! - old) ** 2;
      }
      moved[k] = Math.sqrt(sum) * (1 + 1e-12);
      if (moved[k]! > farthest) [far, farthest, next] = [k, moved[k]!, farthest];
      else if (moved[k]! > next) next = moved[k]!;
    }
    for (let i = 0; i < codes.length; i++) {
      upper[i]! += moved[codes[i]!]!;
      lower[i]! -= codes[i] === far ? next : farthest;
    }
  }

  error(): number {
    let sum = 0;
    const { vectors, centres, codes } = this;
    for (let i = 0; i < codes.length; i++) sum += squaredDistance(rowOf(vectors, i), rowOf(centres, codes[i]!));
    return sum;
  }
}

function squaresOf(vectors: Vectors): Float64Array {
  const { rows, width, data } = vectors;
  const squares = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    let sum = 0;
    for (let j = i * width; j < (i + 1) * width; j++) sum += data[j]! * data[j]!;
    squares[i] = sum;
  }
  return squares;
}

function gather(vectors: Vectors, rows: readonly number[]): Vectors {
  const data = new Float32Array(rows.length * vectors.width);
  rows.forEach((row, i) => data.set(rowOf(vectors, row), i * vectors.width));
  return { rows: rows.length, width: vectors.width, data };
}
