/** The `badcase` stage: data folder and results -> `badcase_report.json` and two figures. */
import { dirname, join } from 'node:path';
import { loadDataset } from '../data/load.js';
import type { Recommender } from '../evaluate/recommender.js';
import { readResults } from '../evaluate/results-file.js';
import { listChecker } from '../evaluate/score/check-result-lists.js';
import { exportFigure } from '../figures/export-figure.js';
import { failureModes } from '../figures/failure-modes.js';
import { rankDistribution } from '../figures/rank-distribution.js';
import { writeJson } from '../files/files.js';
import { badCases, type BadCases } from './bad-cases.js';
import { type BadCaseReportOptions, badCaseSchema } from './badcase-options.js';
import { DETECTORS } from './detectors.js';
import { loadInputs } from './load-inputs.js';

/** What was found, and where it was written. */
export interface BadCaseReport extends Pick<BadCases, 'rows' | 'failed' | 'modes' | 'notRun'> {
  /** File. */
  report: string;
  /** Files without their extension: `.svg` and `.png` of each are there. */
  figures: string[];
}

/** @throws InputError for data or results that are missing or do not fit together; nothing is written then */
export async function badCaseReport(options: BadCaseReportOptions): Promise<BadCaseReport> {
  const settings = badCaseSchema(options.detectors).parse(options);
  const { data, dataset: name, results, out = dirname(results), index, embeddings, model, ...rest } = settings;
  const read = await readResults(results);
  const dataset = await loadDataset(data, name);
  read.forEach(listChecker(results, dataset.items.length));
  const inputs = await loadInputs(rest.detectors ?? DETECTORS, dataset, { index, embeddings, model });
  const found = await disposing(inputs.model, () => badCases(read, dataset, { ...rest, ...inputs }));
  const { rows, failed, modes, notRun, cases, ranks } = found;
  const report = join(out, 'badcase_report.json');
  const figures = [join(out, 'failure-modes'), join(out, 'rank-distribution')];
  await exportFigure(failureModes(modes), figures[0]!);
  await exportFigure(rankDistribution(ranks), figures[1]!);
  writeJson(report, { rows, failed, modes, notRun, cases });
  return { rows, failed, modes, notRun, report, figures };
}

/** Gives the model's memory back, whatever happens. */
async function disposing<T>(recommender: Recommender | undefined, work: () => T): Promise<T> {
  try {
    return work();
  } finally {
    if (recommender) (await import('../lm/weights.js')).disposeWeights(recommender.model.weights);
  }
}
