/**
 * Interactions that say the same thing twice: equal user, item and time. Exports of data sets repeat lines, and every
 * copy would count for the core and be a row whose target is the item before it.
 *
 * Linear, in three passes, since memory is what such a search waits for: a bitmap of hashes says which hashes come
 * more than once (few do, by chance or as copies), and only interactions of those go through a table.
 */
import type { Interactions } from '../raw/interactions.js';

/** Bits a bitmap has for each interaction at least: one hash in 16 is met by chance, at most. */
const BITS = 16;

/**
 * @param kept indices into `data`, ascending
 * @returns those of them that come first with their user, item and time; `kept` itself where all do
 */
export function withoutDuplicates(data: Interactions, kept: Int32Array): Int32Array {
  const { users, items, times } = data;
  let size = 1024;
  while (size < BITS * kept.length) size *= 2;
  const mask = size - 1;
  const [met, again] = [new Int32Array(size >>> 5), new Int32Array(size >>> 5)];
  let suspects = 0;
  for (let i = 0; i < kept.length; i++) {
    const e = kept[i]!;
    const hash = hashOf(users[e]!, items[e]!, times[e]!) & mask;
    const word = hash >>> 5;
    const bit = 1 << (hash & 31);
    if ((met[word]! & bit) === 0) met[word]! |= bit;
    else {
      again[word]! |= bit;
      suspects++;
    }
  }
  if (suspects === 0) return kept;
  const several: number[] = [];
  for (let i = 0; i < kept.length; i++) {
    const e = kept[i]!;
    const hash = hashOf(users[e]!, items[e]!, times[e]!) & mask;
    if ((again[hash >>> 5]! & (1 << (hash & 31))) !== 0) several.push(e);
  }
  return without(kept, copiesIn(data, several));
}

/** `values` without those in `dropped`; both ascending. */
function without(values: Int32Array, dropped: readonly number[]): Int32Array {
  if (dropped.length === 0) return values;
  const kept = new Int32Array(values.length - dropped.length);
  for (let i = 0, next = 0; i < values.length; i++) {
    if (values[i] === dropped[next]) next++;
    else kept[i - next] = values[i]!;
  }
  return kept;
}

/** @param among indices into `data`, ascending @returns those that repeat one before, ascending */
function copiesIn({ users, items, times }: Interactions, among: readonly number[]): number[] {
  let size = 16;
  while (size < 2 * among.length) size *= 2;
  const table = new Int32Array(size); // index + 1, 0 where the slot is free; linear probing
  const copies: number[] = [];
  for (const e of among) {
    const [user, item, time] = [users[e]!, items[e]!, times[e]!];
    let slot = hashOf(user, item, time) & (size - 1);
    let other = table[slot]! - 1;
    while (other >= 0 && (users[other] !== user || items[other] !== item || times[other] !== time)) {
      slot = (slot + 1) & (size - 1);
      other = table[slot]! - 1;
    }
    if (other < 0) table[slot] = e + 1;
    else copies.push(e);
  }
  return copies;
}

function hashOf(user: number, item: number, time: number): number {
  const mixed = Math.imul(user, 0x9e3779b1) ^ Math.imul(item, 0x85ebca77) ^ Math.imul(time | 0, 0xc2b2ae3d);
  const hash = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
  return hash ^ (hash >>> 13);
}
