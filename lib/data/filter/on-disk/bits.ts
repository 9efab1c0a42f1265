/** A set of whole numbers from 0, a bit each: of a hundred million as small as a processor's cache nearly is. */
export class Bits {
  private readonly words: Int32Array;

  /** @param size numbers are below it */
  constructor(size: number) {
    this.words = new Int32Array((size >>> 5) + 1);
  }

  has(at: number): boolean {
    return (this.words[at >>> 5]! & (1 << (at & 31))) !== 0;
  }

  add(at: number): void {
    this.words[at >>> 5]! |= 1 << (at & 31);
  }
}
