/** How many rows have a history of one item, of two, and so on. */
import { axis, barStyle, type Figure, layout } from './figure.js';

/** Options of `historyLengths`. */
export interface HistoryLengthsOptions {
  /** Default `Length of histories`. */
  title?: string;
}

/**
 * A bar a length.
 * @param lengths one number a row
 */
export function historyLengths(lengths: readonly number[], options: HistoryLengthsOptions = {}): Figure {
  const { title = 'Length of histories' } = options;
  const counts = new Map<number, number>();
  for (const length of lengths) counts.set(length, (counts.get(length) ?? 0) + 1);
  const x = [...counts.keys()].sort((a, b) => a - b);
  return {
    data: [{ type: 'bar', x, y: x.map((length) => counts.get(length)!), marker: barStyle(0) }],
    layout: layout(title, {
      showlegend: false,
      bargap: 0.15,
      xaxis: axis({ title: 'items in the history', ...(x.length <= 15 ? { dtick: 1 } : {}) }),
      yaxis: axis({ title: `rows (${lengths.length} in all)`, rangemode: 'tozero' }),
    }),
  };
}
