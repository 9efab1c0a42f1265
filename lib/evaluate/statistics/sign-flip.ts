/**
 * The paired permutation test (Fisher 1935; of rankings Smucker, Allan & Carterette, CIKM 2007): if two runs are equally
 * good, which of them a user's metrics came from is a coin toss, so that the sign of every user's difference is one. p is
 * the share of tosses whose total is at least as far from 0 as the one that was observed.
 *
 * Users whose differences are of one size are interchangeable: how many of them are positive is binomial(n, 1/2). Users
 * without a difference change nothing. Where there are few sizes (of hit rates with a row a user only one: this is
 * McNemar's exact test), all outcomes are enumerated with their probabilities, and p is exact.
 */
import { Random } from '../../support/random.js';
import { binomial, logFactorial } from './binomial.js';

/** Options of the test. */
export interface SignFlipOptions {
  /** Random permutations, where there are too many to take all. Default 10000. */
  permutations?: number;
  /** Default 42. */
  seed?: number;
}

/** A p-value, and whether it is exact or drawn. */
export interface PValue {
  /** Two-sided. Drawn ones count the observed signs too: (as far + 1) / (drawn + 1), so that p is never 0. */
  p: number;
  exact: boolean;
}

/** Outcomes that are enumerated rather than drawn. */
const MOST_OUTCOMES = 20_000;
/** Totals that differ by less than rounding are equal. */
const ROUNDING = 1e-9;

/**
 * @param differences of the users: sums over their rows of one run less the other
 * @param counts users of each difference. Default 1 each
 * @example signFlipTest([1, 1, 1]) // { p: 0.25, exact: true }: +++ and --- of the 8
 */
export function signFlipTest(
  differences: ArrayLike<number>,
  options: SignFlipOptions = {},
  counts?: ArrayLike<number>,
): PValue {
  const { permutations = 10_000, seed = 42 } = options;
  const sizes = new Map<number, number>();
  let observed = 0;
  for (let i = 0; i < differences.length; i++) {
    const count = counts?.[i] ?? 1;
    observed += differences[i]! * count;
    const size = Math.abs(differences[i]!);
    if (size > 0) sizes.set(size, (sizes.get(size) ?? 0) + count);
  }
  const groups = [...sizes];
  const scale = groups.reduce((sum, [size, count]) => sum + size * count, 0);
  const far = Math.abs(observed) - ROUNDING * scale;
  const outcomes = groups.reduce((product, [, count]) => product * (count + 1), 1);
  if (outcomes <= MOST_OUTCOMES) return { p: Math.min(1, enumerate(groups, far)), exact: true };
  const random = new Random(`${seed}/signs`);
  let asFar = 0;
  for (let i = 0; i < permutations; i++) {
    let total = 0;
    for (const [size, count] of groups) total += size * (2 * positives(random, count) - count);
    if (Math.abs(total) >= far) asFar++;
  }
  return { p: (asFar + 1) / (permutations + 1), exact: false };
}

/** Most sizes are one user's alone. */
function positives(random: Random, count: number): number {
  return count === 1 ? Number(random.next() < 0.5) : binomial(random, count, 0.5);
}

/** Probability that the total is at least `far` from 0. */
function enumerate(groups: readonly (readonly [size: number, count: number])[], far: number): number {
  const from = (g: number, total: number): number => {
    const group = groups[g];
    if (!group) return Math.abs(total) >= far ? 1 : 0;
    const [size, count] = group;
    let sum = 0;
    for (let k = 0; k <= count; k++) {
      const log = logFactorial(count) - logFactorial(k) - logFactorial(count - k) - count * Math.LN2;
      sum += Math.exp(log) * from(g + 1, total + size * (2 * k - count));
    }
    return sum;
  };
  return from(0, 0);
}
