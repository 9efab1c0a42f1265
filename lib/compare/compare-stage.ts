/**
 * The `compare` stage: results of two sides or more over the same rows -> metrics with intervals, paired tests of every
 * pair, the same by slice and by failure mode, rows won and lost, two figures.
 *
 * p-values are corrected after Holm within what one reader takes in at once: a metric over all pairs; within slices and
 * modes over all slices of a kind, or all modes, and all pairs.
 */
import { measurableKs, rankingMeasures, type RankField } from '../evaluate/measures/ranking.js';
import { type Catalogue, rankedIndex, readCatalogueFiles } from '../evaluate/score/catalogue.js';
import { type RankedFile, readProvenance, readRanked } from '../evaluate/score/read-ranked.js';
import { checkSameRows } from '../evaluate/statistics/compare.js';
import { type Estimate, estimateUnits, type IntervalOptions } from '../evaluate/statistics/intervals.js';
import { measureRows, unitsOf } from '../evaluate/statistics/units.js';
import { checkTarget, hashFile } from '../files/files.js';
import { packageVersion } from '../runs/code-version.js';
import { InputError } from '../support/errors.js';
import { smallest } from '../support/extremes.js';
import { COMPARE_OPTIONS, type CompareStageOptions } from './compare-options.js';
import type { CompareReport } from './compare-report.js';
import { compareModes, type ModeComparison } from './failed-modes.js';
import { outcomes } from './outcomes.js';
import { comparePairs, corrected, type SideTables } from './paired-tests.js';
import { readSides, type Side } from './sides.js';
import { compareSlices } from './slices.js';
import { writeComparison } from './write-comparison.js';

/** @throws InputError as `scoreStage`, and for files of other rows or of two kinds */
export async function compareStage(options: CompareStageOptions): Promise<CompareReport> {
  const { files, names, reports, k, out, at, examples, ...rest } = COMPARE_OPTIONS.parse(options);
  const { alpha, level, samples, seed } = rest;
  if (out !== undefined) checkTarget(out, '--out');
  const statistics = { alpha, level, samples, seed };
  const sides = readSides({ files, names, reports });
  const catalogue = forAll(await readCatalogueFiles(rest), sides, rest.index !== undefined);
  const ranked = await readSame(sides, catalogue);
  const [first] = ranked[0]!;
  const longest = smallest(ranked.flat().map((file) => file.longest));
  const ks = measurableKs(longest, k);
  const tables = sides.map(({ name }, i): SideTables => ({ name, tables: ranked[i]!.map(({ table }) => table) }));
  const by: readonly (readonly ['item' | 'sid', RankField])[] = [
    ...(first!.kind === 'results' ? [['item', 'rank'] as const] : []),
    ...(first!.index ? [['sid', 'sidRank'] as const] : []),
  ];
  const rank = by[0]![1];
  const length = Math.min(at, longest);
  const titleOf = titles(first!, catalogue);
  const { counts, examples: shown } = outcomes(tables, { k: length, examples, by: rank, titleOf });
  const { modes, note } = modesOf(sides, tables, reports !== undefined, statistics);
  const notes = [note, historyNote(sides, ranked)].filter((one) => one !== undefined);
  const report: CompareReport = {
    sides: sides.map((side, i) => ({
      ...side,
      ...Object.fromEntries(by.map(([name, field]) => [name, sideMetrics(tables[i]!, ks, field, statistics)])),
    })),
    rows: first!.table.length,
    ...Object.fromEntries(
      by.map(([name, field]) => [name, corrected(comparePairs(tables, rankingMeasures(ks, field), statistics), alpha)]),
    ),
    slices: compareSlices(tables, length, rank, statistics),
    ...(modes && { modes }),
    ...(notes.length > 0 && { notes }),
    ...{ outcomes: counts, examples: shown },
    ...{ ...statistics, version: packageVersion(), files: [] },
  };
  return out === undefined ? report : writeComparison(report, out);
}

/**
 * The catalogue without the folder's own index where a side was ranked with another one: what has other SIDs can be
 * compared by item alone.
 */
function forAll(catalogue: Catalogue, sides: readonly Side[], named: boolean): Catalogue {
  const { index, indexFile, ...rest } = catalogue;
  if (named || index === undefined || indexFile === undefined) return catalogue;
  const hash = hashFile(indexFile);
  const used = sides.flatMap(({ files }) => files.map((file) => rankedIndex(readProvenance(file)?.inputs ?? {}, true)));
  return used.every((other) => other === undefined || other === hash) ? catalogue : rest;
}

/** All runs of all sides, over the same rows and of one kind. */
async function readSame(sides: readonly Side[], catalogue: Catalogue): Promise<RankedFile[][]> {
  const read: RankedFile[][] = [];
  for (const { files } of sides) {
    const runs: RankedFile[] = [];
    for (const file of files) runs.push(await readRanked(file, catalogue));
    read.push(runs);
  }
  const [first] = read[0]!;
  for (const { file, kind, table } of read.flat()) {
    if (kind !== first!.kind)
      throw new InputError(`compare: ${first!.file} names items, ${file} SIDs; compare files of one kind`);
    checkSameRows(first!.table, table, file);
  }
  return read;
}

/** Sides of two protocols: a list that may hold what the user has is at a loss where nobody buys again. */
function historyNote(sides: readonly Side[], ranked: readonly RankedFile[][]): string | undefined {
  const ways = sides.map(({ name }, i) => ({ name, without: ranked[i]!.map((file) => file.excludesHistory === true) }));
  const mixed = new Set(ways.flatMap(({ without }) => without)).size > 1;
  if (!mixed) return undefined;
  const named = (some: readonly (typeof ways)[number][], rest: string): string[] =>
    some.length === 0 ? [] : [`${rest}: ${some.map(({ name }) => name).join(', ')}`];
  const all = ways.filter(({ without }) => !without.includes(false));
  const part = ways.filter(({ without }) => without.includes(true) && without.includes(false));
  return [
    ...named(all, 'ranked without the items of the history'),
    ...named(part, 'some of whose runs are ranked without the items of the history'),
    'the others may recommend them',
  ].join('; ');
}

/** What people read in the place of an id: a title, or of MiniOneRec's files the SID. */
function titles({ kind, dataset }: RankedFile, { numbers }: Catalogue): (id: number) => string {
  if (kind === 'minionerec') return (id) => numbers.sids[id]!;
  return (id) => dataset?.items[id]?.title || `item ${id}`;
}

/** Means over the runs of each row, with intervals over users. */
function sideMetrics(
  { tables }: SideTables,
  ks: readonly number[],
  by: RankField,
  options: IntervalOptions,
): Record<string, Estimate> {
  const measures = rankingMeasures(ks, by);
  const names = Object.keys(measures);
  const values = new Float64Array(tables[0]!.length * names.length);
  for (const table of tables) measureRows(table, measures).forEach((value, i) => (values[i]! += value / tables.length));
  return estimateUnits(unitsOf(tables[0]!, values, names.length), names, options);
}

/** A report that was only found beside the results may be of other ones: that is said, and nothing else is lost. */
function modesOf(
  sides: readonly Side[],
  tables: readonly SideTables[],
  asked: boolean,
  statistics: IntervalOptions & { alpha: number },
): { modes?: ModeComparison[]; note?: string } {
  const several = sides.find(({ files }) => files.length > 1);
  if (asked && several) {
    throw new InputError(`compare: ${several.name} has several runs, a bad-case report is of one; leave out --reports`);
  }
  const reports = sides.flatMap(({ report }) => (report === undefined ? [] : [report]));
  if (reports.length < sides.length) return {};
  try {
    return { modes: compareModes(tables, reports, statistics) };
  } catch (error) {
    if (asked || !(error instanceof InputError)) throw error;
    // a folder has one report and may have several results files
    return { note: `failure modes are not compared: ${error.message}` };
  }
}
