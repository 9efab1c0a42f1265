/** The `score` stage: results files of any origin -> metrics with intervals, what the lists are like, slices. */
import { writeJson } from '../../files/files.js';
import { packageVersion } from '../../runs/code-version.js';
import { hitRate, measurableKs, ndcg, rankGains } from '../measures/ranking.js';
import { means } from '../measures/measure.js';
import type { Slice } from '../measures/slices.js';
import { type RowEntry, rowTable } from '../rows/row-table.js';
import { type Estimate, estimateUnits, type IntervalOptions } from '../statistics/intervals.js';
import { rankUnits } from '../statistics/units.js';
import {
  belowBaselines,
  besideBaseline,
  type BesideBaseline,
  type RankBaselines,
  rememberRanking,
} from './beside-baselines.js';
import { readCatalogueFiles } from './catalogue.js';
import { listReport, type ListReport } from './list-report.js';
import type { CalcMetrics } from './minionerec-results.js';
import { LISTED, type RankedFile, readRanked } from './read-ranked.js';
import { repeatsWarning } from './repeats-warning.js';
import { largestSlices, ROW_LABELS } from './row-labels.js';
import type { RowsOf } from './rows-of.js';
import { lengthWithHistory, withoutHistory } from '../rows/without-history.js';
import { SCORE_OPTIONS, type ScoreOptions } from './score-options.js';

/** The score of one file. */
export interface FileScore {
  file: string;
  /** SHA-256. */
  sha256: string;
  kind: RankedFile['kind'];
  rows: number;
  /** The split whose first rows these are, and how many it has. With a data set. */
  of?: RowsOf;
  /** Users; rows of one user are resampled together. MiniOneRec's files name none: a row each. */
  users: number;
  /** Length of the longest list. */
  longest: number;
  /** HR, NDCG and MRR with their intervals, by item and by distinct SIDs. */
  metrics: { item?: Record<string, Estimate>; sid?: Record<string, Estimate> };
  lists: ListReport;
  /** HR and NDCG at `lists.k` of parts of the rows. With a data set by popularity, category and month too. */
  slices: Record<string, Slice[]>;
  /** Counting baselines over the same rows, by name. With a data set, where somebody ranks them. */
  baselines?: Record<string, Record<string, Estimate>>;
  /** NDCG of the file beside that of each baseline, by the paired test. */
  beside?: BesideBaseline[];
  /** A line for each baseline that the file is below, and one where the protocol costs places or targets. */
  warnings?: string[];
  /** What MiniOneRec's calc.py prints of its file. */
  calc?: CalcMetrics;
  /** Hashes of what the results were ranked with, where the file beside them says so. */
  inputs?: Record<string, string>;
}

/** What `score` gives back. */
export interface ScoreReport {
  files: FileScore[];
  level: number;
  samples: number;
  seed: number;
  version: string;
}

/**
 * @param rank baselines to show beside; default none
 * @throws InputError for a file that is damaged, of another catalogue, or no ranking, and for k beyond the lists
 */
export async function scoreStage(options: ScoreOptions, rank?: RankBaselines): Promise<ScoreReport> {
  const { files, k, out, baselines, ...rest } = SCORE_OPTIONS.parse(options);
  const { level, samples, seed } = rest;
  const catalogue = await readCatalogueFiles(rest);
  const rankOnce = rank && rememberRanking(rank);
  const scores: FileScore[] = [];
  for (const file of files) {
    const ranked = await readRanked(file, catalogue);
    const score = scoreFile(ranked, k, { level, samples, seed });
    const beside = baselines && rankOnce ? await baselineScores(ranked, rankOnce, k, { level, samples, seed }) : {};
    const lost = ranked.dataset && repeatsWarning(ranked.dataset, score.lists, ranked.excludesHistory === true);
    const warnings = [...(beside.warnings ?? []), ...(lost === undefined ? [] : [lost])];
    scores.push({ ...score, ...beside, ...(warnings.length > 0 && { warnings }) });
  }
  const report = { files: scores, level, samples, seed, version: packageVersion() };
  if (out !== undefined) writeJson(out, report);
  return report;
}

interface Measured {
  users: number;
  metrics: Record<string, Estimate>;
}

function scoreFile(ranked: RankedFile, asked: readonly number[] | undefined, options: IntervalOptions): FileScore {
  const { file, sha256, kind, table, longest, of, dataset, index, calc, provenance } = ranked;
  const ks = measurableKs(longest, asked);
  const gains = rankGains(ks);
  const measured = (ranks: number[]): Measured => {
    const units = rankUnits(table, ranks, Object.values(gains));
    return { users: units.count, metrics: estimateUnits(units, Object.keys(gains), options) };
  };
  const item = kind === 'results' ? measured(table.map(({ rank }) => rank)) : undefined;
  const sid = index && measured(table.map(({ sidRank }) => sidRank!));
  return {
    ...{ file, sha256, kind, rows: table.length, users: (item ?? sid!).users, longest },
    ...(of && { of }),
    metrics: { ...(item && { item: item.metrics }), ...(sid && { sid: sid.metrics }) },
    lists: listReport(table, Math.min(LISTED, longest), dataset),
    slices: slicesOf(table, Math.min(LISTED, longest), kind === 'results' ? 'rank' : 'sidRank'),
    ...(calc && { calc }),
    ...(provenance && { inputs: provenance.inputs }),
  };
}

/**
 * Of files of items with histories: a task about items asks nothing that counting could answer. Where the file says that it
 * was ranked without what the histories hold, so are the baselines.
 */
async function baselineScores(
  { file, kind, table, longest, dataset, excludesHistory }: RankedFile,
  rank: RankBaselines,
  asked: readonly number[] | undefined,
  options: IntervalOptions,
): Promise<Pick<FileScore, 'baselines' | 'beside' | 'warnings'>> {
  if (!dataset || kind !== 'results' || table.some(({ history }) => history.length === 0)) return {};
  const rows = table.map(({ user, history, target }) => ({ user, history: [...history], target }));
  const gains = rankGains(measurableKs(longest, asked));
  const baselines: FileScore['baselines'] = {};
  const beside: BesideBaseline[] = [];
  const length = excludesHistory ? lengthWithHistory(rows, longest) : longest;
  for (const [name, results] of Object.entries(await rank(dataset, rows, length))) {
    const others = rowTable(excludesHistory ? withoutHistory(results, longest) : results);
    const units = rankUnits(others, others.map((row) => row.rank), Object.values(gains)); // prettier-ignore
    baselines[name] = estimateUnits(units, Object.keys(gains), options);
    beside.push(...besideBaseline(file, table, name, others, Math.min(LISTED, longest)));
  }
  return { baselines, beside, warnings: belowBaselines(beside) };
}

function slicesOf(table: readonly RowEntry[], k: number, by: 'rank' | 'sidRank'): Record<string, Slice[]> {
  const measures = { [`HR@${k}`]: hitRate(k, by), [`NDCG@${k}`]: ndcg(k, by) };
  const all = Object.entries(ROW_LABELS).map(([name, label]) => {
    const slices = largestSlices(table.map((row) => label(row)));
    return [
      name,
      slices.map(([slice, rows]): Slice => ({
        ...{ slice, rows: rows.length },
        ...means(rows.map((i) => table[i]!), measures), // prettier-ignore
      })),
    ] as const;
  });
  return Object.fromEntries(all.filter(([, of]) => of.length > 0));
}
