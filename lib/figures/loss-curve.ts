/** A training run's curve: loss by step on the left axis, a validation metric on the right one. */
import { axis, type Figure, finiteRows, layout, lineStyle, markerStyle } from './figure.js';
import { label } from './text.js';

/** Options of `lossCurve`. */
export interface LossCurveOptions {
  /** Default `Training loss`. */
  title?: string;
  /** Field with the step. Default `step`. */
  step?: string;
  /** Field of the left axis. Default `loss`. */
  loss?: string;
  /** Field of the right axis, where a row has it; default the first one named like `valid...` or `HR@10`. */
  metric?: string;
  /** Rows averaged into the solid line; the single ones are drawn thin. Default a fiftieth of the rows. */
  window?: number;
}

/**
 * Loss by step, smoothed, and a validation metric on the right axis.
 * @param rows of `metrics.jsonl`: a row may hold the loss, the metric or both
 */
export function lossCurve(rows: readonly object[], options: LossCurveOptions = {}): Figure {
  const { title = 'Training loss', step = 'step', loss = 'loss', metric = findMetric(rows) } = options;
  const losses = finiteRows(finiteRows(rows, step), loss);
  const { window = Math.max(1, Math.round(losses.length / 50)) } = options;
  const x = losses.map((row) => row[step] as number);
  const y = losses.map((row) => row[loss] as number);
  const data: Figure['data'] = [];
  if (window > 1) {
    data.push({
      type: 'scatter',
      mode: 'lines',
      x: thin(x),
      y: thin(y),
      line: { color: '#bbbbbb', width: 1 },
      showlegend: false,
      hoverinfo: 'skip',
    });
  }
  const few = losses.length <= 30;
  data.push({
    type: 'scatter',
    mode: few ? 'lines+markers' : 'lines',
    name: window > 1 ? `${label(loss)}, mean of ${window}` : label(loss),
    x: thin(x),
    y: thin(movingMean(y, window)),
    line: lineStyle(0),
    ...(few ? { marker: markerStyle(0, 6) } : {}),
  });
  const measured = metric === undefined ? [] : finiteRows(finiteRows(rows, step), metric);
  if (measured.length > 0) {
    data.push({
      type: 'scatter',
      mode: 'lines+markers',
      name: `${label(metric!)} (right)`,
      x: measured.map((row) => row[step] as number),
      y: measured.map((row) => row[metric!] as number),
      yaxis: 'y2',
      line: lineStyle(1),
      marker: markerStyle(1, 9),
    });
  }
  return {
    data,
    layout: layout(
      title,
      {
        showlegend: true,
        xaxis: axis({ title: step }),
        yaxis: axis({ title: loss, most: 32, rangemode: 'normal' }),
        ...(measured.length > 0
          ? {
              yaxis2: axis({
                title: metric!,
                most: 32,
                overlaying: 'y',
                side: 'right',
                rangemode: 'tozero',
                tickmode: 'auto',
                showgrid: false,
              }),
            }
          : {}),
      },
      data.flatMap(({ name }) => (typeof name === 'string' ? [name] : [])),
    ),
  };
}

/** Most points of a line: more cannot be distinguished and make a notebook large. */
const MOST_POINTS = 400;

/** Evenly chosen values, the last one among them, to six digits. */
export function thin(values: readonly number[]): number[] {
  const every = Math.ceil(values.length / MOST_POINTS);
  const kept = values.filter((_, i) => (values.length - 1 - i) % every === 0);
  return kept.map((value) => Number(value.toPrecision(6)));
}

function findMetric(rows: readonly object[]): string | undefined {
  const numbers = (row: object) => Object.entries(row).filter(([, value]) => typeof value === 'number');
  const fields = rows.flatMap((row) => numbers(row).map(([field]) => field));
  return fields.find((field) => /^(valid|val)/i.test(field)) ?? fields.find((field) => /HR@10$/.test(field));
}

/** Mean of the last `window` values, of as many as there are at the beginning. */
export function movingMean(values: readonly number[], window: number): number[] {
  let sum = 0;
  return values.map((value, i) => {
    sum += value - (i >= window ? values[i - window]! : 0);
    return sum / Math.min(i + 1, window);
  });
}
