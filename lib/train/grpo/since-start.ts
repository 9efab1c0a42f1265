/** What a run of GRPO came from and what it came to, by its own log. */
import { ndcg } from '../../evaluate/measures/ranking.js';
import type { RowEntry } from '../../evaluate/rows/row-table.js';
import { compareTables, type Comparison } from '../../evaluate/statistics/compare.js';
import type { MetricLine } from '../../runs/metric-lines.js';
import type { ValidRow } from '../../runs/valid-rows.js';

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
 * Worse is what the paired test over the validation rows says, not any smaller number.
 * @param log of the run; its first validation is of the model that it started from
 * @param best step of the model that is kept
 * @param rows of a validation; a run of an older version kept none, and the number alone decides
 * @param metric that is compared; rows are tested for NDCG@10 alone
 */
export function sinceStart(
  log: readonly MetricLine[],
  best: number,
  rows: (step: number) => ValidRow[] | undefined,
  metric = METRIC,
): SinceStart {
  const lines = log.filter((line) => line[`${VALID}${metric}`] !== undefined);
  const [first, end] = [lines[0]!, lines.at(-1)!];
  const [start, last] = [metricsOf(first), metricsOf(end)];
  const [before, after] = [start[metric]!, last[metric]!];
  if (!(after < before)) return { start, last };
  const tested = metric === METRIC ? testOf(rows(end.step), rows(first.step)) : undefined;
  if (tested && tested.verdict !== 'worse') return { start, last };
  const warning =
    `the last update is ${tested ? 'worse' : 'lower'} on validation than the SFT model (${metric} ${after.toFixed(4)}, ` +
    `it had ${before.toFixed(4)}, ${tested ? `p ${tested.p.toPrecision(2)}` : 'not tested'}); ` +
    `the best of step ${best} is kept`;
  return { start, last, warning };
}

function testOf(last: ValidRow[] | undefined, start: ValidRow[] | undefined): Comparison | undefined {
  if (!last || !start) return undefined;
  const [table, other] = [last, start].map((rows) =>
    rows.map(({ user, rank }): RowEntry => ({
      ...{ user, rank, target: 0, score: null, historyLength: 0, history: [], items: [] },
    })),
  ) as [RowEntry[], RowEntry[]];
  return compareTables(table, other, { [METRIC]: ndcg(10) })[0];
}

function metricsOf(line: MetricLine): Record<string, number> {
  const valid = Object.entries(line).filter(([name]) => name.startsWith(VALID));
  return Object.fromEntries(valid.map(([name, value]) => [name.slice(VALID.length), value]));
}
