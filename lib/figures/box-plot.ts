/**
 * Distributions side by side: a box a group, from the lower to the upper quartile with the median in it, whiskers at the
 * 5 % and 95 % quantiles. Five numbers a group are drawn, however many values there are.
 */
import { axis, COLOURS, type Figure, layout } from './figure.js';
import { labels } from './text.js';

/** Options of `boxPlot`. */
export interface BoxPlotOptions {
  title?: string;
  /** What is measured. Default `value`. */
  axis?: string;
}

/**
 * A quantile by linear interpolation between the two nearest values (numpy's and R's default).
 * @param sorted rising, at least one @param share 0 to 1
 * @example quantile([1, 2, 4], 0.25) // 1.5
 */
export function quantile(sorted: readonly number[], share: number): number {
  const place = share * (sorted.length - 1);
  const below = sorted[Math.floor(place)]!;
  const above = sorted[Math.ceil(place)]!;
  return below + (above - below) * (place - Math.floor(place));
}

/** @param groups values by the name of their group; one without values is left out */
export function boxPlot(groups: Readonly<Record<string, readonly number[]>>, options: BoxPlotOptions = {}): Figure {
  const { title = 'Distributions', axis: measured = 'value' } = options;
  const drawn = Object.entries(groups).filter(([, values]) => values.length > 0);
  const names = labels(
    drawn.map(([name, values]) => `${name} (${values.length})`),
    28,
  );
  return {
    data: drawn.map(([, values], i) => {
      const sorted = [...values].sort((a, b) => a - b);
      const at = (share: number): [number] => [quantile(sorted, share)];
      const shown = names[i]!;
      return {
        ...{ type: 'box', name: shown, x: [shown] },
        ...{ lowerfence: at(0.05), q1: at(0.25), median: at(0.5), q3: at(0.75), upperfence: at(0.95) },
        line: { color: '#222222', width: 1.5 },
        fillcolor: COLOURS[i % COLOURS.length]!,
      };
    }),
    layout: layout(title, {
      showlegend: false,
      xaxis: axis({}),
      yaxis: axis({ title: `${measured}; whiskers at 5 % and 95 %`, rangemode: 'tozero' }),
    }),
  };
}
