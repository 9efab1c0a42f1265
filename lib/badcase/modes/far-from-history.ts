/** Far from the history: in the vectors, the target is no nearer to any item of the history than items drawn at random. */
import { type Vectors } from '../../files/npy.js';
import { number } from '../../options/kinds.js';
import { Random } from '../../support/random.js';
import { defineDetector } from '../detector.js';
import { TELLING_HISTORY } from './telling-history.js';

/** Random pairs whose likeness is measured. */
const PAIRS = 20_000;

/** @example a history of four items, none of them as near to the target as the nearest of four random ones usually is */
export const FAR_FROM_HISTORY = defineDetector({
  name: 'far from history',
  help: 'by their vectors, no item of the history resembles the true one',
  advice: 'teach the model what items have in common by tasks on their texts',
  strategies: ['cold_start', 'short_history'],
  needs: ['vectors'],
  options: {
    farQuantile: number('far from history: random histories of the same length come no nearer in this share of cases', {
      default: 0.25,
      above: 0,
      below: 1,
    }),
  },
  detect({ vectors, options: { farQuantile } }) {
    const cosine = cosineOf(vectors);
    const random = new Random('far from history');
    const pairs = Float64Array.from({ length: PAIRS }, () =>
      cosine(random.int(vectors.rows), random.int(vectors.rows)),
    );
    pairs.sort();
    return ({ history, target }) => {
      if (history.length < TELLING_HISTORY) return false;
      // the nearest of H random items is no nearer than x with probability F(x)^H
      const place = farQuantile ** (1 / history.length);
      const bound = pairs[Math.min(PAIRS - 1, Math.floor(place * PAIRS))]!;
      return history.every((item) => cosine(item, target) < bound);
    };
  },
});

/** Cosine of two items' vectors; 0 where one is all zeros. */
export function cosineOf({ rows, width, data }: Vectors): (a: number, b: number) => number {
  const norms = Float64Array.from({ length: rows }, (_, i) => {
    let sum = 0;
    for (let d = 0; d < width; d++) sum += data[i * width + d]! ** 2;
    return Math.sqrt(sum);
  });
  return (a, b) => {
    let sum = 0;
    for (let d = 0; d < width; d++) sum += data[a * width + d]! * data[b * width + d]!;
    return norms[a]! * norms[b]! > 0 ? sum / (norms[a]! * norms[b]!) : 0;
  };
}
