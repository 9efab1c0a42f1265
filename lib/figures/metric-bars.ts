/** Models side by side: a group of bars a metric, a bar a model. */
import { axis, barStyle, type Figure, layout, legendRows } from './figure.js';
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
 * A group of bars a metric, a bar a model.
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
    data: rows.map((row, i) => {
      const y = metrics.map((metric) => row[metric] as number);
      return {
        type: 'bar',
        name: names[i]!,
        x: labels(metrics, 20),
        y,
        marker: barStyle(i),
        ...(values
          ? { text: y.map(shortNumber), textposition: 'outside', textfont: { size: 12 }, cliponaxis: false }
          : {}),
      };
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

/** `0.0432` -> `.043` */
export function shortNumber(x: number): string {
  return Number.isFinite(x) ? x.toFixed(3).replace(/^(-?)0\./, '$1.') : '';
}
