/** Each pair of sides by each metric, p corrected after Holm over all that is asked at once. */
import type { Measures } from '../evaluate/measures/measure.js';
import type { RowEntry } from '../evaluate/rows/row-table.js';
import { compareTables, type CompareOptions, type Comparison } from '../evaluate/statistics/compare.js';
import { holm } from '../evaluate/statistics/holm.js';

/** A side's runs as tables of the same rows. */
export interface SideTables {
  name: string;
  /** One a seed. */
  tables: readonly (readonly RowEntry[])[];
}

/** A metric of a pair of sides. */
export interface PairComparison extends Comparison {
  /** Name of the first side; `a` is its mean. */
  first: string;
  /** Name of the second; `b` is its mean. */
  second: string;
  /** p after Holm's correction; the verdict is by it. */
  pHolm: number;
}

/** Every two sides, the earlier one first. */
export function pairsOf<T>(sides: readonly T[]): (readonly [T, T])[] {
  return sides.flatMap((first, i) => sides.slice(i + 1).map((second) => [first, second] as const));
}

/** Every pair, metric by metric; uncorrected. @param measuresOf of a pair; default the same of all */
export function comparePairs(
  sides: readonly SideTables[],
  measures: Measures,
  options: CompareOptions,
): Omit<PairComparison, 'pHolm'>[] {
  return pairsOf(sides).flatMap(([a, b]) =>
    compareTables(a.tables, b.tables, measures, options).map((found) => ({ first: a.name, second: b.name, ...found })),
  );
}

/** Those of one metric are a family: p is corrected within it, and a verdict that does not survive is taken back. */
export function corrected<T extends Omit<PairComparison, 'pHolm'>>(
  comparisons: readonly T[],
  alpha: number,
): (T & PairComparison)[] {
  const families = new Map<string, number[]>();
  comparisons.forEach(({ metric }, i) => families.set(metric, [...(families.get(metric) ?? []), i]));
  const pHolm = new Float64Array(comparisons.length);
  for (const members of families.values()) {
    holm(members.map((i) => comparisons[i]!.p)).forEach((p, j) => (pHolm[members[j]!] = p));
  }
  return comparisons.map((comparison, i) => ({
    ...comparison,
    pHolm: pHolm[i]!,
    verdict: pHolm[i]! < alpha ? comparison.verdict : 'no difference shown',
  }));
}
