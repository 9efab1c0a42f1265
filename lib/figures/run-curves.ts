/** The curves of several runs over one another: loss above, validation metric below, each run with a dash of its own. */
import { axis, type Figure, finiteRows, layout, lineStyle, markerStyle, type TableRow } from './figure.js';
import { movingMean, thin } from './loss-curve.js';
import { label } from './text.js';
import { largest } from '../support/extremes.js';

/** Options of `runCurves`. */
export interface RunCurvesOptions {
  /** Default `Training runs`. */
  title?: string;
  /** Field of the horizontal axis: `step`, `tokens` or `seconds`. Default `step`. */
  x?: string;
  /** Field of the upper panel. Default `loss`. */
  loss?: string;
  /** Field of the lower panel. Default the first named like `valid ...` that the most runs have. */
  metric?: string;
  /** Points averaged into a line of the upper panel. Default a fiftieth of a run's. */
  window?: number;
}

/**
 * Loss of each run above, its validation metric below.
 * @param runs rows of each run's `metrics.jsonl`, such as `compareRuns(folder).curves`
 */
export function runCurves(
  runs: readonly { name: string; lines: readonly object[] }[],
  options: RunCurvesOptions = {},
): Figure {
  const { title = 'Training runs', x = 'step', loss = 'loss', metric = commonMetric(runs), window } = options;
  const data: Figure['data'] = [];
  runs.forEach(({ name, lines }, i) => {
    const group = { name: label(name, 40), legendgroup: String(i) };
    const losses = finiteRows(finiteRows(lines, x), loss);
    if (losses.length > 0) {
      const mean = window ?? Math.max(1, Math.round(losses.length / 50));
      const y = movingMean(
        losses.map((row) => row[loss] as number),
        mean,
      );
      const at = losses.map((row) => row[x] as number);
      data.push({ ...group, type: 'scatter', mode: 'lines', x: thin(at), y: thin(y), line: runLine(i) });
    }
    const measured = metric === undefined ? [] : placed(lines, x, metric);
    if (measured.length === 0) return;
    data.push({
      ...{ ...group, type: 'scatter', mode: 'lines+markers', showlegend: losses.length === 0, yaxis: 'y2' },
      x: measured.map(([at]) => at),
      y: measured.map(([, value]) => value),
      line: runLine(i),
      marker: markerStyle(i, 8),
    });
  });
  const both = metric !== undefined;
  return {
    data,
    layout: layout(
      title,
      {
        showlegend: true,
        height: both ? 700 : 500,
        xaxis: axis({ title: x, anchor: both ? 'y2' : 'y' }),
        yaxis: axis({ title: loss, most: both ? 22 : 32, rangemode: 'normal', domain: both ? [0.54, 1] : [0, 1] }),
        ...(both && { yaxis2: axis({ title: metric, most: 22, rangemode: 'tozero', domain: [0, 0.46] }) }),
      },
      runs.map(({ name }) => label(name, 40)),
    ),
  };
}

/** Dashes begin again after six runs: in a thinner line. */
function runLine(i: number): ReturnType<typeof lineStyle> {
  return { ...lineStyle(i), width: i < 6 ? 2.5 : 1.25 };
}

/** A validation has its step alone: its tokens and seconds are those of the line before it. */
function placed(lines: readonly object[], x: string, metric: string): [number, number][] {
  let at = 0;
  return (lines as readonly TableRow[]).flatMap((row): [number, number][] => {
    if (typeof row[x] === 'number') at = row[x];
    const value = row[metric];
    return typeof value === 'number' && Number.isFinite(value) ? [[at, value]] : [];
  });
}

function commonMetric(runs: readonly { lines: readonly object[] }[]): string | undefined {
  const counts = new Map<string, number>();
  for (const { lines } of runs) {
    const names = new Set(lines.flatMap((line) => Object.keys(line).filter((key) => key.startsWith('valid '))));
    for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const most = largest(counts.values(), 0);
  const common = [...counts].filter(([, count]) => count === most).map(([name]) => name);
  return common.find((name) => name === 'valid NDCG@10') ?? common[0];
}
