/**
 * Interactions that say the same thing twice: equal user, item and time. Exports of data sets repeat lines, and every
 * copy would count for the core and be a row whose target is the item before it.
 */
import { grown } from '../raw/id-table.js';
import type { Interactions } from '../raw/interactions.js';

/** Slots a table has for each interaction at least. */
const ROOM = 2;

/**
 * Linear: a hash table of the interactions met, open addressing with linear probing.
 * @param kept indices into `data`, ascending
 * @returns those of them that come first with their user, item and time; `kept` itself where all do
 */
export function withoutDuplicates(data: Interactions, kept: Int32Array): Int32Array {
  const { users, items, times } = data;
  let size = 16;
  while (size < ROOM * kept.length) size *= 2;
  const mask = size - 1;
  const table = new Int32Array(size); // index + 1, 0 where the slot is free
  const bits = new Uint32Array(2);
  const number = new Float64Array(bits.buffer);
  let [count, unique] = [0, kept];
  for (let i = 0; i < kept.length; i++) {
    const e = kept[i]!;
    const [user, item, time] = [users[e]!, items[e]!, times[e]!];
    number[0] = time + 0; // -0 and 0 are one time
    let hash = Math.imul(user, 0x9e3779b1) ^ Math.imul(item, 0x85ebca77) ^ Math.imul(bits[0]! ^ bits[1]!, 0xc2b2ae3d);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    let slot = (hash ^ (hash >>> 13)) & mask;
    let other = table[slot]! - 1;
    while (other >= 0 && (users[other] !== user || items[other] !== item || times[other] !== time)) {
      slot = (slot + 1) & mask;
      other = table[slot]! - 1;
    }
    if (other < 0) table[slot] = e + 1;
    else if (unique === kept) unique = grown(kept.subarray(0, count), kept.length);
    if (other >= 0) continue;
    if (unique !== kept) unique[count] = e;
    count++;
  }
  return unique === kept ? kept : unique.subarray(0, count);
}
