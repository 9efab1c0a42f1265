/** A data set of a filled table as a figure: published and measured values of each model. */
import { axis, COLOURS, type Figure, type Json, layout } from '../figures/figure.js';
import { labels } from '../figures/text.js';
import type { FilledDataset, FilledRow, FilledTable } from './fill-table.js';
import type { Published } from './paper-table.js';

/** Options of `tableFigure`. */
export interface TableFigureOptions {
  /** Metrics to draw. Default HR@10 and NDCG@10, where the table has them. */
  metrics?: readonly string[];
}

/** Characters of a model's name below the axis. */
const LONGEST = 34;

/**
 * Hollow diamonds for published values (a bar for a range), dots with their intervals for measured ones; models from left
 * to right in the order of the table.
 */
export function tableFigure(
  { table }: Pick<FilledTable, 'table'>,
  { dataset, rows, otherRows }: FilledDataset,
  options: TableFigureOptions = {},
): Figure {
  const usual = table.metrics.filter((metric) => metric.endsWith('@10'));
  const { metrics = usual.length > 0 ? usual : table.metrics } = options;
  const models = labels(
    rows.map(({ model }) => model),
    LONGEST,
  );
  const trace = traceOf(rows, models);
  const measured = otherRows === undefined ? 'measured' : 'measured on other rows';
  const traces = metrics.flatMap((metric, i) => [
    trace(`${metric}, published`, i, 'diamond-open', (row) => ends(row.published[metric])),
    trace(`${metric}, ${measured}`, i, 'circle', (row) => {
      const { measured: of } = row;
      return of && [of.intervals[metric]![0], of.mean[metric]!, of.intervals[metric]![1]];
    }),
  ]);
  const names = traces.map(({ name }) => name as string);
  return {
    data: traces.filter(({ x }) => (x as Json[]).length > 0),
    layout: layout(
      `${dataset.label}: published and measured`,
      {
        showlegend: true,
        xaxis: axis({
          type: 'category',
          tickangle: -35,
          categoryorder: 'array',
          categoryarray: models,
        }),
        yaxis: axis({ rangemode: 'tozero' }),
      },
      names,
    ),
  };
}

type Ends = readonly [low: number, middle: number, high: number];

function ends(value: Published | undefined): Ends | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'number') return [value, value, value];
  return [value[0], (value[0] + value[1]) / 2, value[1]];
}

/** @param models the rows' labels */
function traceOf(rows: readonly FilledRow[], models: readonly string[]) {
  return (name: string, i: number, symbol: string, of: (row: FilledRow) => Ends | undefined) => {
    const points = rows.flatMap((row, place) => {
      const found = of(row);
      return found ? [{ model: models[place]!, low: found[0], value: found[1], high: found[2] }] : [];
    });
    const colour = COLOURS[i % COLOURS.length]!;
    return {
      type: 'scatter',
      mode: 'markers',
      name,
      x: points.map(({ model }) => model),
      y: points.map(({ value }) => value),
      marker: { symbol, size: 10, color: colour, line: { width: 2, color: colour } },
      ...(points.some(({ low, high }) => low < high) && { error_y: errorBars(points, colour) }),
    };
  };
}

function errorBars(points: readonly { low: number; value: number; high: number }[], colour: string): Json {
  return {
    type: 'data',
    symmetric: false,
    array: points.map(({ value, high }) => high - value),
    arrayminus: points.map(({ value, low }) => value - low),
    color: colour,
    thickness: 1.5,
    width: 4,
  };
}
