/**
 * Exact binomial random numbers. Small n p: inversion (Devroye 1986, X.4), a search from 0 along the probabilities. Large
 * n p: transformed rejection BTRS (Hörmann, "The generation of binomial random variates", J. Stat. Comput. Simul. 46,
 * 1993), whose accepted values have the binomial distribution itself, no approximation of it.
 */
import type { Random } from '../../support/random.js';

/** Below, inversion: it takes n p steps on average; BTRS needs n p of at least 10. */
const FEW = 10;

/** Successes of n trials of probability p. @param n whole, from 0 @param p in [0, 1] */
export function binomial(random: Random, n: number, p: number): number {
  if (n === 0 || p <= 0) return 0;
  if (p >= 1) return n;
  if (p > 0.5) return n - binomial(random, n, 1 - p);
  return n * p < FEW ? byInversion(random, n, p) : byRejection(random, n, p);
}

function byInversion(random: Random, n: number, p: number): number {
  const odds = p / (1 - p);
  const none = Math.exp(n * Math.log1p(-p));
  for (;;) {
    let probability = none;
    let left = random.next();
    for (let k = 0; k <= n; k++) {
      if (left < probability) return k;
      left -= probability;
      probability *= ((n - k) / (k + 1)) * odds;
    }
    // rounding left a remainder above the last probability: draw again
  }
}

function byRejection(random: Random, n: number, p: number): number {
  const spread = Math.sqrt(n * p * (1 - p));
  const b = 1.15 + 2.53 * spread;
  const a = -0.0873 + 0.0248 * b + 0.01 * p;
  const c = n * p + 0.5;
  const alpha = (2.83 + 5.1 / b) * spread;
  const inner = 0.92 - 4.2 / b;
  const logOdds = Math.log(p / (1 - p));
  const mode = Math.floor((n + 1) * p);
  const atMode = logFactorial(mode) + logFactorial(n - mode);
  for (;;) {
    const u = random.next() - 0.5;
    const v = 1 - random.next(); // not 0: its logarithm is taken
    const us = 0.5 - Math.abs(u);
    const k = Math.floor(((2 * a) / us + b) * u + c);
    if (us >= 0.07 && v <= inner) return k;
    if (!(k >= 0 && k <= n)) continue;
    const height = Math.log((v * alpha) / (a / (us * us) + b));
    if (height <= atMode - logFactorial(k) - logFactorial(n - k) + (k - mode) * logOdds) return k;
  }
}

const SMALL = Float64Array.from({ length: 32 }, (_, k) => {
  let sum = 0;
  for (let i = 2; i <= k; i++) sum += Math.log(i);
  return sum;
});

/** log k!; from 32 on Stirling's series, its error below 1e-14. */
export function logFactorial(k: number): number {
  if (k < SMALL.length) return SMALL[k]!;
  const [x, square] = [1 / k, 1 / (k * k)];
  const series = x * (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square / 1680)));
  return (k + 0.5) * Math.log(k) - k + 0.5 * Math.log(2 * Math.PI) + series;
}
