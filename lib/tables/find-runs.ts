/** The runs of a data folder that a table's row is about. */
import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { findResults } from '../baselines/results-record.js';
import type { PaperRow } from './paper-table.js';
import { configOf, isRunOf, isStageOf } from './run-options.js';
import { stageResults } from './stage-results.js';

/** A run's results on the test rows. */
export interface FoundRun {
  /** Folder in `runs/`. */
  folder: string;
  /** Results file. */
  results: string;
  /** Of a run that has one. */
  seed?: number;
  /** SHA-256 by file name of what it read and must not have changed; absent where nobody noted it. */
  inputs?: Readonly<Record<string, string>>;
  /** Its lists are without the items of the histories. */
  excludeHistory?: true;
}

/**
 * Runs in `DIR/runs`, and those of pipelines in the folders there (`DIR/runs/main/sft`), that have results, in the order of
 * their folders; runs that were set aside (`NAME.before-1`) are none. Several may have one seed, or be of other rows than
 * those of today (`sortRuns`).
 */
export function findRuns(dir: string, run: NonNullable<PaperRow['run']>): FoundRun[] {
  return runFolders(dir).flatMap((folder): FoundRun[] => {
    const found = resultsOf(folder, run);
    return found ? [{ folder, ...found }] : [];
  });
}

/** Where runs may be: in `DIR/runs`, and in the folders there, as a pipeline's are. */
export function runFolders(dir: string): string[] {
  const top = foldersIn(join(dir, 'runs'));
  return [...top, ...top.flatMap(foldersIn)];
}

function foldersIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const folders = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const names = folders.map(({ name }) => name).filter((name) => !/\.before-\d+$/.test(name));
  return names.map((name) => join(folder, name)).sort();
}

function resultsOf(folder: string, run: NonNullable<PaperRow['run']>): Omit<FoundRun, 'folder'> | undefined {
  const config = configOf(folder, run.excludeHistory);
  const { seed, inputs: all } = config ?? {};
  const isBaseline = 'baseline' in run;
  if (isBaseline ? !isRunOf(run, config, basename(folder)) : !isStageOf(run, config)) return undefined;
  const results = isBaseline
    ? findResults(folder, run.excludeHistory)
    : stageResults(folder, config?.template, run.excludeHistory);
  if (results === undefined) return undefined;
  const { index, ...rows } = all ?? {};
  // a language model may have been trained with any index, and a row may name one; elsewhere it is the data folder's
  const anyIndex = !isBaseline || run.options?.index !== undefined;
  const inputs = anyIndex || index === undefined ? rows : { ...rows, index };
  const without = run.excludeHistory && { excludeHistory: run.excludeHistory };
  return { results, ...(seed !== undefined && { seed }), ...(all && { inputs }), ...without };
}
