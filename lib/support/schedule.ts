/** Learning rate by step. */

export const SCHEDULES = ['constant', 'linear', 'cosine'] as const;
export type Schedule = (typeof SCHEDULES)[number];

/**
 * Factor on the rate at `step` (from 1): a linear rise over `warmup` steps, then constant, or falling to 0 at `total`
 * in a line or half a cosine.
 */
export function rateFactor(schedule: Schedule, step: number, warmup: number, total: number): number {
  if (step <= warmup) return step / warmup;
  const done = Math.min(1, (step - warmup) / Math.max(1, total - warmup));
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
