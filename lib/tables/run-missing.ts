/** Runs the baselines that a table asks for and a data folder lacks. */
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { baselineStage } from '../baselines/baseline-stage.js';
import { baselineResults } from '../baselines/results-record.js';
import type { Dataset } from '../data/dataset.js';
import { tell } from '../support/progress.js';
import { findRuns, runFolders } from './find-runs.js';
import { longestOf } from './measure-runs.js';
import type { BaselineRun, PaperTable } from './paper-table.js';
import { configOf, folderFor, isRunOf, isTrained } from './run-options.js';
import { listLength } from './row-command.js';
import { sameInputs, sortRuns, type Today, todayOf } from './sort-runs.js';

/**
 * Counted baselines once, trained ones with each seed that has no results on today's data with lists as long as the metrics
 * need; a run that was stopped is resumed, one on other data is kept beside the new one.
 */
export async function runMissing(
  { rows, datasets, metrics }: PaperTable,
  data: readonly Dataset[],
  seeds: readonly number[],
): Promise<void> {
  for (const dataset of data.filter((own) => datasets.some(({ name }) => name === own.name))) {
    const today = todayOf(dataset);
    for (const { run } of rows) if (run && 'baseline' in run) await runRow(run, today, longestOf(metrics), seeds);
  }
}

async function runRow(run: BaselineRun, today: Today, longest: number, seeds: readonly number[]): Promise<void> {
  const { dir, name } = today.dataset;
  const { baseline, options, excludeHistory } = run;
  const { fresh } = await sortRuns(findRuns(dir, run), today, longest);
  const without = excludeHistory && { excludeHistory };
  const asked = { ...options, ...without, ...listLength(longest), baseline, data: dir, dataset: name };
  if (!isTrained(run)) {
    if (fresh.length > 0) return;
    const results = join(folderFor(dir, run, `baseline-${baseline}`), baselineResults(excludeHistory));
    await baselineStage({ ...asked, results });
    return;
  }
  for (const seed of seeds) {
    if (fresh.some((found) => found.run.seed === seed)) continue;
    tell(`${baseline} on ${name}, seed ${seed}`);
    const folder = trainedFolder(run, today, seed) ?? folderFor(dir, run, `${baseline}-${seed}`, seed);
    await baselineStage({ ...asked, seed, run: folder }, { whenStale: 'replace' });
  }
}

/** Where today's run of the row is that lacks the results alone, such as those without the history. */
function trainedFolder(run: BaselineRun, { dataset: { dir, name }, inputs }: Today, seed: number): string | undefined {
  if (run.options?.historyLength !== undefined || run.options?.index !== undefined) return undefined; // said in several ways
  return runFolders(dir).find((folder) => {
    const config = configOf(folder);
    const done = existsSync(join(folder, 'config.json')) && existsSync(join(folder, 'card.json'));
    if (!done || config?.seed !== seed || config.data !== name) return false; // of a joined folder's data set it has another
    return isRunOf(run, config, basename(folder)) && sameInputs(config.inputs ?? {}, inputs);
  });
}
