/** The long tail: items in order of popularity, their interactions and the share that the head holds. */
import { axis, type Figure, layout, lineStyle } from './figure.js';

/** Options of `popularityCurve`. */
export interface PopularityCurveOptions {
  /** Default `Popularity of items`. */
  title?: string;
  /** The head's share whose end is marked. In (0, 1). Default 0.8. */
  head?: number;
}

/**
 * Interactions of each item, the most popular first, and the share that the items up to there hold.
 * @param counts interactions of each item, in any order; items without any may be left out or given as 0
 */
export function popularityCurve(counts: readonly number[], options: PopularityCurveOptions = {}): Figure {
  const { title = 'Popularity of items', head = 0.8 } = options;
  const sorted = [...counts].sort((a, b) => b - a);
  const total = sorted.reduce((sum, count) => sum + count, 0);
  let running = 0;
  const share = sorted.map((count) => (running += count) / Math.max(total, 1));
  const cut = share.findIndex((value) => value >= head - 1e-12) + 1;
  const shown = thin(sorted.length);
  const rank = shown.map((i) => i + 1);
  return {
    data: [
      {
        type: 'scatter',
        mode: 'lines',
        name: 'interactions',
        x: rank,
        y: shown.map((i) => sorted[i] || null),
        line: lineStyle(0),
      },
      {
        type: 'scatter',
        mode: 'lines',
        name: 'share of all up to here (right)',
        x: rank,
        y: shown.map((i) => share[i]!),
        yaxis: 'y2',
        line: lineStyle(1),
      },
    ],
    layout: layout(title, {
      showlegend: true,
      xaxis: axis({ title: `item, most popular first (${sorted.length} in all)` }),
      yaxis: axis({
        title: 'interactions',
        ...(sorted[0]! > 50 ? { type: 'log', dtick: 1 } : { rangemode: 'tozero' }),
      }),
      yaxis2: axis({
        title: 'share',
        overlaying: 'y',
        side: 'right',
        range: [0, 1.02],
        tickmode: 'linear',
        dtick: 0.2,
        tickformat: '.0%',
        showgrid: false,
      }),
      ...(cut > 0 && sorted.length > 0
        ? {
            shapes: [
              {
                type: 'line',
                x0: cut,
                x1: cut,
                y0: 0,
                y1: 1,
                yref: 'paper',
                line: { color: '#444444', width: 1.5, dash: 'dot' },
              },
            ],
            annotations: [
              {
                x: cut,
                y: 0.5,
                yref: 'paper',
                xanchor: cut > sorted.length / 2 ? 'right' : 'left',
                showarrow: false,
                bgcolor: '#ffffff',
                text: ` ${cut} items hold ${Math.round(head * 100)} % `,
              },
            ],
          }
        : {}),
    }),
  };
}

/** At most about 500 of `length` places: all of the first hundred, then ever fewer; first and last always. */
function thin(length: number): number[] {
  const places: number[] = [];
  for (let i = 0; i < length; i = Math.max(i + 1, Math.floor(i * 1.01))) places.push(i);
  if (length > 0 && places.at(-1) !== length - 1) places.push(length - 1);
  return places;
}
