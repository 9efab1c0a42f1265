/** The same program in one process and in several: without a cluster the work is simply done. */
import type { Cluster } from './cluster.js';

/** Which share of some work is this process's; a `Cluster` is one. */
export interface Share {
  /** From 0. */
  rank: number;
  /** How many shares there are. */
  size: number;
}

/** What process 0 makes of it, in all processes (`Cluster.first`). */
export async function first<T>(cluster: Cluster | undefined, work: () => T | Promise<T>): Promise<T> {
  return cluster ? cluster.first(work) : work();
}

/** Every process's own value; where one of them throws, all do (`Cluster.together`). */
export async function together<T>(cluster: Cluster | undefined, work: () => T | Promise<T>): Promise<T> {
  return cluster ? cluster.together(work) : work();
}

/**
 * Work of which each process does some, in the order of all: element i is process i mod size's.
 * @param work of an element; its value must survive JSON
 */
export function dealt<T, R>(cluster: Cluster | undefined, elements: readonly T[], work: (element: T) => R): R[] {
  if (!cluster) return elements.map(work);
  const { rank, size } = cluster;
  const own = elements.filter((_, i) => i % size === rank).map(work);
  const all = cluster.exchange(own);
  return elements.map((_, i) => all[i % size]![Math.floor(i / size)]!);
}

/**
 * What all processes have, in process 0; nothing in the others. Sent a block after the other, so that no message is as
 * large as all.
 * @param own elements that survive JSON
 */
export function collected<T>(cluster: Cluster | undefined, own: readonly T[], block = 1000): T[] {
  if (!cluster) return [...own];
  const counts = cluster.numbers([own.length]).map(([count]) => count!);
  const blocks = Math.ceil(counts.reduce((most, count) => Math.max(most, count), 0) / block);
  const all: T[] = [];
  for (let b = 0; b < blocks; b++) {
    const parts = cluster.exchange(own.slice(b * block, (b + 1) * block));
    if (cluster.isFirst) for (const element of parts.flat()) all.push(element as T);
  }
  return all;
}

/** The process's run of so many elements, runs of all but the same length: from the first, up to the second. */
export function ownRange(share: Share | undefined, count: number): readonly [from: number, to: number] {
  if (!share) return [0, count];
  const { rank, size } = share;
  return [Math.floor((count * rank) / size), Math.floor((count * (rank + 1)) / size)];
}

/**
 * Elements in runs that follow one another, one a process, of about as much weight each.
 * @returns this process's run; empty where there are fewer elements than processes
 */
export function balancedRun<T>(share: Share | undefined, elements: readonly T[], weight: (of: T) => number): T[] {
  if (!share) return [...elements];
  const total = elements.reduce((sum, element) => sum + weight(element), 0);
  let before = 0;
  return elements.filter((element) => {
    const middle = before + weight(element) / 2;
    before += weight(element);
    return Math.floor((middle / total) * share.size) === share.rank;
  });
}
