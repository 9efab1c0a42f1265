/** Holm's correction: the probability of one or more false alarms among several tests stays below the level. */

/**
 * P-values of several tests, each corrected over all of them (Holm 1979): the r-th smallest of m times m - r + 1, and no
 * smaller than the one before it.
 * @returns in the order given, at most 1
 * @example holm([0.01, 0.04, 0.03]) // [0.03, 0.06, 0.06]
 */
export function holm(ps: readonly number[]): number[] {
  const order = [...ps.keys()].sort((a, b) => ps[a]! - ps[b]!);
  const corrected = new Array<number>(ps.length);
  let least = 0;
  order.forEach((test, r) => {
    least = Math.max(least, Math.min(1, (ps.length - r) * ps[test]!));
    corrected[test] = least;
  });
  return corrected;
}
