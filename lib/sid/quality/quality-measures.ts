/**
 * Single metrics of semantic IDs, each a pure function of codes and what is known of the items.
 *
 * Shapes: N items, L levels, K codes of a level.
 */
import { Random } from '../../support/random.js';
import { collidingGroups } from '../collisions/sinkhorn-rounds.js';

type Codes = readonly (readonly number[])[];

/** `exp(entropy)` of the counts: how many codes in even use would be as diverse. @example perplexity([2, 2, 0]) // 2 */
export function perplexity(counts: readonly number[]): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  let entropy = 0;
  for (const count of counts) if (count > 0) entropy -= (count / total) * Math.log(count / total);
  return Math.exp(entropy);
}

/** Which items share their SID with another. @returns one a item [N] */
export function ambiguous(codes: Codes): boolean[] {
  const sids = codes.map((path) => path.join());
  const counts = new Map<string, number>();
  for (const sid of sids) counts.set(sid, (counts.get(sid) ?? 0) + 1);
  return sids.map((sid) => counts.get(sid)! > 1);
}

/** Groups of items that have one SID. */
export interface DuplicateGroups {
  /** SIDs that several items have. */
  groups: number;
  /** Items of the largest, 1 where no SID is shared. */
  largest: number;
  /** Items of all of them over their number; null without any. */
  mean: number | null;
}

/** @example duplicateGroups([[1], [2], [1], [1], [3], [3]]) // { groups: 2, largest: 3, mean: 2.5 } */
export function duplicateGroups(codes: Codes): DuplicateGroups {
  const sizes = collidingGroups(codes).map((group) => group.length);
  const items = sizes.reduce((sum, size) => sum + size, 0);
  return {
    groups: sizes.length,
    largest: sizes.reduce((most, size) => Math.max(most, size), 1),
    mean: sizes.length === 0 ? null : items / sizes.length,
  };
}

/** Share of `targets` (item ids, repeats counted) whose SID is ambiguous; 0 where there are none. */
export function ambiguousShare(codes: Codes, targets: readonly number[]): number {
  const shared = ambiguous(codes);
  return targets.length === 0 ? 0 : targets.filter((item) => shared[item]).length / targets.length;
}

/**
 * Share of items that have the commonest category of their prefix; items without a category (`''`) are left out. A
 * prefix of one item is pure, so compare with `shuffledPurity`.
 * @example prefixPurity([[0, 1], [0, 2], [0, 3]], ['a', 'a', 'b'], 1) // 2 / 3
 */
export function prefixPurity(codes: Codes, categories: readonly string[], length: number): number {
  const groups = new Map<string, Map<string, number>>();
  let total = 0;
  codes.forEach((path, item) => {
    const category = categories[item]!;
    if (category === '') return;
    total++;
    const prefix = path.slice(0, length).join();
    const group = groups.get(prefix) ?? new Map<string, number>();
    group.set(category, (group.get(category) ?? 0) + 1);
    groups.set(prefix, group);
  });
  let pure = 0;
  for (const group of groups.values()) {
    let commonest = 0;
    for (const count of group.values()) commonest = Math.max(commonest, count);
    pure += commonest;
  }
  return total === 0 ? NaN : pure / total;
}

/** The purity that prefixes of the same sizes have by chance: categories shuffled by a seed. */
export function shuffledPurity(codes: Codes, categories: readonly string[], length: number, seed = 42): number {
  const known = [...codes.keys()].filter((item) => categories[item] !== '');
  const dealt = new Random(seed).shuffle(known.map((item) => categories[item]!));
  return prefixPurity(
    known.map((item) => codes[item]!),
    dealt,
    length,
  );
}

/**
 * Share of pairs (an item and its nearest neighbour) whose SIDs begin with the same `length` codes.
 * @param neighbours item ids, pairs of them
 */
export function sharedPrefix(codes: Codes, neighbours: readonly (readonly [number, number])[], length: number): number {
  if (neighbours.length === 0) return NaN;
  const same = ([a, b]: readonly [number, number]): boolean =>
    codes[a]!.slice(0, length).join() === codes[b]!.slice(0, length).join();
  return neighbours.filter(same).length / neighbours.length;
}

/** The same for two different items drawn at random. */
export function sharedPrefixByChance(codes: Codes, length: number): number {
  const counts = new Map<string, number>();
  for (const path of codes) {
    const prefix = path.slice(0, length).join();
    counts.set(prefix, (counts.get(prefix) ?? 0) + 1);
  }
  let pairs = 0;
  for (const count of counts.values()) pairs += count * (count - 1);
  return codes.length < 2 ? NaN : pairs / (codes.length * (codes.length - 1));
}
