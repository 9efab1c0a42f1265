/**
 * The bootstrap (Efron 1979; Efron & Tibshirani 1993, ch. 13): users are drawn with replacement, as many as there are,
 * and the metrics are computed anew; of many such samples the 2.5 % and 97.5 % points are the 95 % percentile interval.
 *
 * How often each category of users is drawn is multinomial. It is drawn as binomials one after the other, each of what
 * the ones before left over, which has exactly the distribution of drawing users one by one, and takes as many steps as
 * there are categories (dozens, where a user has one row and rows differ by their rank alone). Where users hardly share
 * a category, they are drawn one by one.
 */
import { Random } from '../../support/random.js';
import { binomial } from './binomial.js';
import { type Units, unitMeans } from './units.js';

/** How a resample is drawn: user by user, or category by category; the same distribution. */
export type Resampling = 'users' | 'categories';

/** Options of the bootstrap. */
export interface BootstrapOptions {
  /** Resamples. Default 1000. */
  samples?: number;
  /** Default 42. */
  seed?: number;
  /** Default: whichever takes fewer steps. */
  resampling?: Resampling;
}

/** Fills `weights` [C] with how often each category is drawn in `count` draws of users. */
export type Resample = (weights: Float64Array) => void;

/** A binomial takes about as long as so many draws of a user. */
const DRAWS_A_BINOMIAL = 8;

/** A function that draws one resample after the other. */
export function resampler(units: Units, random: Random, resampling?: Resampling): Resample {
  const { sizes, count } = units;
  const way = resampling ?? (sizes.length * DRAWS_A_BINOMIAL < count ? 'categories' : 'users');
  if (way === 'categories') return (weights) => drawCategories(sizes, count, random, weights);
  const category = new Int32Array(count);
  let u = 0;
  sizes.forEach((size, c) => {
    category.fill(c, u, u + size);
    u += size;
  });
  return (weights) => {
    weights.fill(0);
    for (let i = 0; i < count; i++) weights[category[random.int(count)]!]!++;
  };
}

function drawCategories(sizes: Float64Array, count: number, random: Random, weights: Float64Array): void {
  let [left, pool] = [count, count];
  weights.fill(0);
  for (let c = 0; c < sizes.length && left > 0; c++) {
    const drawn = binomial(random, left, sizes[c]! / pool);
    weights[c] = drawn;
    left -= drawn;
    pool -= sizes[c]!;
  }
}

/** Metrics of each resample [samples, M]. */
export function bootstrapMeans(units: Units, options: BootstrapOptions = {}): Float64Array {
  const { samples = 1000, seed = 42, resampling } = options;
  const draw = resampler(units, new Random(`${seed}/bootstrap`), resampling);
  const weights = new Float64Array(units.sizes.length);
  const means = new Float64Array(samples * units.measures);
  for (let s = 0; s < samples; s++) {
    draw(weights);
    means.set(unitMeans(units, weights), s * units.measures);
  }
  return means;
}

/** Column `m` of a matrix of so many columns, sorted. */
export function sortedColumn(matrix: Float64Array, m: number, columns: number): Float64Array {
  return Float64Array.from({ length: matrix.length / columns }, (_, s) => matrix[s * columns + m]!).sort();
}

/**
 * A quantile, between values in a line (NumPy's default, which SciPy's percentile interval uses).
 * @param sorted rising @param q in [0, 1]
 * @example quantile([0, 10], 0.25) // 2.5
 */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  const at = q * (sorted.length - 1);
  const below = Math.floor(at);
  const [low, high] = [sorted[below]!, sorted[Math.min(below + 1, sorted.length - 1)]!];
  return low + (high - low) * (at - below);
}

/** From the smaller to the larger end. */
export type Interval = readonly [low: number, high: number];

/** The percentile interval of a column of resamples. @param level default 0.95 */
export function percentileInterval(matrix: Float64Array, m: number, columns: number, level = 0.95): Interval {
  const sorted = sortedColumn(matrix, m, columns);
  return [quantile(sorted, (1 - level) / 2), quantile(sorted, (1 + level) / 2)];
}
