/** The results table: a row a model, its metrics and their intervals. */
import { intervalText } from '../support/interval-text.js';
import type { Intervals } from '../evaluate/statistics/intervals.js';

/** Metrics of the results table. */
export const TABLE_METRICS = ['HR@1', 'HR@5', 'HR@10', 'HR@20', 'NDCG@5', 'NDCG@10'] as const;

/** A row: metrics by name beside the model's. */
export interface ResultRow {
  model: string;
  /** Ends of the 95 % bootstrap interval over users, by metric. */
  intervals?: Intervals;
  [metric: string]: string | number | Intervals | undefined;
}

/** Of a joined folder with those of its data sets. */
type BaselineMetrics = { item: Record<string, number>; intervals?: Intervals; parts?: Record<string, BaselineMetrics> };
type ModelMetrics = {
  item: Record<string, number>;
  intervals?: { item: Intervals };
  parts?: Record<string, ModelMetrics>;
};

/** The results table: one row a model; where data sets are joined also one for each of them, `model: data set`. */
export function resultRows(
  baselines: Record<string, BaselineMetrics>,
  models: Record<string, ModelMetrics>,
): ResultRow[] {
  return [
    ...withParts(baselines).map(([model, { item, intervals }]) => resultRow(model, item, intervals)),
    ...withParts(models).map(([model, { item, intervals }]) => resultRow(model, item, intervals?.item)),
  ];
}

/** Each report, and behind it those of its data sets. */
function withParts<T extends { parts?: Record<string, T> }>(reports: Record<string, T>): [string, T][] {
  return Object.entries(reports).flatMap(([name, report]): [string, T][] => [
    [name, report],
    ...Object.entries(report.parts ?? {}).map(([part, own]): [string, T] => [`${name}: ${part}`, own]),
  ]);
}

function resultRow(model: string, item: Record<string, number>, intervals?: Intervals): ResultRow {
  const names = TABLE_METRICS.filter((metric) => item[metric] !== undefined);
  const known = names.filter((metric) => intervals?.[metric] !== undefined);
  return {
    model,
    ...Object.fromEntries(names.map((metric) => [metric, item[metric]!])),
    ...(known.length > 0 && { intervals: Object.fromEntries(known.map((metric) => [metric, intervals![metric]!])) }),
  };
}

/** The same for people: `.131 [.118, .145]` in the place of each number that has an interval. */
export function resultTexts(rows: readonly ResultRow[]): Record<string, string | number>[] {
  return rows.map(({ model, intervals, ...metrics }) => ({
    model,
    ...Object.fromEntries(
      Object.entries(metrics).map(([metric, value]) => {
        const interval = intervals?.[metric];
        return [metric, interval ? intervalText(value as number, interval) : (value as number)];
      }),
    ),
  }));
}
