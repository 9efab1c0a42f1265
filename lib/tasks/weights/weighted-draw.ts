/**
 * So many draws in proportion to weights, by systematic sampling (Madow and Madow 1944): one random number u places
 * equally spaced points on the line of the weights put end to end. An element of weight w is expected exactly
 * count * w / sum times, and comes that number of times rounded down or up; independent draws would have the variance of
 * a Poisson number in addition.
 */

/**
 * @param weights 0 or more each, not all 0
 * @param u uniform in [0, 1)
 * @returns `count` places of `weights`, ascending
 * @example systematicDraw([1, 3], 4, 0.5) // [0, 1, 1, 1]
 */
export function systematicDraw(weights: ArrayLike<number>, count: number, u: number): number[] {
  let total = 0;
  let last = 0; // the last one that can be drawn: rounding must not lead past it
  for (let i = 0; i < weights.length; i++) {
    total += weights[i]!;
    if (weights[i]! > 0) last = i;
  }
  const drawn: number[] = [];
  let [at, end] = [0, weights[0]!];
  for (let k = 0; k < count; k++) {
    const point = ((u + k) * total) / count; // in this order whole numbers meet a boundary exactly
    while (at < last && point >= end) end += weights[++at]!;
    drawn.push(at);
  }
  return drawn;
}
