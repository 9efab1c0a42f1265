/**
 * The `badcase` stage: results, or a model that is evaluated first, -> a folder with `eval_results.jsonl`,
 * `badcase_report.json`, `summary_report.txt`, `report.html` and `visualizations/`.
 */
import { existsSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Dataset } from '../data/dataset.js';
import { type PartView, partView } from '../data/join/parts.js';
import { indexOf, loadDataset } from '../data/load.js';
import type { Recommender } from '../evaluate/recommender.js';
import { RANK_OPTIONS } from '../evaluate/evaluate-options.js';
import { readResults, type Result, writeResults } from '../evaluate/results-file.js';
import { checkUsers } from '../evaluate/score/catalogue.js';
import { listChecker } from '../evaluate/score/check-result-lists.js';
import { ownCatalogue } from '../evaluate/score/read-ranked.js';
import { exportFigure } from '../figures/export-figure.js';
import { checkTarget, readText, writeAtomic, writeJson } from '../files/files.js';
import { defined } from '../support/defined.js';
import { badCases, type BadCases } from './bad-cases.js';
import { type BadCaseReportOptions, badCaseSchema } from './badcase-options.js';
import { curveFindings } from './curve-findings.js';
import { DETECTORS } from './detectors.js';
import { loadInputs } from './load-inputs.js';
import { type GivenInputs, partInputs } from './part-views.js';
import { tellingCategories } from './modes/category.js';
import { htmlReport } from './report/html-report.js';
import { reportFigures } from './report/report-figures.js';
import { summaryText } from './report/summary-text.js';
import type { BadCaseFile, RankCounts } from './report-shape.js';
import { sidSummary } from './sid-summary.js';
import { verdictsOf } from './verdicts.js';

/** What was found, and where it was written. */
export interface BadCaseReport
  extends Pick<BadCases, 'rows' | 'failed' | 'modes' | 'named' | 'notRun'>, Pick<BadCaseFile, 'verdicts'> {
  /** `badcase_report.json`. */
  report: string;
  /** `report.html`, which opens without a network. */
  html: string;
  /** `summary_report.txt`. */
  summary: string;
  /** `eval_results.jsonl`. */
  results: string;
  /** Files without their extension: `.svg` and `.png` of each are there. */
  figures: string[];
}

/** @throws InputError for data or results that are missing or do not fit together; nothing is written then */
export async function badCaseReport(options: BadCaseReportOptions): Promise<BadCaseReport> {
  const settings = badCaseSchema(options.detectors).parse(options);
  const { data, dataset: name, results, index, part, embeddings, model, out: folder, ...rest } = settings;
  const out = folder ?? join(dirname(results ?? model!), 'badcase');
  checkTarget(join(out, 'badcase_report.json'), '--out');
  const detectors = rest.detectors ?? DETECTORS;
  const evaluated =
    results ?? (await evaluateModel({ data, dataset: name, index, part, model: model!, topK: rest.topK }, out));
  const read = await readResults(evaluated);
  const joined = await loadDataset(data, name);
  const { dataset, firstItem, ownSids } = analysedData(evaluated, joined, { index, part });
  read.forEach(listChecker(evaluated, dataset.items.length));
  checkUsers(evaluated, read, dataset);
  const { index: sids, ...others } = await loadInputs(detectors, joined, { index, embeddings, model });
  const loaded = { ...others, ...(ownSids && sids && { index: sids }) };
  const inputs = dataset.items === joined.items ? loaded : partInputs(loaded, firstItem, dataset.items.length);
  // what is beyond the lists' ends cannot be told from what is in no list
  const longest = read.reduce((most, { items }) => Math.max(most, items.length), 1);
  const asked = { ...rest, topK: Math.min(rest.topK, longest), ...inputs };
  const found = await disposing(inputs.model, () => badCases(read, dataset, asked));
  const known = { ...found, results: read, dataset, index: inputs.index, vectors: inputs.vectors };
  const file = reportFile(known, model === undefined ? [] : curveFindings(model), detectors);
  return writeReport(file, { out, from: evaluated, read, found });
}

/**
 * The data that results are of: of a joined folder the data set that they are of, as the file beside them or `part` says.
 * @throws InputError for results that were ranked with other items or another index
 */
function analysedData(
  results: string,
  joined: Dataset,
  { index, part }: { index: string | undefined; part: string | undefined },
): PartView & {
  /** False where another index ranked them than the one that there is, nobody having named it. */
  ownSids: boolean;
} {
  partView(joined, part);
  const file = index ?? indexOf(joined);
  const catalogue = {
    dataset: joined,
    numbers: { sids: [], ids: new Map<string, number>() },
    ...(existsSync(file) && { indexFile: file }),
    ...(index !== undefined && { indexNamed: true }),
    ...(part !== undefined && { part }),
  };
  const { own } = ownCatalogue(results, catalogue);
  const { dataset = joined, indexFile } = own;
  const { firstItem } = partView(joined, dataset.sources && dataset.name);
  return { dataset, firstItem, ownSids: indexFile !== undefined };
}

/** What `reportFile` puts together. */
type Known = BadCases & { results: readonly Result[]; dataset: Dataset } & Pick<GivenInputs, 'index' | 'vectors'>;

function reportFile(
  { results, dataset, index, vectors, ...found }: Known,
  curves: BadCaseFile['curves'],
  detectors: Parameters<typeof verdictsOf>[1],
): BadCaseFile {
  const { rows, failed, topK, modes, named, notRun, ranks, cases } = found;
  const facts = {
    version: 1 as const,
    ...{ rows, failed, failureRate: failed / rows, topK, ranks: countRanks(ranks), modes, named },
    notRun: Object.fromEntries(notRun.map(({ name, flag }) => [name, `needs ${flag}`])),
    sidQuality: index
      ? sidSummary({
          ...{ index, vectors, targets: results.map(({ target }) => target) },
          categories: tellingCategories(dataset.items),
        })
      : null,
    curves,
  };
  const listed = new Set(cases.flatMap(({ history, target, items }) => [...history, target, ...items]));
  const titles = [...listed].sort((a, b) => a - b).map((item) => [item, dataset.items[item]!.title] as const);
  return { ...facts, verdicts: verdictsOf(facts, detectors), titles: Object.fromEntries(titles), cases };
}

function countRanks(ranks: readonly number[]): RankCounts {
  const counts: RankCounts = { '1-10': 0, '11-20': 0, '21-50': 0, beyond: 0 };
  for (const rank of ranks) {
    counts[rank === 0 || rank > 50 ? 'beyond' : rank > 20 ? '21-50' : rank > 10 ? '11-20' : '1-10']++;
  }
  return counts;
}

interface Written {
  out: string;
  /** Results file that was analysed. */
  from: string;
  read: readonly Result[];
  found: BadCases;
}

async function writeReport(file: BadCaseFile, { out, from, read, found }: Written): Promise<BadCaseReport> {
  const figures = reportFigures(file, found.ranks);
  const paths = Object.keys(figures).map((name) => join(out, 'visualizations', name));
  for (const [i, figure] of Object.values(figures).entries()) await exportFigure(figure, paths[i]!);
  const text = summaryText(file, from);
  const results = join(out, 'eval_results.jsonl');
  if (resolve(results) !== resolve(from)) copyResults(read, from, results);
  const [report, html, summary] = ['badcase_report.json', 'report.html', 'summary_report.txt'].map((name) =>
    join(out, name),
  ) as [string, string, string];
  writeJson(report, file);
  writeAtomic(html, htmlReport(file, figures, text));
  writeAtomic(summary, text);
  const { rows, failed, modes, named, notRun } = found;
  return {
    rows,
    failed,
    modes,
    named,
    notRun,
    verdicts: file.verdicts,
    report,
    html,
    summary,
    results,
    figures: paths,
  };
}

/** With the file beside them that says what they are of; one of other results goes. */
function copyResults(read: readonly Result[], from: string, to: string): void {
  const [there, here] = [from, to].map((file) => file.replace(/(\.jsonl)?$/, '.json')) as [string, string];
  writeResults(to, read);
  if (there !== from && existsSync(there)) writeAtomic(here, readText(there));
  else rmSync(here, { force: true });
}

/** @returns the results file */
async function evaluateModel(
  {
    data,
    model,
    topK,
    ...given
  }: { data: string; model: string; topK: number } & { [K in 'dataset' | 'index' | 'part']: string | undefined },
  out: string,
): Promise<string> {
  const { evaluateStage } = await import('../evaluate/evaluate-stage.js');
  const numBeams = Math.max(topK, RANK_OPTIONS.numBeams.default!);
  const results = join(out, 'eval_results.jsonl');
  return (await evaluateStage({ data, ...defined(given), model, numBeams, results })).results;
}

/** Gives the model's memory back, whatever happens. */
async function disposing<T>(recommender: Recommender | undefined, work: () => T): Promise<T> {
  try {
    return work();
  } finally {
    if (recommender) (await import('../lm/weights.js')).disposeWeights(recommender.model.weights);
  }
}
