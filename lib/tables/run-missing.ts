/** Runs the baselines that a table asks for and a data folder lacks. */
import { join } from 'node:path';
import { baselineStage } from '../baselines/baseline-stage.js';
import { baselineOf } from '../baselines/baselines.js';
import type { Dataset } from '../data/dataset.js';
import { tell } from '../support/progress.js';
import { findRuns } from './find-runs.js';
import type { PaperTable } from './paper-table.js';

/** Counted baselines once, trained ones with each seed that has no results yet; a run that was stopped is resumed. */
export async function runMissing(
  { rows, datasets }: PaperTable,
  data: readonly Dataset[],
  seeds: readonly number[],
): Promise<void> {
  for (const { dir, name } of data.filter((own) => datasets.some((dataset) => dataset.name === own.name))) {
    for (const { run } of rows) {
      if (!run || !('baseline' in run)) continue;
      const { baseline, options } = run;
      const there = findRuns(dir, run);
      if (!('seed' in (baselineOf(baseline).options ?? {}))) {
        if (there.length === 0) await baselineStage({ ...options, baseline, data: dir, dataset: name });
        continue;
      }
      for (const seed of seeds) {
        if (there.some((found) => found.seed === seed)) continue;
        tell(`${baseline} on ${name}, seed ${seed}`);
        await baselineStage({
          ...options,
          baseline,
          data: dir,
          dataset: name,
          seed,
          run: join(dir, 'runs', `${baseline}-${seed}`),
        });
      }
    }
  }
}
