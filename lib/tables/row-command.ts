/** The command that makes what a row lacks. */
import { join } from 'node:path';
import { baselineOf } from '../baselines/baselines.js';
import { baselineResults } from '../baselines/results-record.js';
import { BASELINE_OPTIONS } from '../baselines/baseline-options.js';
import { asFlag } from '../options/flags.js';
import { shellQuote } from '../support/shell-quote.js';
import type { BaselineRun, PaperRow } from './paper-table.js';
import { folderFor, isTrained } from './run-options.js';

/** What the data folder holds already. */
export interface CommandOptions {
  /** Items that lists are to have. Default as many as they usually have. */
  longest?: number;
  /** Folders of runs on other data: one that is in the way is redone. Default none. */
  stale?: readonly string[];
}

/** What a row needs, and the command for a data folder. */
export function needsOf({ needs, command }: PaperRow, dir?: string): string {
  const there = dir === undefined ? 'DIR' : shellQuote(dir);
  return [`needs ${needs}`, ...(command === undefined ? [] : [command.replace(/\bDIR\b/g, () => there)])].join(': ');
}

/** The command that makes a row which the kit can run. */
export function commandOf(
  run: NonNullable<PaperRow['run']>,
  dir: string,
  { longest = 0, stale = [] }: CommandOptions = {},
): string {
  const data = shellQuote(dir);
  if ('baseline' in run) {
    const { options, excludeHistory } = run;
    const asked = { ...options, ...listLength(longest), ...(excludeHistory && { excludeHistory }) };
    const flags = [...flagsOf(asked), ...placeOf(run, dir, stale)];
    return [`sidlab baseline ${run.baseline} --data ${data}`, ...flags].join(' ');
  }
  const folder = join(dir, 'runs', run.stage);
  const train = [...flagsOf(run.options ?? {}), ...(stale.includes(folder) ? ['--again'] : [])];
  const rank = [shellQuote(join(folder, 'model')), ...(run.excludeHistory ? ['--exclude-history'] : [])];
  return `${[`sidlab ${run.stage} --data ${data}`, ...train].join(' ')} && sidlab evaluate --data ${data} --model ${rank.join(' ')}`;
}

/** Where the usual lists are too short for the metrics: how long they must be. */
export function listLength(longest: number): { topK?: number } {
  return longest > BASELINE_OPTIONS.options.topK.default! ? { topK: longest } : {};
}

/** @example flagsOf({ weightDecay: 0.1 }) // ['--weight-decay 0.1'] */
function flagsOf(options: NonNullable<BaselineRun['options']>): string[] {
  return Object.entries(options).map(([name, value]) =>
    value === true ? asFlag(name) : `${asFlag(name)} ${shellQuote(String(value))}`,
  );
}

/** Nothing where the default place is free. */
function placeOf(run: BaselineRun, dir: string, stale: readonly string[]): string[] {
  const plain = `baseline-${run.baseline}`;
  const seed = baselineOf(run.baseline).options?.seed?.default as number | undefined;
  const folder = folderFor(dir, run, plain, seed);
  const again = isTrained(run) && stale.includes(folder) ? ['--again'] : [];
  if (folder === join(dir, 'runs', plain)) return again;
  const place = isTrained(run)
    ? `--run ${shellQuote(folder)}`
    : `--results ${shellQuote(join(folder, baselineResults(run.excludeHistory)))}`;
  return [place, ...again];
}
