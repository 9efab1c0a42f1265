/** The normal distribution: tails as p-values. */

/** Two-sided 95 % of a normal distribution lie within so many standard errors. */
export const Z95 = 1.959963984540054;

/**
 * Probability that a standard normal number is at least so far from 0: erfc(|z| / sqrt 2), by the continued fraction of
 * the tail (Abramowitz & Stegun 26.2.14) from 3 on and the series of the centre (26.2.11) below; relative error below
 * 1e-12, far out in the tail too.
 * @example twoSidedP(1.959963984540054) // 0.05
 */
export function twoSidedP(z: number): number {
  const x = Math.abs(z);
  if (Number.isNaN(x)) return NaN;
  if (x === Infinity) return 0;
  const density = Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
  if (x < 3) {
    let [term, sum] = [x, x];
    for (let k = 3; term > 1e-17 * sum; k += 2) sum += term *= (x * x) / k;
    return 1 - 2 * density * sum;
  }
  let fraction = x;
  for (let k = 200; k >= 1; k--) fraction = x + k / fraction;
  return (2 * density) / fraction;
}
