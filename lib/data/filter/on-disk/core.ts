/**
 * The (p, q)-core of interactions on disk. `kCore` follows a node's interactions when it falls, which needs them all in
 * memory; this reads the file once for each round of falls, and of users and items alone something is in memory. The core
 * is the same, whatever the order of removal.
 *
 * Rounds are few (some ten) in data that people made; a chain of interactions made by hand can need as many as it has
 * links.
 */
import type { Scratch } from '../../../files/scratch.js';
import { Bits } from './bits.js';
import { RecordFile } from './record-file.js';

/** Interactions that each user or item has, and how many it needs. */
export interface Side {
  /** Index = number of the user or item; is changed to what is left. */
  degree: Int32Array;
  k: number;
}

/** What is left. */
export interface CoreFile {
  /** Holds what is left, and perhaps more: interactions of which an end has none left. */
  file: RecordFile;
  /** Interactions that are left. */
  length: number;
}

/** A file is written anew without what fell when more than a fifth of it did. */
const WORTH_WRITING = 0.8;

/** @param file is closed where another takes its place */
export function coreOnDisk(file: RecordFile, users: Side, items: Side, scratch: Scratch): CoreFile {
  let length = file.length;
  for (;;) {
    const falling = [tooFew(users), tooFew(items)] as const;
    if (falling[0] === undefined && falling[1] === undefined) return { file, length };
    const [userFalls, itemFalls] = [falling[0] ?? new Bits(users.degree.length), falling[1] ?? new Bits(items.degree.length)]; // prettier-ignore
    const next = length < WORTH_WRITING * file.length ? new RecordFile(scratch) : undefined;
    for (const { length: n, times, words } of file.blocks()) {
      for (let i = 0; i < n; i++) {
        const [user, item] = [words[4 * i + 2]!, words[4 * i + 3]!];
        const falls = userFalls.has(user) || itemFalls.has(item);
        if ((!falls && next === undefined) || !isKept(user, item, users, items)) continue;
        if (falls) {
          users.degree[user]!--;
          items.degree[item]!--;
          length--;
        } else next!.push(times[2 * i]!, user, item);
      }
    }
    if (next) {
      file.close();
      file = next;
    }
  }
}

/** Whether an interaction of the file is left: who fell has none. */
export function isKept(user: number, item: number, users: Side, items: Side): boolean {
  return users.degree[user]! > 0 && items.degree[item]! > 0;
}

/** Those that have some, and too few; undefined where there are none. */
function tooFew({ degree, k }: Side): Bits | undefined {
  let bits: Bits | undefined;
  for (let number = 0; number < degree.length; number++) {
    if (degree[number]! === 0 || degree[number]! >= k) continue;
    bits ??= new Bits(degree.length);
    bits.add(number);
  }
  return bits;
}
