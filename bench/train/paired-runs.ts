/** Intervals of the difference of two sides whose runs are paired by their seed. */
import { InputError } from 'sidlab';
import { percentileInterval } from 'sidlab/evaluate';
import { Random } from 'sidlab/support';
import { meanOf } from '../mean.js';

/** 97.5 % points of Student's t by degrees of freedom, from 1. */
const T = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262];

/** The 95 % interval of a mean, by Student's t. @example meanInterval([1, 2, 3]) // [-0.484, 4.484] */
export function meanInterval(values: readonly number[]): [low: number, high: number] {
  const n = values.length;
  const t = T[n - 2];
  if (t === undefined) throw new InputError(`meanInterval: expected 2 to ${T.length + 1} values, got ${n}`);
  const mean = meanOf(values);
  const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (n - 1);
  const half = t * Math.sqrt(variance / n);
  return [mean - half, mean + half];
}

/**
 * The 95 % percentile interval of the mean difference: seeds and users are drawn with replacement, both sides with the
 * same draws.
 * @param users of the rows @param ours a metric of each row of each run [seeds][rows] @param theirs likewise
 */
export function bootstrapPairs(
  users: readonly string[],
  ours: readonly (readonly number[])[],
  theirs: readonly (readonly number[])[],
  samples = 2000,
): [low: number, high: number] {
  const rowsOf = new Map<string, number[]>();
  users.forEach((user, row) => rowsOf.set(user, [...(rowsOf.get(user) ?? []), row]));
  const groups = [...rowsOf.values()];
  const sums = ours.map((run, s) => groups.map((rows) => rows.reduce((sum, r) => sum + run[r]! - theirs[s]![r]!, 0)));
  const random = new Random('grpo-quality');
  const means = Float64Array.from({ length: samples }, () => {
    const drawn = groups.map(() => random.int(groups.length));
    const rows = drawn.reduce((sum, g) => sum + groups[g]!.length, 0);
    const runs = ours.map(() => sums[random.int(sums.length)]!);
    return runs.reduce((sum, run) => sum + drawn.reduce((own, g) => own + run[g]!, 0), 0) / (rows * runs.length);
  });
  return [...percentileInterval(means, 0, 1)];
}
