/**
 * The loop: bad cases, strategies, another round with them, and a comparison of all rounds. The first round's folder is
 * `OUT`, the others are `OUT/round-2`, ... beside it; each is a pipeline of its own, whose configuration is in its folder
 * (`optimized_config.json`) and can be run alone.
 */
import { join } from 'node:path';
import type { BadCaseFile } from '../badcase/report-shape.js';
import type { CompareReport } from '../compare/compare-report.js';
import { compareStage } from '../compare/compare-stage.js';
import { readJson, writeJson } from '../files/files.js';
import { runStage } from '../runs/stage.js';
import { InputError } from '../support/errors.js';
import { withoutCode } from './code-options.js';
import type { PipelineConfig } from './config.js';
import { loops } from './loop-options.js';
import { nextRound, roundFolder } from './next-round.js';
import { PipelineStages } from './stages.js';

/** A strategy that was chosen. */
export interface ChosenStrategy {
  name: string;
  /** What called for it. */
  finding: string;
  /** Its number; null where the report has none. */
  value: number | null;
  /** The finding in a sentence. */
  words: string;
  /** New values of options, such as `sft.epochs`; null where an option is taken out. */
  changes: Record<string, unknown>;
  /** What it is expected to do. */
  expected: string;
}

/** What strategies are chosen from. */
export interface StrategyInput {
  report: BadCaseFile;
  /** Of the round that the report is of. */
  config: PipelineConfig;
  /** Default those that the report calls for. */
  choose?: readonly string[];
}

/** Chooses strategies and changes the configuration accordingly. */
export type ChooseStrategies = (input: StrategyInput) => StrategyChoice | Promise<StrategyChoice>;

/** Strategies and the configuration with them. */
export interface StrategyChoice {
  config: PipelineConfig;
  chosen: ChosenStrategy[];
  /** Those that have nothing to change, and why. */
  skipped?: { name: string; reason: string }[];
}

/** Strategies of a round, and where its configuration is. */
export interface StrategiesReport extends Required<Pick<StrategyChoice, 'chosen' | 'skipped'>> {
  /** File of the next round's configuration. */
  config: string;
}

/** What a round leaves for the comparison. */
export interface RoundResults {
  /** Results file of its last model. */
  results: string;
  /** Bad-case report of it. */
  report: string;
}

/**
 * Chooses strategies from a round's bad cases and writes the next round's configuration to its folder.
 * @param first configuration of the first round @param before of the round that the report is of
 */
export async function strategiesStage(
  first: PipelineConfig,
  before: PipelineConfig,
  round: number,
  report: string,
  choose: ChooseStrategies,
): Promise<StrategiesReport> {
  const file = join(roundFolder(first, round), 'optimized_config.json');
  const { strategies: options = {}, again = false } = first;
  const { again: _again, ...config } = before;
  const stage = {
    ...{ name: 'strategies', dir: new PipelineStages(before).runs, inputs: [report], outputs: [file], again },
    options: [options, { ...config, rounds: undefined }],
  };
  const { result } = await runStage(stage, async () => {
    const found = await choose({
      report: readReport(report),
      config,
      ...(options.choose && { choose: options.choose }),
    });
    writeJson(file, withoutCode(nextRound(first, config, found.config, round)));
    return { chosen: found.chosen, skipped: found.skipped ?? [], config: file };
  });
  return result;
}

/** @throws InputError for a report that another version of the kit wrote */
function readReport(file: string): BadCaseFile {
  const report = readJson<Partial<BadCaseFile>>(file);
  if (report.version === 1 && Array.isArray(report.verdicts)) return report as BadCaseFile;
  throw new InputError(
    `${file}: expected a bad-case report of version 1; remove it, and the same command writes it anew`,
  );
}

/**
 * Compares the last models of the rounds, by slice and by mode: `comparison.json` in the folder of the first round's runs.
 * @returns a line that says why there is no comparison, where a strategy changed the rows
 */
export async function compareRounds(
  config: PipelineConfig,
  rounds: readonly RoundResults[],
): Promise<CompareReport | string> {
  const { out, dataset, compare: options = {}, again = false } = config;
  const files = rounds.map(({ results }) => results);
  const reports = rounds.map(({ report }) => report);
  const { runs } = new PipelineStages(config);
  const file = join(runs, 'comparison.json');
  const stage = {
    ...{ name: 'compare', dir: runs, options, inputs: [...files, ...reports], outputs: [file], again },
  };
  try {
    const { result } = await runStage(stage, () =>
      compareStage({
        ...options,
        ...{ files, reports, data: out, dataset, out: file },
        names: rounds.map((_, i) => `round ${i + 1}`),
      }),
    );
    return result;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return `the rounds are not compared: ${error.message}`;
  }
}

/** The configuration with the stages that a loop needs. */
export function withLoopStages(config: PipelineConfig): PipelineConfig {
  if (!loops(config)) return config;
  return { ...config, badcase: config.badcase ?? {}, strategies: config.strategies ?? {} };
}

/** @throws InputError where a loop is asked for and nobody chooses strategies */
export function checkLoop(config: PipelineConfig, choose: ChooseStrategies | undefined): void {
  if (!loops(config) || choose) return;
  throw new InputError('pipeline: expected a function that chooses strategies beside rounds; give it as `strategies`');
}
