/** What a run of GRPO came from and what it came to, by its own log. */
import type { MetricLine } from '../../runs/metric-lines.js';

/** Validation metrics at the beginning and at the end of a run. */
export interface SinceStart {
  /** Of the model that it started from. */
  start: Record<string, number>;
  /** Of the last update, before the best was chosen. */
  last: Record<string, number>;
  /** Said where the last update is worse than the start. */
  warning?: string;
}

const METRIC = 'NDCG@10';
const VALID = 'valid ';

/**
 * @param log of the run; its first validation is of the model that it started from
 * @param best step of the model that is kept
 */
export function sinceStart(log: readonly MetricLine[], best: number): SinceStart {
  const lines = log.filter((line) => line[`${VALID}${METRIC}`] !== undefined);
  const [start, last] = [metricsOf(lines[0]!), metricsOf(lines.at(-1)!)];
  const [before, after] = [start[METRIC]!, last[METRIC]!];
  if (!(after < before)) return { start, last };
  const warning =
    `the last update is worse on validation than the SFT model (${METRIC} ${after.toFixed(4)}, it had ` +
    `${before.toFixed(4)}); the best of step ${best} is kept`;
  return { start, last, warning };
}

function metricsOf(line: MetricLine): Record<string, number> {
  const valid = Object.entries(line).filter(([name]) => name.startsWith(VALID));
  return Object.fromEntries(valid.map(([name, value]) => [name.slice(VALID.length), value]));
}
