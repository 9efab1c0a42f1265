/** Differences with their intervals: a row each, a line at no difference. */
import { axis, COLOURS, type Figure, type Json, layout, markerStyle } from '../figures/figure.js';
import { label } from '../figures/text.js';

/** A difference and its interval. */
export interface DifferenceRow {
  /** Beside the axis; rows of one label stand in one place. */
  label: string;
  difference: number;
  low: number;
  high: number;
  /** A filled marker where the difference is more than chance, else a hollow one. Default false. */
  clear?: boolean;
  /** Rows of one series share a marker. Default one series. */
  series?: string;
}

/** Options of `differences`. */
export interface DifferencesOptions {
  /** Default `Differences`. */
  title?: string;
  /** Of the axis. Default `difference`. */
  of?: string;
}

/** A marker a row with its interval, the first row on top; what is clear is filled, what may be chance is hollow. */
export function differences(rows: readonly DifferenceRow[], options: DifferencesOptions = {}): Figure {
  const { title = 'Differences', of = 'difference' } = options;
  const places = [...new Set(rows.map((row) => row.label))];
  const series = [...new Set(rows.map((row) => row.series ?? ''))];
  const names = series.map((name) => label(name, 48));
  const shift = (s: number): number => (series.length > 1 ? (s / (series.length - 1) - 0.5) * 0.5 : 0);
  return {
    data: series.map((name, s) => {
      const own = rows.filter((row) => (row.series ?? '') === name);
      const marker = markerStyle(s, 9);
      return {
        ...{ type: 'scatter', mode: 'markers', name: names[s]! },
        x: own.map(({ difference }) => difference),
        y: own.map((row) => places.indexOf(row.label) + shift(s)),
        marker: {
          ...marker,
          symbol: own.map(({ clear = false }) => (clear ? String(marker.symbol) : `${String(marker.symbol)}-open`)),
          line: { width: 2, color: COLOURS[s % COLOURS.length]! },
        },
        error_x: {
          ...{ type: 'data', symmetric: false, thickness: 1.5, width: 4, color: '#222222' },
          array: own.map(({ difference, high }) => high - difference),
          arrayminus: own.map(({ difference, low }) => difference - low),
        },
      } satisfies { [key: string]: Json };
    }),
    layout: layout(
      title,
      {
        height: Math.max(260, 150 + places.length * (18 + 10 * series.length)),
        showlegend: series.length > 1,
        xaxis: axis({ title: of, zeroline: true, zerolinecolor: '#222222', zerolinewidth: 2, rangemode: 'tozero' }),
        yaxis: axis({
          tickvals: places.map((_, i) => i),
          ticktext: places.map((place) => label(place, 40)),
          range: [places.length - 0.4, -0.6],
        }),
      },
      series.length > 1 ? names : [],
    ),
  };
}
