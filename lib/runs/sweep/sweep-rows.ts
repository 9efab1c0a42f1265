/** A sweep as a table. */
import type { SweepSpec } from './sweep-spec.js';
import type { TrialResult } from './run-sweep.js';

/** A row of a sweep's table: the options that vary, then the metrics. Lists and objects are printed as JSON. */
export function sweepRows(
  trials: readonly TrialResult[],
  { metrics }: Pick<SweepSpec, 'metrics'>,
): Record<string, string | number>[] {
  return trials.map(({ name, varied, metrics: values, seconds, error }) => ({
    trial: name,
    ...Object.fromEntries(Object.entries(varied).map(([option, value]) => [option, cell(value)])),
    ...Object.fromEntries(metrics.map((metric) => [metric, values[metric] ?? ''])),
    seconds,
    ...(error !== undefined && { error }),
  }));
}

function cell(value: unknown): string | number {
  return typeof value === 'number' || typeof value === 'string' ? value : JSON.stringify(value);
}
