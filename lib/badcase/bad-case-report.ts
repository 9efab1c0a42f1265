/** The `badcase` stage: data folder and results -> `badcase_report.json` and two figures. */
import { dirname, join } from 'node:path';
import { loadDataset } from '../data/load.js';
import { readResults } from '../evaluate/results-file.js';
import { exportFigure } from '../figures/export-figure.js';
import { failureModes } from '../figures/failure-modes.js';
import { rankDistribution } from '../figures/rank-distribution.js';
import { writeJson } from '../files/files.js';
import { badCases, type BadCases } from './bad-cases.js';
import { BADCASE_OPTIONS, type BadCaseReportOptions } from './badcase-options.js';

export interface BadCaseReport extends Pick<BadCases, 'rows' | 'failed' | 'modes'> {
  /** File. */
  report: string;
  /** Files without their extension: `.svg` and `.png` of each are there. */
  figures: string[];
}

/** @throws InputError for data or results that are missing or do not fit together; nothing is written then */
export async function badCaseReport(options: BadCaseReportOptions): Promise<BadCaseReport> {
  const { data, dataset, results, out = dirname(results), ...rest } = BADCASE_OPTIONS.parse(options);
  const found = badCases(await readResults(results), await loadDataset(data, dataset), rest);
  const { rows, failed, modes, cases, ranks } = found;
  const report = join(out, 'badcase_report.json');
  const figures = [join(out, 'failure-modes'), join(out, 'rank-distribution')];
  await exportFigure(failureModes(modes), figures[0]!);
  await exportFigure(rankDistribution(ranks), figures[1]!);
  writeJson(report, { rows, failed, modes, cases });
  return { rows, failed, modes, report, figures };
}
