/**
 * Which semantic IDs are taken, and the nearest free one for an item.
 *
 * SIDs are kept as a tree of prefixes, each with the number of SIDs taken under it, so that a search looks at K codes a
 * level and no SID is spelled out.
 *
 * Shapes: L levels, K codes of a level, D width.
 */
import { rowOf, type Vectors } from '../../files/npy.js';
import { squaredDistance } from '../kmeans/distance.js';

interface Prefix {
  /** SIDs taken under it. */
  taken: number;
  /** By the next code; none where no SID with it is taken. */
  next: Map<number, Prefix>;
}

/** The SIDs that are taken, of all that a set of codebooks can spell. */
export class FreeCodes {
  /** SIDs that there are under a prefix of so many codes [L + 1]. */
  private readonly capacities: number[];
  private readonly root: Prefix = { taken: 0, next: new Map() };

  /** @param codebooks one a level, [K, D] */
  constructor(private readonly codebooks: readonly Vectors[]) {
    const rooms = codebooks.map((_, level) => codebooks.slice(level).reduce((n, book) => n * book.rows, 1));
    this.capacities = [...rooms, 1];
  }

  /** SIDs that are free. */
  get room(): number {
    return this.capacities[0]! - this.root.taken;
  }

  /** Whether a SID is taken; numbers beyond the last level (a rank) are ignored. */
  has(path: readonly number[]): boolean {
    let prefix: Prefix | undefined = this.root;
    for (let level = 0; level < this.codebooks.length; level++) prefix = prefix?.next.get(path[level]!);
    return prefix !== undefined;
  }

  /** Marks a SID as taken; one that is taken already, and numbers beyond the last level (a rank), change nothing. */
  take(path: readonly number[]): void {
    if (this.has(path)) return;
    let prefix = this.root;
    prefix.taken++;
    for (let level = 0; level < this.codebooks.length; level++) {
      let next = prefix.next.get(path[level]!);
      if (next === undefined) prefix.next.set(path[level]!, (next = { taken: 0, next: new Map() }));
      next.taken++;
      prefix = next;
    }
  }

  /**
   * The free SID for an item whose own is taken. It shares the longest prefix with `own` under which a SID is free: the
   * last code changes alone where the prefix before it has room, the last two where the one before that has, and so on.
   * Below the shared prefix each level takes the nearest code with room to what the codes before left over; ties to the
   * lower code. Takes the SID.
   * @param vector [D]
   * @param own its codes [L]
   * @throws Error where no SID is free
   */
  claim(vector: Float32Array, own: readonly number[]): number[] {
    const path = own.slice(0, this.sharedLevels(own));
    const residual = vector.slice();
    path.forEach((code, level) => subtract(residual, rowOf(this.codebooks[level]!, code)));
    for (let level = path.length; level < this.codebooks.length; level++) {
      const code = this.nearestWithRoom(residual, path);
      path.push(code);
      subtract(residual, rowOf(this.codebooks[level]!, code));
    }
    this.take(path);
    return path;
  }

  /** Codes of `own` that may stay: those before the first one under which every SID is taken. */
  private sharedLevels(own: readonly number[]): number {
    if (this.room <= 0) throw new Error('FreeCodes.claim: expected a free SID, got none');
    const last = this.codebooks.length - 1;
    let prefix: Prefix | undefined = this.root;
    for (let level = 0; level < last; level++) {
      prefix = prefix?.next.get(own[level]!);
      if (prefix?.taken === this.capacities[level + 1]) return level;
    }
    return last;
  }

  /** The nearest code to `residual` [D] that leads on from `path` to a free SID. */
  private nearestWithRoom(residual: Float32Array, path: readonly number[]): number {
    const codebook = this.codebooks[path.length]!;
    const capacity = this.capacities[path.length + 1]!;
    const prefix = path.reduce<Prefix | undefined>((at, code) => at?.next.get(code), this.root);
    let [best, nearest] = [-1, Infinity];
    for (let code = 0; code < codebook.rows; code++) {
      if ((prefix?.next.get(code)?.taken ?? 0) >= capacity) continue;
      const distance = squaredDistance(residual, rowOf(codebook, code));
      if (distance < nearest) [best, nearest] = [code, distance];
    }
    return best;
  }
}

/** `row` from `residual` [D], in place. */
function subtract(residual: Float32Array, row: Float32Array): void {
  for (let j = 0; j < residual.length; j++) residual[j]! -= row[j]!;
}
