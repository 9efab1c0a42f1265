/** Models side by side: a group of bars a metric, a bar a model, with its interval where there is one. */
import { axis, barStyle, type Figure, type Json, layout, legendRows, type TableRow } from './figure.js';
import { rowsOf } from './tables/rows-of.js';
import type { TableLike } from './tables/shapes.js';
import { label, labels } from './text.js';

/** Options of `metricBars`. */
export interface MetricBarsOptions {
  /** Default `Ranking quality on the test rows`. */
  title?: string;
  /** Field with the model's name. Default `model`. */
  name?: string;
  /** Fields to draw; default those at 5 and 10 such as `HR@10`, or where there are none the first 6 numbers. */
  metrics?: readonly string[];
}

/**
 * A group of bars a metric, a bar a model. A field `intervals` of a row draws error bars: `{ 'HR@10': [0.035, 0.046] }`,
 * as reports and `resultRows` have it.
 * @param models rows of any kind, one a model: `{model: 'popularity', 'HR@10': 0.04}`; the metrics of a report of
 *   `evaluateStage` are `item.HR@10` and the like
 */
export function metricBars(models: TableLike, options: MetricBarsOptions = {}): Figure {
  const { title = 'Ranking quality on the test rows', name = 'model' } = options;
  const { rows } = rowsOf(models);
  const numbers = Object.keys(rows[0] ?? {}).filter((field) => rows.every((row) => typeof row[field] === 'number'));
  const usual = numbers.filter((field) => /@(5|10)$/.test(field));
  const { metrics = usual.length > 0 ? usual : numbers.slice(0, 6) } = options;
  const names = rows.map((row) => label(String(row[name] ?? ''), 28));
  const values = metrics.length * rows.length <= 18; // more would overlap
  return {
    data: rows.flatMap((row, i) => {
      const y = metrics.map((metric) => row[metric] as number);
      const ends = metrics.map((metric) => intervalOf(row, metric));
      const bars = ends.some((pair) => pair !== undefined);
      const x = labels(metrics, 20);
      const text = { text: y.map(shortNumber), textposition: 'outside', textfont: { size: 12 }, cliponaxis: false };
      const bar = {
        type: 'bar',
        name: names[i]!,
        x,
        y,
        marker: barStyle(i),
        ...(bars && { offsetgroup: String(i), error_y: errorBars(y, ends) }),
        ...(values && !bars && text),
      };
      return bars && values ? [bar, aboveBars(i, x, y, ends, text)] : [bar];
    }),
    layout: layout(title, {
      barmode: 'group',
      showlegend: true,
      // Names that would not fit on one line above the bars go beside them.
      ...(legendRows(names) > 1
        ? { legend: { orientation: 'v', x: 1.02, y: 1, xanchor: 'left', yanchor: 'top', font: { size: 13 } } }
        : {}),
      xaxis: axis({ type: 'category' }),
      yaxis: axis({ rangemode: 'tozero' }),
    }),
  };
}

type Ends = readonly [low: number, high: number] | undefined;

function intervalOf(row: TableRow, metric: string): Ends {
  const found = row[`intervals.${metric}`] ?? (row['intervals'] as Record<string, unknown> | undefined)?.[metric];
  return Array.isArray(found) && found.length === 2 && found.every(Number.isFinite)
    ? (found as unknown as Ends)
    : undefined;
}

function errorBars(y: readonly number[], ends: readonly Ends[]): { [key: string]: Json } {
  return {
    type: 'data',
    symmetric: false,
    array: y.map((value, m) => (ends[m] ? ends[m][1] - value : 0)),
    arrayminus: y.map((value, m) => (ends[m] ? value - ends[m][0] : 0)),
    color: '#222222',
    thickness: 1.5,
    width: 5,
  };
}

/** The numbers stand above the error bars, on bars that are not seen. */
function aboveBars(
  i: number,
  x: string[],
  y: readonly number[],
  ends: readonly Ends[],
  text: { [key: string]: Json },
): { [key: string]: Json } {
  return {
    ...{ type: 'bar', x, y: y.map((value, m) => ends[m]?.[1] ?? value), offsetgroup: String(i) },
    ...{ marker: { color: 'rgba(0,0,0,0)', line: { width: 0 } }, showlegend: false, hoverinfo: 'skip' },
    ...text,
  };
}

/** `0.0432` -> `.043`, `3.968` -> `3.97`: as wide as a bar. */
export function shortNumber(x: number): string {
  return Number.isFinite(x) ? x.toFixed(Math.abs(x) < 0.9995 ? 3 : 2).replace(/^(-?)0\./, '$1.') : '';
}
