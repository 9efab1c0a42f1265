/** The shares of an evaluation put together: the very file that one process would have written. */
import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { parseObject } from '../data/raw/json-text.js';
import { readIndex } from '../data/sid-index.js';
import { hashFile, readJson, readLines, writeJson } from '../files/files.js';
import { InputError } from '../support/errors.js';
import { MERGE_RESULTS_OPTIONS, type MergeResultsOptions } from './merge-results-options.js';
import { measureResults, type MeasuredByItem } from './measure-results.js';
import { rankedIndex } from './score/catalogue.js';
import { listChecker } from './score/check-result-lists.js';
import { parseResult } from './results/parse-result.js';
import { type Result, writeResults } from './results-file.js';
import { type Provenance, shardFile } from './results-place.js';

/** What was put together; nothing is by SID where the index is no longer there. */
export interface MergeResultsReport extends MeasuredByItem {
  rows: number;
  shards: number;
  /** File. */
  results: string;
}

/** What a share's provenance says beside an evaluation's. */
interface ShareOf extends Provenance {
  shard: string;
  /** Rows of all shares. */
  allRows: number;
  indexFile: string;
  /** Of a joined folder's data set: the first of its items in that file, and the one behind its last. */
  indexItems?: readonly [from: number, to: number];
}

/** @throws InputError where a share is missing, there twice, cut short, or of another evaluation; nothing is written then */
export async function mergeResults(options: MergeResultsOptions): Promise<MergeResultsReport> {
  const { results } = MERGE_RESULTS_OPTIONS.parse(options);
  const shares = findShares(results);
  const all = new Map<number, Result>();
  for (const { file } of shares) {
    const check = listChecker(file);
    for await (const { text, number } of readLines(file)) check(addRow(all, text, `${file}:${number}`));
  }
  const [{ provenance }] = shares as [Share, ...Share[]];
  const { shard: _shard, allRows, indexFile, indexItems = [], finished: _finished, ...kind } = provenance;
  const missing = Array.from({ length: allRows }, (_, row) => row).find((row) => !all.has(row));
  if (missing !== undefined || all.size !== allRows) {
    throw new InputError(`${results}: expected ${allRows} rows in ${shares.length} shares, got ${all.size}; evaluate the shares again`); // prettier-ignore
  }
  const merged = Array.from({ length: allRows }, (_, row) => all.get(row)!);
  const same = existsSync(indexFile) && hashFile(indexFile) === rankedIndex(kind.inputs, true);
  const measured = measureResults(merged, kind.numBeams, same ? readIndex(indexFile).slice(...indexItems) : undefined);
  const { intervals, ...metrics } = measured;
  writeResults(results, merged);
  const finished = new Date().toISOString();
  writeJson(results.replace(/(\.jsonl)?$/, '.json'), { ...kind, rows: allRows, metrics, intervals, finished });
  return { rows: allRows, shards: shares.length, ...measured, results };
}

interface Share {
  file: string;
  provenance: ShareOf;
}

/** All shares beside a file's name, of one evaluation. */
function findShares(results: string): Share[] {
  const folder = dirname(results);
  const stem = basename(results).replace(/\.jsonl$/, '');
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const counts = names.flatMap((name) => {
    const [, of] = name.startsWith(`${stem}-shard-`) ? (/-shard-\d+-of-(\d+)\.jsonl$/.exec(name) ?? []) : [];
    return of === undefined ? [] : [Number(of)];
  });
  const [of] = counts;
  if (of === undefined) throw new InputError(`${join(folder, stem)}-shard-1-of-N.jsonl: no such file; evaluate with --shard 1/N first`); // prettier-ignore
  if (counts.some((count) => count !== of)) {
    throw new InputError(`${results}: shares of ${[...new Set(counts)].join(' and of ')} lie beside it; remove those of the other evaluation`); // prettier-ignore
  }
  const shares = Array.from({ length: of }, (_, i): Share => {
    const file = shardFile(results, `${i + 1}/${of}`);
    if (!existsSync(file)) throw new InputError(`${file}: no such file; evaluate with --shard ${i + 1}/${of}`);
    return { file, provenance: readShareOf(file.replace(/\.jsonl$/, '.json')) };
  });
  const identity = ({ provenance }: Share): string => {
    const { shard: _shard, rows: _rows, metrics: _metrics, intervals: _intervals, finished: _finished, model: _model, indexFile: _index, ...same } = provenance; // prettier-ignore
    return JSON.stringify(same);
  };
  const other = shares.find((share) => identity(share) !== identity(shares[0]!));
  if (other) throw new InputError(`${other.file}: of another evaluation than ${shares[0]!.file}; evaluate it again`);
  return shares;
}

function readShareOf(file: string): ShareOf {
  const found = readJson<Partial<ShareOf> | null>(file, 'evaluate the share again');
  if (typeof found?.shard === 'string' && typeof found.allRows === 'number' && typeof found.indexFile === 'string') {
    return found as ShareOf;
  }
  throw new InputError(`${file}: expected what evaluate writes beside a share; evaluate the share again`);
}

function addRow(all: Map<number, Result>, text: string, where: string): Result {
  const { row } = parseObject(text, where);
  if (typeof row !== 'number' || !Number.isInteger(row))
    throw new InputError(`${where}: row is missing; evaluate again`);
  if (all.has(row)) throw new InputError(`${where}: row ${row} is there twice; evaluate the shares again`);
  const result = parseResult(text, where);
  all.set(row, result);
  return result;
}
