/** `sidlab runs`: the runs of a folder beside one another. */
import { join, relative } from 'node:path';
import { exportFigure } from '../figures/export-figure.js';
import { runCurves } from '../figures/run-curves.js';
import { tableText } from '../figures/show-table.js';
import { duration } from '../support/progress.js';
import { compareRuns, type RunComparison } from '../train/report/compare-runs.js';
import type { Command } from './command.js';

type RunsReport = Omit<RunComparison, 'curves'> & { figures: string[] };

export const runsCommand: Command = {
  summary: 'the runs of a folder: how far they got, in what they differ, their curves in one figure',
  flags: ['data', 'out', 'metric', 'x'],
  needs: ['data'],
  engine: false,
  run: async ({ data, out, metric, x }): Promise<RunsReport> => {
    const folder = data as string;
    const { runs, differences, curves } = compareRuns(folder);
    const figure = runCurves(curves, {
      ...(metric !== undefined && { metric: `valid ${metric as string}` }),
      ...(x !== undefined && { x: x as string }),
    });
    const figures = await exportFigure(figure, join((out as string | undefined) ?? join(folder, 'figures'), 'runs'));
    return { runs, differences, figures };
  },
  print: ({ runs, differences, figures }: RunsReport) => {
    const rows = runs.map(({ seconds, ...run }) => ({ ...run, time: duration(seconds) }));
    const options = differences.map(({ option, values }) => ({ option, ...values }));
    return [
      tableText(rows.map(blanks)),
      ...(runs.length > 1
        ? [options.length > 0 ? tableText(options.map(blanks)) : 'the same options in all of them']
        : []),
      ...figures.map((path) => relative(process.cwd(), path)),
    ].join('\n\n');
  },
};

function blanks(row: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(row).map(([key, value]) => [key, value ?? '']));
}
