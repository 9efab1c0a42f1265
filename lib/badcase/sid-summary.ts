/**
 * Quality of the semantic IDs as the bad cases see it: collisions and their share of the traffic, how evenly codes are
 * used, and whether items that share a prefix resemble one another more than others do.
 *
 * Shapes: N items, L levels, D width.
 */
import { countsFrom, indexCodes, type SidIndex, sidOwners } from '../data/sid-index.js';
import type { Vectors } from '../files/npy.js';
import { largest, smallest } from '../support/extremes.js';
import type { SemanticGap, SidLevelSummary, SidQualitySummary } from './report-shape.js';

/** What `sidSummary` measures. */
export interface SidSummaryInput {
  index: SidIndex;
  /** Item ids that the evaluated rows ask for. */
  targets: readonly number[];
  /** [N, D]. */
  vectors?: Vectors | undefined;
  /** Of each item, `''` where it has none [N]. */
  categories?: readonly string[] | undefined;
}

/** @example two of four items share a SID: `{ items: 4, sids: 3, collisions: 1, ambiguousItems: 2, ... }` */
export function sidSummary({ index, targets, vectors, categories }: SidSummaryInput): SidQualitySummary {
  const owners = sidOwners(index);
  const shared = owners.map((count) => count > 1);
  const sids = new Set(index.map((tokens) => tokens.join(''))).size;
  const firsts = countOf(index.map(([first]) => first!));
  const crowded = [...firsts].reduce((most, code) => (code[1] > most[1] ? code : most))[0];
  const traffic = (has: (item: number) => boolean): number =>
    targets.filter((item) => has(item)).length / Math.max(1, targets.length);
  const depth = index.reduce((least, { length }) => Math.min(least, length), Infinity);
  const lengths = [...Array(depth).keys()].map((level) => level + 1);
  const codes = indexCodes(index, countsFrom(index));
  return {
    items: index.length,
    sids,
    collisions: index.length - sids,
    collisionRate: (index.length - sids) / index.length,
    ambiguousItems: shared.filter(Boolean).length,
    ambiguousTraffic: traffic((item) => shared[item]!),
    crowdedTraffic: traffic((item) => index[item]![0] === crowded),
    levels: [...Array(smallest(codes.map((path) => path.length))).keys()].map((level) =>
      levelSummary(
        codes.map((path) => path[level]!),
        level,
      ),
    ),
    semanticGap: lengths.flatMap((length) => {
      const groups = index.map((tokens) => tokens.slice(0, length).join(''));
      return [
        ...(vectors ? [gapOf('vectors', length, vectorSums(vectors, groups))] : []),
        ...(categories?.some((name) => name !== '')
          ? [gapOf('categories', length, categorySums(categories, groups))]
          : []),
      ];
    }),
  };
}

/** @param own each item's code of the level, from 0 */
function levelSummary(own: readonly number[], level: number): SidLevelSummary {
  const counts = [...countOf(own).values()];
  const entropy = counts.reduce((sum, count) => sum - (count / own.length) * Math.log2(count / own.length), 0);
  return {
    level: String.fromCharCode(97 + level),
    codes: largest(own, 0) + 1,
    used: counts.length,
    entropy,
    perplexity: 2 ** entropy,
    imbalance: counts.reduce((most, count) => Math.max(most, count), 0) / (own.length / counts.length),
  };
}

function countOf<T>(values: readonly T[]): Map<T, number> {
  const counts = new Map<T, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

/** Sums of likeness over ordered pairs of different items, and how many pairs. */
interface PairSums {
  within: number;
  withinPairs: number;
  all: number;
  allPairs: number;
}

function gapOf(by: SemanticGap['by'], length: number, { within, withinPairs, all, allPairs }: PairSums): SemanticGap {
  const inside = withinPairs > 0 ? within / withinPairs : null;
  const across = allPairs > withinPairs ? (all - within) / (allPairs - withinPairs) : null;
  return { by, length, within: inside, across, gap: inside === null || across === null ? null : inside - across };
}

/** Cosines of all pairs without a pair being looked at: |sum of a group's unit vectors|^2 is theirs, and each with itself. */
function vectorSums({ rows, width, data }: Vectors, groups: readonly string[]): PairSums {
  const total = { sum: new Float64Array(width), items: 0 };
  const parts = new Map<string, typeof total>();
  for (let i = 0; i < rows; i++) {
    let square = 0;
    for (let d = 0; d < width; d++) square += data[i * width + d]! ** 2;
    if (square === 0) continue; // no direction, no cosine
    const part = parts.get(groups[i]!) ?? { sum: new Float64Array(width), items: 0 };
    parts.set(groups[i]!, part);
    for (const into of [part, total]) {
      for (let d = 0; d < width; d++) into.sum[d]! += data[i * width + d]! / Math.sqrt(square);
      into.items++;
    }
  }
  const cosines = ({ sum, items }: typeof total): number => sum.reduce((square, x) => square + x * x, -items);
  return sumPairs([...parts.values()], total, cosines);
}

/** Pairs of one category: likeness 1, others 0; items without a category are left out. */
function categorySums(categories: readonly string[], groups: readonly string[]): PairSums {
  const total = { counts: new Map<string, number>(), items: 0 };
  const parts = new Map<string, typeof total>();
  categories.forEach((name, item) => {
    if (name === '') return;
    const part = parts.get(groups[item]!) ?? { counts: new Map<string, number>(), items: 0 };
    parts.set(groups[item]!, part);
    for (const into of [part, total]) {
      into.counts.set(name, (into.counts.get(name) ?? 0) + 1);
      into.items++;
    }
  });
  const equal = ({ counts }: typeof total): number => [...counts.values()].reduce((sum, n) => sum + n * (n - 1), 0);
  return sumPairs([...parts.values()], total, equal);
}

function sumPairs<T extends { items: number }>(parts: readonly T[], total: T, likeness: (of: T) => number): PairSums {
  const pairs = ({ items }: T): number => items * (items - 1);
  return {
    within: parts.reduce((sum, part) => sum + likeness(part), 0),
    withinPairs: parts.reduce((sum, part) => sum + pairs(part), 0),
    all: likeness(total),
    allPairs: pairs(total),
  };
}
