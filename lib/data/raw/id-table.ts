/**
 * Names (of users, of items) as numbers from 0, in the order in which they are first met.
 *
 * A hash table over UTF-8 bytes: ten million ids are looked up straight from a file's buffer, and no string is made
 * of a name until somebody asks for it. Open addressing with linear probing; the hash is FNV-1a over the bytes.
 */
import { InputError } from '../../support/errors.js';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Names by their ids. */
export interface NameList {
  /** How many there are. */
  readonly size: number;
  /** The name of an id. */
  name(number: number): string;
  /** Copies a name's bytes to `target[at ..]`. @returns where they end */
  copy(number: number, target: Uint8Array, at: number): number;
  /** Bytes of a name. */
  length(number: number): number;
  /** Bytes of the longest of some names. */
  longest(numbers: Int32Array): number;
}

/** Bytes of all names of a table at most. */
const MOST_BYTES = 0x7fffffff;

/** Names -> ids from 0, in the order in which the names were first met. */
export class IdTable implements NameList {
  /** How many there are. */
  size = 0;
  /**
   * Four words a slot: the name's number + 1 (0 where the slot is free), its hash, and where its bytes begin and end;
   * side by side, so that a look-up touches memory twice, slot and bytes.
   */
  private slots = new Int32Array(4 << 12);
  /** Slot of a name / 4; index = number. */
  private places = new Int32Array(1 << 11);
  private bytes = new Uint8Array(1 << 15);
  private used = 0;

  /** @param mostBytes of all names together */
  constructor(private readonly mostBytes = MOST_BYTES) {}

  /** The number of the name in `source[from .. to)`; a new one where it is met for the first time. */
  intern(source: Uint8Array, from: number, to: number): number {
    const hash = hashOf(source, from, to);
    const slot = this.slotOf(source, from, to, hash);
    const found = this.slots[slot]!;
    return found > 0 ? found - 1 : this.add(source, from, to, hash, slot);
  }

  /** The id of a name; a new one where it is met for the first time. */
  id(name: string): number {
    const bytes = encoder.encode(name);
    return this.intern(bytes, 0, bytes.length);
  }

  /** The number of a name, or -1 where it was never met. */
  find(name: string): number {
    const bytes = encoder.encode(name);
    return this.slots[this.slotOf(bytes, 0, bytes.length, hashOf(bytes, 0, bytes.length))]! - 1;
  }

  /** The name of an id. */
  name(number: number): string {
    const slot = 4 * this.places[number]!;
    return decoder.decode(this.bytes.subarray(this.slots[slot + 2]!, this.slots[slot + 3]!));
  }

  /** All names; index = number. */
  list(): string[] {
    return Array.from({ length: this.size }, (_, number) => this.name(number));
  }

  /** Copies a name's bytes to `target[at ..]`. @returns where they end */
  copy(number: number, target: Uint8Array, at: number): number {
    const slot = 4 * this.places[number]!;
    const end = this.slots[slot + 3]!;
    for (let from = this.slots[slot + 2]!; from < end; from++) target[at++] = this.bytes[from]!;
    return at;
  }

  /** Bytes of a name. */
  length(number: number): number {
    const slot = 4 * this.places[number]!;
    return this.slots[slot + 3]! - this.slots[slot + 2]!;
  }

  /** Bytes of the longest of some names. */
  longest(numbers: Int32Array): number {
    let longest = 0;
    for (let i = 0; i < numbers.length; i++) longest = Math.max(longest, this.length(numbers[i]!));
    return longest;
  }

  /** The names alone, in a fraction of the memory, when no name is looked up any more. */
  sealed(): NameList {
    const ends = new Int32Array(this.size);
    for (let number = 0; number < this.size; number++) ends[number] = this.slots[4 * this.places[number]! + 3]!;
    return new SealedNames(ends, this.bytes.slice(0, this.used));
  }

  /** Where the name is, or the free slot where it belongs. */
  private slotOf(source: Uint8Array, from: number, to: number, hash: number): number {
    const { slots, bytes } = this;
    const mask = slots.length - 1;
    let slot = (hash << 2) & mask;
    while (slots[slot] !== 0) {
      if (slots[slot + 1] === hash) {
        let at = slots[slot + 2]!;
        if (slots[slot + 3]! - at === to - from) {
          let i = from;
          for (; i < to && source[i] === bytes[at]; i++) at++;
          if (i === to) return slot;
        }
      }
      slot = (slot + 4) & mask;
    }
    return slot;
  }

  private add(source: Uint8Array, from: number, to: number, hash: number, slot: number): number {
    const number = this.size++;
    const start = this.used;
    this.used += to - from;
    if (this.used > this.mostBytes) {
      throw new InputError(`names: expected 2 GB of them at most, got ${this.size} that are longer; filter in parts`);
    }
    if (this.used > this.bytes.length) this.bytes = grown(this.bytes, Math.max(this.used, 2 * this.bytes.length));
    this.bytes.set(source.subarray(from, to), start);
    this.slots[slot] = number + 1;
    this.slots[slot + 1] = hash;
    this.slots[slot + 2] = start;
    this.slots[slot + 3] = this.used;
    this.places[number] = slot >>> 2;
    if (8 * this.size === this.slots.length) this.double();
    return number;
  }

  private double(): void {
    const old = this.slots;
    this.places = grown(this.places, 2 * this.places.length);
    this.slots = new Int32Array(2 * old.length);
    const mask = this.slots.length - 1;
    for (let from = 0; from < old.length; from += 4) {
      if (old[from] === 0) continue;
      let slot = (old[from + 1]! << 2) & mask;
      while (this.slots[slot] !== 0) slot = (slot + 4) & mask;
      for (let i = 0; i < 4; i++) this.slots[slot + i] = old[from + i]!;
      this.places[old[from]! - 1] = slot >>> 2;
    }
  }
}

/** Names one after the other, in the order of their ids. */
class SealedNames implements NameList {
  constructor(
    private readonly ends: Int32Array,
    private readonly bytes: Uint8Array,
  ) {}

  get size(): number {
    return this.ends.length;
  }

  name(number: number): string {
    return decoder.decode(this.bytes.subarray(this.start(number), this.ends[number]));
  }

  copy(number: number, target: Uint8Array, at: number): number {
    const end = this.ends[number]!;
    for (let from = this.start(number); from < end; from++) target[at++] = this.bytes[from]!;
    return at;
  }

  length(number: number): number {
    return this.ends[number]! - this.start(number);
  }

  longest(numbers: Int32Array): number {
    let longest = 0;
    for (let i = 0; i < numbers.length; i++) longest = Math.max(longest, this.length(numbers[i]!));
    return longest;
  }

  private start(number: number): number {
    return number === 0 ? 0 : this.ends[number - 1]!;
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
