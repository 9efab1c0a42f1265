/** The command that makes what a row lacks. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { baselineOf } from '../baselines/baselines.js';
import { baselineResults } from '../baselines/results-record.js';
import { BASELINE_OPTIONS } from '../baselines/baseline-options.js';
import { asFlag } from '../options/flags.js';
import { shellQuote } from '../support/shell-quote.js';
import { runFolders } from './find-runs.js';
import type { BaselineRun, PaperRow, StageRun } from './paper-table.js';
import { configOf, folderFor, isStageOf, isTrained, stageFolder } from './run-options.js';

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
  return stageCommand(run, dir, stale);
}

/** A model that is there is ranked alone; one that is trained goes where no other run is. */
function stageCommand(run: StageRun, dir: string, stale: readonly string[]): string {
  const { stage, options = {}, excludeHistory } = run;
  const data = `--data ${shellQuote(dir)}`;
  const there = runFolders(dir).find(
    (folder) => !stale.includes(folder) && existsSync(join(folder, 'card.json')) && isStageOf(run, configOf(folder)),
  );
  const folder = there ?? stageFolder(dir, run);
  const model = shellQuote(join(folder, 'model'));
  const rank = [`sidlab evaluate ${data} --model ${model}`, ...(excludeHistory ? ['--exclude-history'] : [])].join(' ');
  if (there !== undefined) return rank;
  const flags = [
    ...(stage === 'grpo' ? [`--model ${shellQuote(join(dir, 'runs', 'sft', 'model'))}`] : []),
    ...flagsOf(options),
    ...(folder === join(dir, 'runs', stage) ? [] : [`--run ${shellQuote(folder)}`]),
    ...(stale.includes(folder) ? ['--again'] : []),
  ];
  return `${[`sidlab ${stage} ${data}`, ...flags].join(' ')} && ${rank}`;
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
