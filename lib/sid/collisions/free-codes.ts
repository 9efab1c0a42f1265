/**
 * Which semantic IDs are taken, and the nearest free one for a vector.
 *
 * Shapes: L levels, D width.
 */
import { rowOf, type Vectors } from '../../files/npy.js';
import { codesByDistance } from '../kmeans/distance.js';

export class FreeCodes {
  /** SIDs under a prefix of so many codes [L + 1]. */
  private readonly capacities: number[];
  /** Prefix -> SIDs taken under it. */
  private readonly taken = new Map<string, number>();
  private readonly sids = new Set<string>();

  /** @param codebooks one a level, [K, D] */
  constructor(private readonly codebooks: readonly Vectors[]) {
    const rooms = codebooks.map((_, level) => codebooks.slice(level).reduce((n, book) => n * book.rows, 1));
    this.capacities = [...rooms, 1];
  }

  /** SIDs that are free. */
  get room(): number {
    return this.capacities[0]! - this.sids.size;
  }

  /** Whether a SID is taken. */
  has(path: readonly number[]): boolean {
    return this.sids.has(path.slice(0, this.codebooks.length).join());
  }

  /** Marks a SID as taken; once is enough, and a rank beyond the last level says nothing. */
  take(path: readonly number[]): void {
    const sid = path.slice(0, this.codebooks.length);
    if (this.sids.has(sid.join())) return;
    this.sids.add(sid.join());
    for (let n = 1; n <= sid.length; n++) {
      const prefix = sid.slice(0, n).join();
      this.taken.set(prefix, (this.taken.get(prefix) ?? 0) + 1);
    }
  }

  /**
   * The nearest free code under the nearest prefix with room, level by level: where a whole prefix is taken, the next
   * nearest code of the level above, and so on upwards. Takes it. There must be room.
   * @param vector [D]
   */
  claim(vector: Float32Array): number[] {
    const path: number[] = [];
    let left = vector;
    for (const book of this.codebooks) {
      const code = codesByDistance(left, book).find((candidate) => this.hasRoom([...path, candidate]))!;
      path.push(code);
      const row = rowOf(book, code);
      left = left.map((x, j) => x - row[j]!);
    }
    this.take(path);
    return path;
  }

  private hasRoom(path: readonly number[]): boolean {
    return (this.taken.get(path.join()) ?? 0) < this.capacities[path.length]!;
  }
}
