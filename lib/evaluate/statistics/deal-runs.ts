/**
 * The permutation test over runs: if the sides do not differ, any run could have been on either. p is the share of ways
 * to deal the runs to two sides of these sizes in which the means are at least as far apart as they were observed.
 */
import { Random } from '../../support/random.js';
import type { PValue, SignFlipOptions } from './sign-flip.js';

/** Ways that are enumerated rather than drawn. */
const MOST_WAYS = 20_000;

/**
 * @param values a metric of each run, those of the first side first @param first runs on the first side
 * @example dealRunsTest([3, 4, 1, 2], 2) // { p: 0.333, exact: true }: {3, 4} and {1, 2} of the 6 pairs
 */
export function dealRunsTest(values: readonly number[], first: number, options: SignFlipOptions = {}): PValue {
  const { permutations = 10_000, seed = 42 } = options;
  const all = values.reduce((sum, value) => sum + value, 0);
  const second = values.length - first;
  /** How far apart the means are, by the sum of the first side. */
  const apart = (sum: number): number => Math.abs(sum / first - (all - sum) / second);
  const scale = values.reduce((sum, value) => sum + Math.abs(value), 0);
  const far = apart(values.slice(0, first).reduce((sum, value) => sum + value, 0)) - 1e-9 * scale;
  let [asFar, ways] = [0, 0];
  const count = (sum: number): void => {
    ways++;
    if (apart(sum) >= far) asFar++;
  };
  if (choose(values.length, first) <= MOST_WAYS) {
    const deal = (at: number, left: number, sum: number): void => {
      if (left === 0) return count(sum);
      for (let i = at; i <= values.length - left; i++) deal(i + 1, left - 1, sum + values[i]!);
    };
    deal(0, first, 0);
    return { p: asFar / ways, exact: true };
  }
  const random = new Random(`${seed}/runs`);
  for (let i = 0; i < permutations; i++) {
    const dealt = random.shuffle([...values]).slice(0, first);
    count(dealt.reduce((sum, value) => sum + value, 0));
  }
  return { p: (asFar + 1) / (ways + 1), exact: false };
}

function choose(n: number, k: number): number {
  let ways = 1;
  for (let i = 1; i <= k; i++) ways = (ways * (n - k + i)) / i;
  return ways;
}
