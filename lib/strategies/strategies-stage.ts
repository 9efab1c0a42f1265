/** The `strategies` stage: a bad-case report and a configuration -> `optimized_config.json`, which the pipeline runs as it is. */
import { dirname, join } from 'node:path';
import type { BadCaseFile } from '../badcase/report-shape.js';
import { ensureEngine } from '../engine/engine.js';
import { readJson, writeJson } from '../files/files.js';
import { type PipelineConfig, quickstart, readPipelineConfig } from '../pipeline/config.js';
import { PipelineStages } from '../pipeline/stages.js';
import { InputError } from '../support/errors.js';
import { type Called, calledFor, strategies, type StrategyChoice } from './choose.js';
import { STRATEGIES } from './strategies.js';
import { STRATEGIES_OPTIONS, type StrategiesStageOptions } from './strategies-options.js';

/** What the stage chose, and where the configuration is. */
export interface StrategiesReport extends Pick<StrategyChoice, 'chosen' | 'skipped'> {
  /** File. */
  config: string;
}

/** Asks which strategies to take. @param called what the report calls for @returns names */
export type AskStrategies = (called: readonly Called[]) => Promise<readonly string[]>;

/**
 * The new configuration writes to `OUT/optimized`, so that everything that the report is of stays as it is.
 * @param ask used where neither `auto` nor `choose` is given
 * @throws InputError for a report or a configuration that is none, an unknown strategy, or where nobody chooses
 */
export async function strategiesStage(options: StrategiesStageOptions, ask?: AskStrategies): Promise<StrategiesReport> {
  const {
    report: file,
    auto,
    choose,
    config: from,
    out,
    strategies: all = STRATEGIES,
  } = STRATEGIES_OPTIONS.parse(options);
  const report = readReport(file);
  const config = from === undefined ? quickstart() : readPipelineConfig(from);
  if (!auto && choose === undefined && !ask) {
    throw new InputError('strategies: expected --auto or --choose NAMES, since nobody can be asked here');
  }
  const named = auto ? undefined : (choose ?? (await ask!(calledFor(report, all))));
  await ensureEngine();
  const { config: changed, chosen, skipped } = await strategies({ report, config, choose: named, strategies: all });
  const path = out ?? join(dirname(file), 'optimized_config.json');
  writeJson(path, apart(changed, config));
  return { chosen, skipped, config: path };
}

/** A report of this kit's, of the shape that strategies read. @throws InputError */
export function readReport(file: string): BadCaseFile {
  const report = readJson<Partial<BadCaseFile> | null>(file, 'run sidlab badcase first');
  if (report?.version === 1 && Array.isArray(report.verdicts) && typeof report.modes === 'object') {
    return report as BadCaseFile;
  }
  throw new InputError(`${file}: expected a report of bad cases (version 1); run sidlab badcase again`);
}

/**
 * The configuration in a folder of its own below the other one's: nothing of the run before is overwritten. A stage that
 * is not named stays so: one that imports its SIDs would make others.
 */
function apart(config: PipelineConfig, { out, figures }: PipelineConfig): PipelineConfig {
  const { index: _index, ...sid } = config.sid ?? {};
  const { embeddings: _vectors, ...embed } = config.embed ?? {};
  const folder = join(out, 'optimized');
  const { answers } = new PipelineStages({ ...config, out });
  return {
    ...{ ...config, out: folder },
    figures: figures === undefined ? join(folder, 'figures') : join(figures, 'optimized'),
    ...(config.embed && { embed }),
    ...(config.sid && { sid }),
    ...(config.enrich && { enrich: { ...config.enrich, answers } }), // nothing is asked, and paid, twice
  };
}
