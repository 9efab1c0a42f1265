/**
 * Learning rate by step, as in transformers' `get_scheduler`. Departure: the rise begins at 1 / warmup, not at 0, so
 * that the first update moves something.
 */

export const SCHEDULES = ['constant', 'linear', 'cosine'] as const;
/** A word of `SCHEDULES`. */
export type Schedule = (typeof SCHEDULES)[number];

/**
 * Factor on the rate at `step` (from 1): a linear rise over `warmup` steps, then constant, or falling from 1 in a line
 * or half a cosine that would reach 0 at the step after `total`.
 *
 * @example [1, 2, 3, 4].map((step) => rateFactor('linear', step, 0, 4)) // [1, 0.75, 0.5, 0.25]
 */
export function lrScale(schedule: Schedule, step: number, warmup: number, total: number): number {
  if (step <= warmup) return step / warmup;
  const done = Math.min(1, (step - 1 - warmup) / Math.max(1, total - warmup));
  switch (schedule) {
    case 'constant':
      return 1;
    case 'linear':
      return 1 - done;
    case 'cosine':
      return 0.5 * (1 + Math.cos(Math.PI * done));
    default:
      throw new Error(`schedule: expected one of ${SCHEDULES.join(', ')}, got ${schedule satisfies never}`);
  }
}
