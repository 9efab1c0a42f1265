/**
 * What a baseline's results are of, beside them: `results.json` of `results.jsonl`, in the form of a run's
 * `config.json`. A counted baseline has no run, and results may go to another folder than the run's.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Dataset } from '../data/dataset.js';
import { indexOf } from '../data/load.js';
import { readJson, writeJson } from '../files/files.js';
import { fingerprint } from '../options/derive.js';
import { hashInputs } from '../runs/inputs.js';
import type { Baseline } from './baseline.js';

/** Options that decide the results stand beside the fields. */
export interface ResultsRecord extends Record<string, unknown> {
  stage: 'baseline';
  /** Its name. */
  baseline: string;
  /** Name of the data set. */
  data: string;
  /** Of a joined folder: the data set that was ranked, or `all`; absent where each is ranked by itself. */
  part?: string;
  /** Where no list has an item of its row's history. */
  excludeHistory?: true;
  /** SHA-256 by file name. */
  inputs: Record<string, string>;
}

/** @param settings with defaults; what is no option of the baseline is passed over */
export function resultsRecord(
  { name, options = {} }: Baseline,
  dataset: Dataset,
  settings: object & { index?: string; part?: string; excludeHistory?: boolean },
): ResultsRecord {
  const { index = indexOf(dataset), part, excludeHistory = false } = settings;
  const read = Object.hasOwn(options, 'index') && existsSync(index);
  const { precision: _asked, ...declared } = options; // what was computed in is the run's to say
  const own = Object.fromEntries(Object.entries(settings).filter(([key]) => Object.hasOwn(declared, key)));
  return {
    ...{ stage: 'baseline', baseline: name, data: dataset.name },
    ...(part !== undefined && { part }),
    ...(excludeHistory && { excludeHistory }),
    inputs: hashInputs({ dataset, ...(read && { index }) }),
    ...fingerprint(declared, own),
  };
}

/** Name of the results file in a run's folder. */
export function baselineResults(excludeHistory = false): string {
  return excludeHistory ? 'results-without-history.jsonl' : 'results.jsonl';
}

/**
 * A folder's results of one of the two kinds: under their own name, or under the other one where the file beside them says that
 * they are of this kind, as a pipeline's are. @returns the file, if there is one
 */
export function findResults(folder: string, excludeHistory = false): string | undefined {
  const own = baselineResults(excludeHistory);
  const fits = (name: string): boolean => {
    const record = readRecord(join(folder, name));
    return record ? (record.excludeHistory === true) === excludeHistory : name === own;
  };
  const found = [own, baselineResults(!excludeHistory)].find((name) => existsSync(join(folder, name)) && fits(name));
  return found === undefined ? undefined : join(folder, found);
}

/** Writes it beside the results. */
export function writeRecord(results: string, record: ResultsRecord): void {
  writeJson(besideResults(results), record);
}

/** What lies beside the results; absent where they are older than the record, or no baseline's. */
export function readRecord(results: string): ResultsRecord | undefined {
  const file = besideResults(results);
  const found = existsSync(file) ? readJson<Partial<ResultsRecord> | null>(file) : undefined;
  return found?.stage === 'baseline' ? (found as ResultsRecord) : undefined;
}

function besideResults(results: string): string {
  return results.replace(/(\.jsonl)?$/, '.json');
}
