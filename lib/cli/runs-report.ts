/** `sidlab runs`: the runs of a folder beside one another. */
import { join, relative } from 'node:path';
import { exportFigure } from '../figures/export-figure.js';
import { runCurves } from '../figures/run-curves.js';
import { tableText } from '../figures/show-table.js';
import { InputError } from '../support/errors.js';
import { duration } from '../support/progress.js';
import { compareRuns, type RunComparison } from '../train/report/compare-runs.js';
import { RUNS_OPTIONS, type RunsOptions } from '../train/report/runs-options.js';

/** What `sidlab runs` gives back: the comparison without its curves, which are in the figure. */
export type RunsReport = Omit<RunComparison, 'curves'> & {
  /** Files. */
  figures: string[];
};

/** Compares the runs, and draws their curves. */
export async function runsReport(options: RunsOptions): Promise<RunsReport> {
  const { data, out = join(data, 'figures'), metric, x } = RUNS_OPTIONS.parse(options);
  const { runs, differences, curves } = compareRuns(data);
  const measured = curves.flatMap(({ lines }) => lines.flatMap((line) => Object.keys(line)));
  const metrics = [...new Set(measured.filter((name) => name.startsWith('valid ')))].map((name) => name.slice(6));
  if (metric !== undefined && !metrics.includes(metric)) {
    throw new InputError(`runs: expected --metric to be one of ${metrics.join(', ')}, got ${metric}`);
  }
  const figure = runCurves(curves, { x, ...(metric !== undefined && { metric: `valid ${metric}` }) });
  return { runs, differences, figures: await exportFigure(figure, join(out, 'runs')) };
}

/** As tables. */
export function runsText({ runs, differences, figures }: RunsReport): string {
  const rows = runs.map(({ seconds, ...run }) => ({ ...run, time: duration(seconds) }));
  const options = differences.map(({ option, values }) => ({ option, ...values }));
  const changed = options.length > 0 ? tableText(options.map(blanks)) : 'the same options in all of them';
  return [
    tableText(rows.map(blanks)),
    ...(runs.length > 1 ? [changed] : []),
    ...figures.map((path) => relative(process.cwd(), path)),
  ].join('\n\n');
}

function blanks(row: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(row).map(([key, value]) => [key, value ?? '']));
}
