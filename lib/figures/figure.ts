/**
 * What every figure has in common: the type of a Plotly figure, and a style that survives a black-and-white printer.
 *
 * Colours are Okabe & Ito's ("Color Universal Design", 2008), ordered so that neighbours differ in lightness; series
 * also differ in dash, marker or hatching. Sizes are meant for 900 x 500 pixels.
 */
import { textWidth } from './text-size.js';
import { label, unescapeText } from './text.js';
import { largest } from '../support/extremes.js';

/** Whatever JSON can hold. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** A Plotly figure: plain JSON. */
export interface Figure {
  /** Plotly's traces. */
  data: { [key: string]: Json }[];
  /** Plotly's layout. */
  layout: { [key: string]: Json };
}

/** One row of a table: a value a column. Functions that take rows take any objects. */
export type TableRow = Record<string, unknown>;

/** Colours of the series, in turn. */
export const COLOURS = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#56b4e9', '#d55e00', '#444444'] as const;
const DASHES = ['solid', 'dash', 'dot', 'dashdot', 'longdash', 'longdashdot'] as const;
const MARKERS = ['circle', 'square', 'diamond', 'triangle-up', 'cross', 'x'] as const;
const PATTERNS = ['', '/', 'x', '.', '-', '\\', '+'] as const;

const of = <T>(list: readonly T[], i: number): T => list[i % list.length]!;

/** Line of series `i`. */
export function lineStyle(i: number): { [key: string]: Json } {
  return { color: of(COLOURS, i), width: 2.5, dash: of(DASHES, i) };
}

/** Marker of series `i`. */
export function markerStyle(i: number, size = 8): { [key: string]: Json } {
  return { color: of(COLOURS, i), size, symbol: of(MARKERS, i) };
}

/** Bars of series `i`, hatched. */
export function barStyle(i: number): { [key: string]: Json } {
  const colour = of(COLOURS, i);
  return {
    color: colour,
    line: { color: '#222222', width: 1 },
    pattern: {
      shape: of(PATTERNS, i + Math.floor(i / COLOURS.length)), // the eighth series is not the first once more
      fillmode: 'overlay',
      fgcolor: '#ffffff',
      fgopacity: 0.9,
      size: 8,
      solidity: 0.35,
    },
  };
}

/** Options of `axis`. */
export interface AxisOptions {
  /** Any text; it is escaped here. */
  title?: string;
  /** Letters of the title at most; 32 for one that comes from data and is beside a short axis. Default 64. */
  most?: number;
  /** Further Plotly properties of the axis. */
  [key: string]: Json | undefined;
}

/** An axis in the kit's style; what is given goes on top. */
export function axis({ title, most = 64, ...rest }: AxisOptions = {}): { [key: string]: Json } {
  const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined)) as {
    [key: string]: Json;
  };
  return {
    ...(title === undefined ? {} : { title: { text: label(title, most), standoff: 12 } }),
    automargin: true,
    gridcolor: '#dddddd',
    linecolor: '#444444',
    showline: true,
    zeroline: false,
    ticks: 'outside',
    ...given,
  };
}

const LEGEND = { fontSize: 14, row: 20, room: 780 };

/** Rows of a legend above the plot: side by side where all names fit, else in columns as wide as the widest name. */
export function legendRows(names: readonly string[]): number {
  const widths = names.map((name) => textWidth(unescapeText(name), LEGEND.fontSize) + 46); // with its line and a gap
  if (widths.reduce((sum, width) => sum + width, 0) <= LEGEND.room) return 1;
  return Math.ceil(names.length / Math.max(1, Math.floor(LEGEND.room / largest(widths))));
}

/**
 * Layout with a title (any text; it is escaped here), at the kit's size and fonts; `rest` goes on top.
 * @param names in a legend above the plot, as they were escaped: where they need several rows the figure grows
 */
export function layout(
  title: string,
  rest: { [key: string]: Json } = {},
  names: readonly string[] = [],
): { [key: string]: Json } {
  const { height = 500 } = rest;
  const more = LEGEND.row * (legendRows(names) - 1);
  return {
    title: {
      text: label(title, 74), // what 900 pixels hold
      x: 0.02,
      xanchor: 'left',
      y: 1,
      yref: 'container',
      yanchor: 'top',
      pad: { t: 16 },
      font: { size: 19 },
    },
    width: 900,
    font: { family: 'DejaVu Sans, Verdana, sans-serif', size: 15, color: '#222222' },
    paper_bgcolor: '#ffffff',
    plot_bgcolor: '#ffffff',
    margin: { l: 70, r: 30, t: 88 + Math.max(0, more), b: 60 },
    legend: {
      orientation: 'h',
      x: 0,
      y: 1.01,
      xanchor: 'left',
      yanchor: 'bottom',
      font: { size: LEGEND.fontSize },
      tracegroupgap: 0,
    },
    ...rest,
    height: (height as number) + Math.max(0, more),
  };
}

/** `rows` without those whose `field` is no finite number. */
export function finiteRows(rows: readonly object[], field: string): TableRow[] {
  return (rows as readonly TableRow[]).filter((row) => typeof row[field] === 'number' && Number.isFinite(row[field]));
}
