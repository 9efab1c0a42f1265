/**
 * Measures of a rank with one relevant item: hit rate, NDCG (Järvelin & Kekäläinen, TOIS 2002; ideal gain 1) and MRR
 * (Voorhees, TREC-8 1999), each cut off at k as RecBole has it.
 */
import { InputError } from '../../support/errors.js';
import type { RowEntry } from '../rows/row-table.js';
import type { Measure, Measures } from './measure.js';

/** The lengths at which lists are measured. */
export const KS: readonly number[] = [1, 3, 5, 10, 20, 50];

/**
 * The lengths that lists of at most `longest` items can be measured at.
 * @example ksUpTo(20) // [1, 3, 5, 10, 20]
 */
export function ksUpTo(longest: number): number[] {
  return KS.filter((k) => k <= longest);
}

/** What a rank of 0 or from 1 is worth, by name: 0 unless it is from 1 to k. */
export const GAINS = {
  /** 1: a hit. */
  HR: (rank: number, k: number): number => (rank >= 1 && rank <= k ? 1 : 0),
  /** 1 / log2(rank + 1). */
  NDCG: (rank: number, k: number): number => (rank >= 1 && rank <= k ? 1 / Math.log2(rank + 1) : 0),
  /** 1 / rank. */
  MRR: (rank: number, k: number): number => (rank >= 1 && rank <= k ? 1 / rank : 0),
} as const;

/** A name of `GAINS`. */
export type GainName = keyof typeof GAINS;
const GAIN_NAMES = Object.keys(GAINS) as readonly GainName[];

/** Which rank is measured: by item, or by distinct SIDs. */
export type RankField = 'rank' | 'sidRank';

/** Share of rows whose target is among the first k. */
export function hitRate(k: number, by: RankField = 'rank'): Measure {
  return ofRank('HR', k, by);
}

/** Mean of 1 / log2(rank + 1) of targets among the first k. */
export function ndcg(k: number, by: RankField = 'rank'): Measure {
  return ofRank('NDCG', k, by);
}

/** Mean of 1 / rank of targets among the first k. */
export function reciprocalRank(k: number, by: RankField = 'rank'): Measure {
  return ofRank('MRR', k, by);
}

/** Hits among the first k, by k: HR@k / k. Recall@k of one relevant item is HR@k itself. */
export function precision(k: number, by: RankField = 'rank'): Measure {
  const hit = hitRate(k, by);
  return (row) => hit(row) / k;
}

/** Mean average precision of one relevant item, 1 / rank: MAP@k is MRR@k. */
export function averagePrecision(k: number, by: RankField = 'rank'): Measure {
  return reciprocalRank(k, by);
}

/** `HR@1`, `NDCG@1`, `MRR@1`, `HR@3`, ... */
export function rankingMeasures(ks: readonly number[] = KS, by: RankField = 'rank'): Measures {
  return Object.fromEntries(namedGains(ks).map(([label, name, k]) => [label, ofRank(name, k, by)]));
}

/** The same of a rank itself. @param names default all of `GAINS` */
export function rankGains(
  ks: readonly number[] = KS,
  names: readonly GainName[] = GAIN_NAMES,
): Record<string, (rank: number) => number> {
  return Object.fromEntries(
    namedGains(ks, names).map(([label, name, k]) => [label, (rank: number) => GAINS[name](rank, k)]),
  );
}

function namedGains(ks: readonly number[], names = GAIN_NAMES): [label: string, name: GainName, k: number][] {
  ks.forEach(checkK);
  return ks.flatMap((k) => names.map((name): [string, GainName, number] => [`${name}@${k}`, name, k]));
}

/**
 * The lengths to measure at.
 * @param longest list of the results: the beams
 * @param asked default those of `KS` that the lists reach
 * @throws InputError for one beyond it: a list of ten says nothing of HR@50
 */
export function measurableKs(longest: number, asked?: readonly number[]): number[] {
  const beyond = asked?.find((k) => k > longest);
  if (beyond !== undefined) {
    throw new InputError(
      `metrics: expected k of at most ${longest}, the length of the lists, got ${beyond}; ` +
        `rank with ${beyond} beams, or ask for a smaller k`,
    );
  }
  return asked ? [...asked] : ksUpTo(longest);
}

function ofRank(name: GainName, k: number, by: RankField): Measure {
  checkK(k);
  const gain = GAINS[name];
  return (row: RowEntry) => {
    const rank = row[by];
    if (rank === undefined) throw new RangeError(`${name}@${k}: rows have no ${by}; give rowTable an index`);
    return gain(rank, k);
  };
}

/** @throws RangeError unless k is a whole number from 1 */
export function checkK(k: number): void {
  if (!Number.isInteger(k) || k < 1) throw new RangeError(`metrics: expected k to be a positive integer, got ${k}`);
}
