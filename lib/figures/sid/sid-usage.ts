/** How evenly the codes of each level are used: items a code, most used code first, one line a level. */
import { axis, type Figure, layout, lineStyle } from '../figure.js';

/** Options of `sidUsage`. */
export interface SidUsageOptions {
  /** Default `Codes in use`. */
  title?: string;
}

/**
 * A line a level: items a code, the most used code first.
 * @param counts items of each code, a level [L][K], as `countCodes` gives them
 */
export function sidUsage(counts: readonly (readonly number[])[], options: SidUsageOptions = {}): Figure {
  const { title = 'Codes in use' } = options;
  const most = counts.flat().reduce((most, count) => Math.max(most, count), 1);
  const data = counts.map((level, i) => {
    const sorted = level.filter((count) => count > 0).sort((a, b) => b - a);
    return {
      type: 'scatter',
      mode: 'lines',
      name: `level ${String.fromCharCode(97 + i)}: ${sorted.length} of ${level.length}`,
      x: sorted.map((_, rank) => rank + 1),
      y: sorted,
      line: { ...lineStyle(i), shape: 'hv' },
    };
  });
  return {
    data,
    layout: layout(
      title,
      {
        showlegend: true,
        xaxis: axis({ title: 'code, most used first' }),
        yaxis: axis({ title: 'items', ...(most > 50 ? { type: 'log', dtick: 1 } : { rangemode: 'tozero' }) }),
      },
      data.map(({ name }) => name),
    ),
  };
}
