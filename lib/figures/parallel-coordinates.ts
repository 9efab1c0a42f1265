/**
 * Trials of a sweep: an upright axis an option or metric, a line a trial, darker the better it is.
 *
 * Made of ordinary lines rather than of Plotly's own trace of this name, which needs WebGL and has no SVG.
 */
import { type Figure, type Json, layout } from './figure.js';
import { rowsOf } from './tables/rows-of.js';
import type { TableLike } from './tables/shapes.js';
import { label } from './text.js';

/** Options of `parallelCoordinates`. */
export interface ParallelCoordinatesOptions {
  /** Default `Trials of the sweep`. */
  title?: string;
  /** Fields, from left to right; the last one decides the colour. Default all that differ. */
  axes?: readonly string[];
  /** Whether a larger value of the last axis is better. Default `max`. */
  goal?: 'max' | 'min';
  /** Axes whose numbers are spread by their logarithm. Default: those above 0 that span a factor of 50 or more. */
  log?: readonly string[];
}

/** The worst trial to the best: from light to dark, so that a printer without colours keeps the order. */
const SCALE = ['#d9d9d9', '#a6c8e0', '#5aa2cf', '#0072b2', '#08306b'] as const;

/** @param trials rows of numbers and texts; a row that lacks a number of an axis is left out */
export function parallelCoordinates(trials: TableLike, options: ParallelCoordinatesOptions = {}): Figure {
  const all = rowsOf(trials).rows;
  const { title = 'Trials of the sweep', goal = 'max' } = options;
  const names = options.axes ?? Object.keys(all[0] ?? {}).filter((field) => differs(all.map((row) => row[field])));
  const rows = all.filter((row) =>
    names.every((name) => row[name] !== '' && row[name] !== null && row[name] !== undefined),
  );
  const axes = names.map((name) =>
    axisOf(
      name,
      rows.map((row) => row[name]),
      options.log,
    ),
  );
  const last = axes.at(-1);
  const share = (i: number): number => (last ? (goal === 'max' ? last.heights[i]! : 1 - last.heights[i]!) : 1);
  const order = [...rows.keys()].sort((a, b) => share(a) - share(b)); // the best on top
  return {
    data: order.map((i) => ({
      type: 'scatter',
      mode: 'lines+markers',
      x: names.map((_, at) => at),
      y: axes.map(({ heights }) => heights[i]!),
      text: names.map((name) => `${name}: ${String(rows[i]![name])}`),
      hoverinfo: 'text',
      line: { color: SCALE[Math.min(SCALE.length - 1, Math.floor(share(i) * SCALE.length))]!, width: 1 + 2 * share(i) },
      marker: { size: 5 },
    })),
    layout: layout(title, {
      showlegend: false,
      xaxis: {
        tickmode: 'array',
        tickvals: names.map((_, at) => at),
        ticktext: names.map((name) => label(name, 24)),
        range: [-0.3, Math.max(1, names.length) - 0.5],
        showgrid: true,
        gridcolor: '#444444',
        zeroline: false,
        automargin: true,
      },
      yaxis: { visible: false, range: [-0.08, 1.08] },
      annotations: axes.flatMap(({ ticks }, at) => ticks.map(([height, text]) => tick(at, height, text))),
    }),
  };
}

interface Axis {
  /** Of each row, 0 to 1. */
  heights: number[];
  ticks: [height: number, text: string][];
}

function axisOf(name: string, values: readonly unknown[], log?: readonly string[]): Axis {
  const numbers = values.every((value) => typeof value === 'number');
  return numbers ? numberAxis(name, values as number[], log) : wordAxis(values.map((value) => JSON.stringify(value)));
}

function numberAxis(name: string, values: readonly number[], log?: readonly string[]): Axis {
  const sorted = [...values].sort((a, b) => a - b);
  const [low = 0, high = 0] = [sorted[0], sorted.at(-1)];
  const spread = log ? log.includes(name) && low > 0 : low > 0 && high / low >= 50;
  const scale = spread ? Math.log : (x: number) => x;
  const height = (x: number): number => (high > low ? (scale(x) - scale(low)) / (scale(high) - scale(low)) : 0.5);
  const distinct = [...new Set(sorted)];
  const shown = distinct.length <= 5 ? distinct : [low, high];
  return { heights: values.map(height), ticks: shown.map((x) => [height(x), String(Number(x.toPrecision(4)))]) };
}

function wordAxis(values: readonly string[]): Axis {
  const words = [...new Set(values)];
  const height = (word: string): number => (words.length > 1 ? words.indexOf(word) / (words.length - 1) : 0.5);
  return {
    heights: values.map(height),
    ticks: words.map((word) => [height(word), label(word.replace(/^"|"$/g, ''), 18)]),
  };
}

function tick(x: number, y: number, text: string): { [key: string]: Json } {
  return {
    x,
    y,
    text,
    showarrow: false,
    xanchor: 'right',
    xshift: -8,
    font: { size: 12 },
    bgcolor: 'rgba(255,255,255,0.8)',
  };
}

function differs(values: readonly unknown[]): boolean {
  return new Set(values.map((value) => JSON.stringify(value))).size > 1;
}
