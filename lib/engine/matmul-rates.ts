/**
 * How fast the engine multiplies matrices: the one number that bounds everything else it does.
 */
import * as tf from '@tensorflow/tfjs';
import { largest } from '../support/extremes.js';

/** GFLOP/s; a product of two n x n matrices counts 2 n^3 operations. */
export interface Rates {
  /** Median of the repetitions at the largest size that fitted into the time. */
  measured: number;
  /** The best of all sizes and repetitions. */
  best: number;
}

/** Options of `matMulRates`. */
export interface RatesOptions {
  /** Time to spend, seconds; at least one product is always made. Default 1. */
  seconds?: number;
}

const SIZES = [128, 256, 512, 1024, 2048];

/** Products of growing size on the engine that runs, a fifth of the time for each; sizes that would not fit are left out. */
export function matMulRates({ seconds = 1 }: RatesOptions = {}): Rates {
  const share = seconds / SIZES.length;
  let measured = 0;
  let best = 0;
  for (const size of SIZES) {
    const flops = 2 * size ** 3;
    if (measured > 0 && flops / measured / 1e9 > share) break;
    const rates = repeat(size, share).map((spent) => flops / spent / 1e9);
    measured = median(rates);
    best = largest(rates, best);
  }
  return { measured: round(measured), best: round(best) };
}

/** @returns seconds of each product; the first, which warms up, is left out unless it is the only one */
function repeat(size: number, seconds: number): number[] {
  return tf.tidy(() => {
    const a = tf.randomUniform<tf.Rank.R2>([size, size]);
    const b = tf.randomUniform<tf.Rank.R2>([size, size]);
    const times: number[] = [];
    const end = performance.now() + seconds * 1000;
    do {
      const start = performance.now();
      tf.tidy(() => void a.matMul(b).slice([0, 0], [1, 1]).dataSync()); // one element waits for all
      times.push((performance.now() - start) / 1000);
    } while (performance.now() < end);
    return times.length > 1 ? times.slice(1) : times;
  });
}

function median(values: number[]): number {
  const sorted = [...values].sort((x, y) => x - y);
  return sorted[Math.floor(sorted.length / 2)]!;
}

const round = (value: number): number => Number(value.toPrecision(3));
