/** The `compare` stage: results files of two sides over the same rows -> paired tests of each metric. */
import { writeJson } from '../../files/files.js';
import { packageVersion } from '../../runs/code-version.js';
import { InputError } from '../../support/errors.js';
import { measurableKs, rankingMeasures } from '../measures/ranking.js';
import { checkSameRows, compareTables, type Comparison } from '../statistics/compare.js';
import { type RankedFile, readCatalogueFiles, readRanked } from './read-ranked.js';
import { COMPARE_OPTIONS, type CompareStageOptions } from './score-options.js';
import { smallest } from '../../support/extremes.js';

/** What `compare` gives back. */
export interface CompareReport {
  /** Files of the first side, one a seed. */
  a: string[];
  /** Of the second. */
  b: string[];
  rows: number;
  /** HR, NDCG and MRR by item; of MiniOneRec's files there is none. */
  item?: Comparison[];
  /** The same by distinct SIDs, where there is an index. */
  sid?: Comparison[];
  alpha: number;
  level: number;
  samples: number;
  seed: number;
  version: string;
}

/** @throws InputError as `scoreStage`, and for files of other rows or of two kinds */
export async function compareStage(options: CompareStageOptions): Promise<CompareReport> {
  const { files, k, out, ...rest } = COMPARE_OPTIONS.parse(options);
  const { alpha, level, samples, seed } = rest;
  const [a, b] = files.map(filesOf) as [string[], string[]];
  const catalogue = await readCatalogueFiles(rest);
  const ranked: RankedFile[] = [];
  for (const file of [...a, ...b]) ranked.push(await readRanked(file, catalogue));
  const [first] = ranked as [RankedFile];
  for (const { file, kind, table } of ranked) {
    if (kind !== first.kind)
      throw new InputError(`compare: ${first.file} names items, ${file} SIDs; compare files of one kind`);
    checkSameRows(first.table, table, file);
  }
  const ks = measurableKs(smallest(ranked.map(({ longest }) => longest)), k);
  const tables = ranked.map(({ table }) => table);
  const compared = (by: 'rank' | 'sidRank'): Comparison[] =>
    compareTables(tables.slice(0, a.length), tables.slice(a.length), rankingMeasures(ks, by), {
      ...{ alpha, level, samples, seed },
    });
  const report = {
    ...{ a, b, rows: first.table.length },
    ...(first.kind === 'results' && { item: compared('rank') }),
    ...(first.index && { sid: compared('sidRank') }),
    ...{ alpha, level, samples, seed, version: packageVersion() },
  };
  if (out !== undefined) writeJson(out, report);
  return report;
}

function filesOf(side: string): string[] {
  const files = side.split(',');
  if (!files.includes('')) return files;
  throw new InputError(`compare: expected files with commas between, got ${JSON.stringify(side)}; leave out the comma`);
}
