/**
 * Seeded random numbers: sfc32 (Chris Doty-Humphrey's "Small Fast Counting"), its state four 32-bit words, so that
 * a run can save and restore it and end on the same bits. arquero's `sample()` never returns row 0 and Math.random
 * has no seed; everything random in the kit draws from here.
 */
export type RandomState = [number, number, number, number];

/** Random numbers from a seed; the state can be saved and restored. */
export class Random {
  private state: RandomState;

  /** Equal seeds give equal sequences; a string is hashed (FNV-1a). */
  constructor(seed: number | string) {
    const text = String(seed);
    let hash = 0x811c9dc5;
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
    this.state = [hash | 0, 0x9e3779b9 | 0, 0x243f6a88, 1];
    for (let i = 0; i < 16; i++) this.next();
  }

  /** Uniform in [0, 1), 32 bits. */
  next(): number {
    const s = this.state;
    const t = (((s[0] + s[1]) | 0) + s[3]) | 0;
    s[3] = (s[3] + 1) | 0;
    s[0] = s[1] ^ (s[1] >>> 9);
    s[1] = (s[2] + (s[2] << 3)) | 0;
    s[2] = ((s[2] << 21) | (s[2] >>> 11)) + t;
    s[2] |= 0;
    return (t >>> 0) / 4294967296;
  }

  /** Whole number in [0, n). */
  int(n: number): number {
    return Math.floor(this.next() * n);
  }

  /** Standard normal (Box-Muller, one of the pair). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next());
  }

  /** One element, each equally likely. */
  pick<T>(from: readonly T[]): T {
    return from[this.int(from.length)]!;
  }

  /** Index drawn in proportion to `weights` (not negative, not all zero). */
  weighted(weights: ArrayLike<number>): number {
    let total = 0;
    for (let i = 0; i < weights.length; i++) total += weights[i]!;
    let left = this.next() * total;
    for (let i = 0; i < weights.length; i++) {
      left -= weights[i]!;
      if (left < 0) return i;
    }
    return weights.length - 1;
  }

  /** Fisher-Yates, in place; returns the array. */
  shuffle<T>(array: T[]): T[] {
    for (let i = array.length - 1; i > 0; i--) {
      const j = this.int(i + 1);
      [array[i], array[j]] = [array[j]!, array[i]!];
    }
    return array;
  }

  /** The state, for `restore`. */
  save(): RandomState {
    return [...this.state];
  }

  /** Goes back to a saved state. */
  restore(state: RandomState): void {
    this.state = [...state];
  }
}
