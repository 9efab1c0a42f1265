/** Failure modes: what share of the failed rows each explains, and how much likelier a row of it fails. */
import { axis, barStyle, type Figure, layout } from './figure.js';
import { labels } from './text.js';
import { largest } from '../support/extremes.js';

/** Options of `failureModes`. */
export interface FailureModesOptions {
  /** Default `Where the true item is missing from the list`. */
  title?: string;
}

/**
 * One horizontal bar a mode, the largest on top.
 * @param modes as `badCases` counts them: rows that failed, their share of all failed rows, lift
 */
export function failureModes(
  modes: Readonly<Record<string, { count: number; share: number; lift: number }>>,
  options: FailureModesOptions = {},
): Figure {
  const { title = 'Where the true item is missing from the list' } = options;
  const entries = Object.entries(modes).sort((a, b) => a[1].count - b[1].count); // the largest comes out on top
  const most = longest(entries);
  return {
    data: [
      {
        type: 'bar',
        orientation: 'h',
        y: labels(
          entries.map(([name]) => name),
          24,
        ),
        x: entries.map(([, { share }]) => share),
        marker: barStyle(0),
        text: entries.map(([, { count, lift }]) => `${count} rows, fails ${lift.toFixed(2)} × as often`),
        textposition: 'outside',
        cliponaxis: false,
      },
    ],
    layout: layout(title, {
      showlegend: false,
      height: Math.max(260, 168 + 70 * entries.length),
      bargap: 0.4,
      // Room on the right for the text beside the longest bar.
      xaxis: axis({
        title: 'share of failed rows',
        tickformat: '.0%',
        range: [0, 1.7 * most],
        ...(most > 0.6 ? SHARES : {}),
      }),
      yaxis: axis({ type: 'category', ticks: '', showgrid: false }),
    }),
  };
}

/** No share is above 1, though the axis goes on. */
const SHARES = { tickvals: [0, 0.2, 0.4, 0.6, 0.8, 1] };

function longest(entries: [string, { share: number }][]): number {
  return largest(
    entries.map(([, { share }]) => share),
    0.01,
  );
}
