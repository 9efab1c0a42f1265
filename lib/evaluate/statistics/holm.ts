/**
 * Several p-values of one question (Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Statist.
 * 6, 1979): the smallest of n is multiplied by n, the next by n - 1 and so on, none below the one before it. Whoever
 * says "significant" where the result is below alpha is wrong about any of them with a probability of at most alpha,
 * however the tests depend on one another.
 */

/**
 * Adjusted p-values, in the order of the given ones; at most 1.
 * @example holm([0.01, 0.04, 0.03]) // [0.03, 0.06, 0.06]
 */
export function holm(ps: readonly number[]): number[] {
  const order = [...ps.keys()].sort((a, b) => ps[a]! - ps[b]!);
  const adjusted = new Array<number>(ps.length);
  let most = 0;
  order.forEach((at, rank) => {
    most = Math.max(most, Math.min(1, (ps.length - rank) * ps[at]!));
    adjusted[at] = most;
  });
  return adjusted;
}
