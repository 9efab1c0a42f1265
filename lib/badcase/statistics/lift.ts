/**
 * How much more often rows that fail have a trait than rows that do not: a ratio of two shares.
 *
 * Its interval is Katz's (log scale; Katz et al., Biometrics 1978) with one departure: the variance is summed over users,
 * not over rows, since a user's rows resemble one another. With one row a user it is Katz's, as statsmodels has it
 * (`confint_proportions_2indep`, `compare='ratio', method='log'`).
 */
import { twoSidedP, Z95 } from './normal.js';

/** A row, as the statistics see it. */
export interface TraitRow {
  /** Rows of one user are not independent. */
  user: string;
  failed: boolean;
  /** Whether it has the trait. */
  has: boolean;
}

/** A ratio of shares. */
export interface Lift {
  /** Share of the failed rows with the trait over that of the others. */
  lift: number;
  /** Lower end of its 95 % interval. */
  low: number;
  /** Upper end. */
  high: number;
  /** Two-sided, of a lift of 1. */
  p: number;
}

/**
 * Null where no row or every row failed, or has the trait: there is nothing to compare. Where one of the four counts is 0, half a row is added to each (Haldane).
 * @example 30 of 100 failed rows have it, 10 of 100 others: lift 3, low 1.55, high 5.80
 */
export function liftOf(rows: readonly TraitRow[]): Lift | null {
  const counts = { failed: 0, found: 0, failedHas: 0, foundHas: 0 };
  for (const { failed, has } of rows) {
    if (failed) counts.failed++;
    else counts.found++;
    if (failed && has) counts.failedHas++;
    if (!failed && has) counts.foundHas++;
  }
  if (counts.failed === 0 || counts.found === 0) return null;
  const { failed, found, failedHas, foundHas } = counts;
  if (failedHas + foundHas === 0 || failedHas + foundHas === rows.length) return null;
  const some = [failedHas, foundHas, failed - failedHas, found - foundHas].some((count) => count === 0) ? 0.5 : 0;
  const share = (failedHas + some) / (failed + 2 * some);
  const foundShare = (foundHas + some) / (found + 2 * some);
  const log = Math.log(share / foundShare);
  const plain = (1 - share) / (failedHas + some) + (1 - foundShare) / (foundHas + some);
  const clustered = some > 0 ? 0 : userVariance(rows, { failed, found, share, foundShare });
  const error = Math.sqrt(Math.max(plain, clustered)); // users that happen to differ less are no reason to be surer
  return {
    lift: Math.exp(log),
    low: Math.exp(log - Z95 * error),
    high: Math.exp(log + Z95 * error),
    p: error > 0 ? twoSidedP(log / error) : 1,
  };
}

/** Of log(share / foundShare): the squares of what each user's rows contribute to it. */
function userVariance(
  rows: readonly TraitRow[],
  { failed, found, share, foundShare }: { failed: number; found: number; share: number; foundShare: number },
): number {
  const sums = new Map<string, number>();
  for (const { user, failed: fails, has } of rows) {
    const part = fails ? (Number(has) - share) / (failed * share) : -(Number(has) - foundShare) / (found * foundShare);
    sums.set(user, (sums.get(user) ?? 0) + part);
  }
  let variance = 0;
  for (const sum of sums.values()) variance += sum * sum;
  return variance;
}
