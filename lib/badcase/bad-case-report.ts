/** The `badcase` stage: data folder and results -> `badcase_report.json` and two figures. */
import { dirname, join } from 'node:path';
import { loadDataset } from '../data/load.js';
import { readResults } from '../evaluate/results-file.js';
import { exportFigure } from '../figures/export-figure.js';
import { failureModes } from '../figures/failure-modes.js';
import { rankDistribution } from '../figures/rank-distribution.js';
import { writeJson } from '../files/files.js';
import { badCases, type BadCases, type BadCasesOptions } from './bad-cases.js';

export interface BadCaseReportOptions extends BadCasesOptions {
  /** Data folder. */
  data: string;
  /** NAME of its files; default as in `loadDataset`. */
  dataset?: string;
  /** `results.jsonl` of an evaluation on its test rows. */
  results: string;
  /** Folder for report and figures; default the one of the results. */
  out?: string;
}

export interface BadCaseReport extends Pick<BadCases, 'rows' | 'failed' | 'modes'> {
  /** File. */
  report: string;
  /** Files without their extension: `.svg` and `.png` of each are there. */
  figures: string[];
}

/** @throws InputError for data or results that are missing or do not fit together; nothing is written then */
export async function badCaseReport(options: BadCaseReportOptions): Promise<BadCaseReport> {
  const { data, dataset, results, out = dirname(results), ...rest } = options;
  const found = badCases(await readResults(results), await loadDataset(data, dataset), rest);
  const { rows, failed, modes, cases, ranks } = found;
  const report = join(out, 'badcase_report.json');
  const figures = [join(out, 'failure-modes'), join(out, 'rank-distribution')];
  await exportFigure(failureModes(modes), figures[0]!);
  await exportFigure(rankDistribution(ranks), figures[1]!);
  writeJson(report, { rows, failed, modes, cases });
  return { rows, failed, modes, report, figures };
}
