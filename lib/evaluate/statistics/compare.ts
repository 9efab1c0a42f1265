/**
 * Two models over the same rows: the difference of each metric, its interval, and whether it is more than chance.
 *
 * One run a side: the interval resamples users, both runs with the same draw (paired), and p is that of the sign-flip
 * test over users. It is about these two models. Several runs a side, of other seeds: a resample draws runs within each
 * side, then users (the hierarchical bootstrap; Davison & Hinkley 1997, 3.8), and p flips the signs of the users'
 * differences between the means of the sides; `runsP` deals the runs to the sides anew. That is about the methods.
 */
import { InputError } from '../../support/errors.js';
import { Random } from '../../support/random.js';
import type { Measures } from '../measures/measure.js';
import type { RowEntry } from '../rows/row-table.js';
import { percentileInterval, resampler } from './bootstrap.js';
import { type IntervalOptions } from './intervals.js';
import { dealRunsTest } from './deal-runs.js';
import { type PValue, signFlipTest, type SignFlipOptions } from './sign-flip.js';
import { measureRows, type Units, unitMeans, unitsOf } from './units.js';

/** What a comparison says in words: of the first side, seen from the second. */
export type Verdict = 'better' | 'worse' | 'no difference shown';

/** A metric of two sides over the same rows. */
export interface Comparison {
  /** Its name. */
  metric: string;
  /** Mean of the first side. */
  a: number;
  /** Mean of the second side. */
  b: number;
  /** The first less the second. */
  difference: number;
  /** Lower end of the difference's interval. */
  low: number;
  /** Upper end. */
  high: number;
  /** Two-sided, of the sign-flip test over users. */
  p: number;
  /** Whether p is exact or drawn. */
  exact: boolean;
  /** Two-sided, of dealing the runs to the sides anew; with three runs a side it is at least 0.1. Several runs only. */
  runsP?: number;
  /** By p below `alpha`; of several runs the interval must leave out 0 too. */
  verdict: Verdict;
}

/** Options of `compareTables`. */
export interface CompareOptions extends IntervalOptions, SignFlipOptions {
  /** A difference is said in words where p is below it. Default 0.05. */
  alpha?: number;
}

/**
 * @param a rows of the first side: a table, or several, one a seed
 * @param b of the second, over the same rows in the same order
 * @throws InputError for tables of other rows
 */
export function compareTables(
  a: readonly RowEntry[] | readonly (readonly RowEntry[])[],
  b: readonly RowEntry[] | readonly (readonly RowEntry[])[],
  measures: Measures,
  options: CompareOptions = {},
): Comparison[] {
  const sides = [tablesOf(a), tablesOf(b)] as const;
  const runs = [...sides[0], ...sides[1]];
  runs.forEach((table, i) => checkSameRows(runs[0]!, table, `run ${i + 1}`));
  const names = Object.keys(measures);
  const values = joinColumns(
    runs.map((table) => measureRows(table, measures)),
    runs[0]!.length,
    names.length,
  );
  const units = unitsOf(runs[0]!, values, runs.length * names.length);
  return compareUnits(units, names, [sides[0].length, sides[1].length], options);
}

/** @param units of R x M measures: those of the first side's runs, then those of the second's */
function compareUnits(
  units: Units,
  names: readonly string[],
  runs: readonly [a: number, b: number],
  options: CompareOptions,
): Comparison[] {
  const { alpha = 0.05, level, permutations, seed } = options;
  const M = names.length;
  const means = unitMeans(units);
  const samples = differenceSamples(units, M, runs, options);
  const several = runs[0] + runs[1] > 2;
  const signs = { ...(permutations !== undefined && { permutations }), ...(seed !== undefined && { seed }) };
  return names.map((metric, m) => {
    const ofRuns = Array.from({ length: runs[0] + runs[1] }, (_, r) => means[r * M + m]!);
    const [a, b] = [mean(ofRuns.slice(0, runs[0])), mean(ofRuns.slice(runs[0]))];
    const [low, high] = percentileInterval(samples, m, M, level);
    const { p, exact } = signFlipOfUnits(units, M, m, runs, signs);
    const clear = p < alpha && !(several && low <= 0 && high >= 0);
    return {
      metric,
      ...{ a, b, difference: a - b, low, high, p, exact },
      ...(several && { runsP: dealRunsTest(ofRuns, runs[0], signs).p }),
      verdict: verdictOf(clear, a - b),
    };
  });
}

function verdictOf(clear: boolean, difference: number): Verdict {
  if (!clear || difference === 0) return 'no difference shown';
  return difference > 0 ? 'better' : 'worse';
}

/** Differences of the metrics in each resample of runs and users [samples, M]. */
function differenceSamples(
  units: Units,
  M: number,
  [ofA, ofB]: readonly [number, number],
  { samples = 1000, seed = 42, resampling }: CompareOptions,
): Float64Array {
  const random = new Random(`${seed}/bootstrap`);
  const draw = resampler(units, random, resampling);
  const weights = new Float64Array(units.sizes.length);
  const differences = new Float64Array(samples * M);
  const picks = (count: number): number[] => Array.from({ length: count }, () => (count > 1 ? random.int(count) : 0));
  for (let s = 0; s < samples; s++) {
    const [a, b] = [picks(ofA), picks(ofB)];
    draw(weights);
    const means = unitMeans(units, weights);
    for (let m = 0; m < M; m++) {
      const of = (runs: readonly number[], first: number): number => mean(runs.map((r) => means[(first + r) * M + m]!));
      differences[s * M + m] = of(a, 0) - of(b, ofA);
    }
  }
  return differences;
}

function signFlipOfUnits(
  { sizes, sums, measures }: Units,
  M: number,
  m: number,
  [ofA, ofB]: readonly [number, number],
  options: SignFlipOptions,
): PValue {
  const differences = sizes.map((_, c) => {
    let difference = 0;
    for (let r = 0; r < ofA + ofB; r++) {
      difference += sums[c * measures + r * M + m]! / (r < ofA ? ofA : -ofB);
    }
    return difference;
  });
  return signFlipTest(differences, options, sizes);
}

/** [rows, M] of each run -> [rows, R x M]. */
function joinColumns(runs: readonly Float64Array[], rows: number, M: number): Float64Array {
  const joined = new Float64Array(rows * runs.length * M);
  runs.forEach((values, r) => {
    for (let i = 0; i < rows; i++) {
      for (let m = 0; m < M; m++) joined[(i * runs.length + r) * M + m] = values[i * M + m]!;
    }
  });
  return joined;
}

type RowKey = Pick<RowEntry, 'user' | 'target' | 'history'>;

/** Index of the first row that is not the same in both; undefined where all are. */
export function otherRow(a: readonly RowKey[], b: readonly RowKey[]): number | undefined {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const [one, two] = [a[i], b[i]];
    if (!one || !two || one.user !== two.user || one.target !== two.target) return i;
    if (one.history.length !== two.history.length || one.history.some((id, j) => id !== two.history[j])) return i;
  }
  return undefined;
}

/** @throws InputError where two runs are not of the same rows in the same order: the first row that differs */
export function checkSameRows(a: readonly RowKey[], b: readonly RowKey[], name: string): void {
  if (a.length !== b.length) {
    throw new InputError(
      `compare: ${name}: expected ${a.length} rows like the first, got ${b.length}; rank the same rows`,
    );
  }
  const other = otherRow(a, b);
  if (other === undefined) return;
  throw new InputError(
    `compare: ${name}: row ${other + 1} is of user ${JSON.stringify(b[other]!.user)} and item ${b[other]!.target} ` +
      `or of another history, the first has user ${JSON.stringify(a[other]!.user)} and item ${a[other]!.target}; ` +
      'rank the same rows in the same order',
  );
}

function tablesOf(side: readonly RowEntry[] | readonly (readonly RowEntry[])[]): readonly (readonly RowEntry[])[] {
  if (side.length === 0) throw new InputError('compare: expected rows on either side, got none');
  return Array.isArray(side[0]) ? (side as readonly (readonly RowEntry[])[]) : [side as readonly RowEntry[]];
}

function mean(values: readonly number[]): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}
