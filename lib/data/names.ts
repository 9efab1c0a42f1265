/**
 * Names (of users, of items) as numbers from 0, in the order in which they are first met.
 *
 * A hash table over UTF-8 bytes: ten million ids are looked up straight from a file's buffer, and no string is made
 * of a name until somebody asks for it. Open addressing with linear probing; the hash is FNV-1a over the bytes.
 */
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class Names {
  /** How many there are. */
  size = 0;
  /** Number + 1 of the name in a slot, 0 where it is free; a power of two of them. */
  private slots = new Int32Array(1 << 12);
  private hashes = new Int32Array(1 << 11);
  /** Name i is bytes starts[i] .. starts[i + 1]. */
  private starts = new Uint32Array((1 << 11) + 1);
  private bytes = new Uint8Array(1 << 15);

  /** The number of the name in `source[from .. to)`; a new one where it is met for the first time. */
  number(source: Uint8Array, from: number, to: number): number {
    const hash = hashOf(source, from, to);
    const slot = this.slotOf(source, from, to, hash);
    const found = this.slots[slot]!;
    return found > 0 ? found - 1 : this.add(source, from, to, hash, slot);
  }

  numberOf(name: string): number {
    const bytes = encoder.encode(name);
    return this.number(bytes, 0, bytes.length);
  }

  /** The number of a name, or -1 where it was never met. */
  find(name: string): number {
    const bytes = encoder.encode(name);
    return this.slots[this.slotOf(bytes, 0, bytes.length, hashOf(bytes, 0, bytes.length))]! - 1;
  }

  name(number: number): string {
    return decoder.decode(this.bytes.subarray(this.starts[number]!, this.starts[number + 1]!));
  }

  /** All names; index = number. */
  list(): string[] {
    return Array.from({ length: this.size }, (_, number) => this.name(number));
  }

  /** Copies a name's bytes to `target[at ..]`. @returns where they end */
  copy(number: number, target: Uint8Array, at: number): number {
    const end = this.starts[number + 1]!;
    for (let i = this.starts[number]!; i < end; i++) target[at++] = this.bytes[i]!;
    return at;
  }

  /** Bytes of the longest name. */
  longest(): number {
    let longest = 0;
    for (let i = 0; i < this.size; i++) longest = Math.max(longest, this.starts[i + 1]! - this.starts[i]!);
    return longest;
  }

  /** Where the name is, or the free slot where it belongs. */
  private slotOf(source: Uint8Array, from: number, to: number, hash: number): number {
    const { slots, hashes, starts, bytes } = this;
    const mask = slots.length - 1;
    let slot = hash & mask;
    for (let number = slots[slot]! - 1; number >= 0; number = slots[slot]! - 1) {
      if (hashes[number] === hash) {
        let at = starts[number]!;
        if (starts[number + 1]! - at === to - from) {
          let i = from;
          for (; i < to && source[i] === bytes[at]; i++) at++;
          if (i === to) return slot;
        }
      }
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  private add(source: Uint8Array, from: number, to: number, hash: number, slot: number): number {
    const number = this.size++;
    const start = this.starts[number]!;
    const end = start + to - from;
    if (end > this.bytes.length) this.bytes = grown(this.bytes, Math.max(end, 2 * this.bytes.length));
    this.bytes.set(source.subarray(from, to), start);
    this.starts[number + 1] = end;
    this.hashes[number] = hash;
    this.slots[slot] = number + 1;
    if (2 * this.size === this.slots.length) this.double();
    return number;
  }

  private double(): void {
    this.hashes = grown(this.hashes, this.slots.length);
    this.starts = grown(this.starts, this.slots.length + 1);
    this.slots = new Int32Array(2 * this.slots.length);
    const mask = this.slots.length - 1;
    for (let number = 0; number < this.size; number++) {
      let slot = this.hashes[number]! & mask;
      while (this.slots[slot]! > 0) slot = (slot + 1) & mask;
      this.slots[slot] = number + 1;
    }
  }
}

/** A longer array that begins with `old`. */
export function grown<T extends Uint8Array | Uint32Array | Int32Array | Float32Array | Float64Array>(
  old: T,
  length: number,
): T {
  const next = new (old.constructor as new (length: number) => T)(length);
  next.set(old);
  return next;
}

function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5;
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  return hash ^ (hash >>> 15);
}
