/** `sidlab pipeline`: the quickstart, own data by flags, or a configuration file. */
import { relative } from 'node:path';
import { boolean } from '../options/kinds.js';
import { type AnySchema, parseOptions } from '../options/schema.js';
import { withAbsolutePaths } from '../pipeline/absolute-paths.js';
import { checkConfig } from '../pipeline/check-config.js';
import type { PipelineConfig } from '../pipeline/config.js';
import type { DryRun } from '../pipeline/dry-run.js';
import { PIPELINE_OPTIONS, STAGE_NAMES, STAGE_SCHEMAS } from '../pipeline/pipeline-options.js';
import type { PipelineReport } from '../pipeline/pipeline-report.js';
import { checkSasrec } from '../pipeline/reward-needs.js';
import { InputError } from '../support/errors.js';
import type { Command } from './command.js';
import { terminalAsk } from './terminal-ask.js';
import { moreExact, pipelineCommandOptions, pipelineFlags } from './pipeline-flags.js';

const SCHEMA: AnySchema = { name: 'pipeline', options: pipelineCommandOptions(), rules: [] };

/** `sidlab pipeline`: all stages of a configuration, or of the flags of every stage. */
export const pipelineCommand: Command = {
  summary: 'all stages; without flags the quickstart on a sample catalogue',
  schema: SCHEMA,
  moreExact,
  extra: {
    dryRun: boolean('say what it would do and take, and stop'),
    yes: boolean('ask nothing; without a terminal nothing is asked anyway'),
  },
  run: async (values, { dryRun: dry, yes }) => {
    const config = await configOf(values);
    if (dry) return (await import('../pipeline/dry-run.js')).dryRun(config);
    const { runPipeline } = await import('../pipeline/pipeline.js');
    const say = (stage: string): void => void process.stderr.write(`-- ${stage}\n`);
    const { strategies } = await import('../strategies/choose.js');
    return runPipeline(config, { say, ask: yes === true ? undefined : terminalAsk(), strategies });
  },
  print: (report: PipelineReport | DryRun) => ('missing' in report ? planned(report) : summary(report)),
};

/** The configuration that a line means: a file, the quickstart, or flags. @throws InputError for flags that do not fit */
export async function configOf(values: Record<string, unknown>): Promise<PipelineConfig> {
  const { config: file, ...flags } = values;
  const { quickstart, readPipelineConfig } = await import('../pipeline/config.js');
  if (file !== undefined) return withFlags(readPipelineConfig(file as string), flags);
  if (SOURCES.some((source) => flags[source] !== undefined)) return ownData(flags);
  const { seed, again, rounds, ...others } = flags;
  if (Object.keys(others).length > 0) {
    throw new InputError(
      'pipeline: expected --reviews, --data or --converted, and --out beside the other flags, or --config, or no flag but --seed and --rounds',
    );
  }
  return withFlags(quickstart(seed as number | undefined), { again, rounds });
}

/** The stages of one's own data. */
function ownData(flags: Record<string, unknown>): PipelineConfig {
  if (typeof flags.out !== 'string') throw new InputError('pipeline: expected --out beside the data');
  const stages = {
    ...(flags.converted === undefined && { embed: {}, sid: {} }), // else the index is there
    ...(flags.reviews !== undefined && { filter: {} }),
    ...{ sft: {}, badcase: {} },
  };
  return withFlags({ out: flags.out, dataset: 'data', ...stages } as PipelineConfig, flags);
}

/** A configuration with what the flags say in the place of what it says. Folders are seen from where the command runs. */
function withFlags(config: PipelineConfig, flags: Record<string, unknown>): PipelineConfig {
  const { grpo, strategies, tasks, seed, out, ...others } = flags;
  const given = stagesOf(config);
  if (grpo === true) given.grpo ??= {};
  if (strategies === true) given.strategies ??= {};
  if (tasks !== undefined) (given.sft ??= {}).tasks = tasks;
  for (const [flag, { stages, name }] of pipelineFlags()) {
    const value = flags[flag];
    if (value === undefined) continue;
    for (const stage of stages) (given[stage] ??= {})[name] = value;
  }
  if (seed !== undefined) giveSeed(given, seed as number);
  for (const stage of STAGE_NAMES) {
    if (given[stage])
      parseOptions({ ...STAGE_SCHEMAS[stage], name: 'pipeline' }, given[stage], (name) => `${stage} ${name}`);
  }
  const top = Object.keys(PIPELINE_OPTIONS).filter((name) => others[name] !== undefined);
  const own = Object.fromEntries(top.map((name) => [name, others[name]]));
  const made = { ...config, ...own, ...(typeof out === 'string' && { out }), ...given } as PipelineConfig;
  checkConfig(made, 'pipeline');
  const asked = [...pipelineFlags()].some(
    ([flag, { stages }]) => stages.includes('sasrec') && flags[flag] !== undefined,
  );
  if (asked) checkSasrec(made); // not of a file: later rounds write options that they have no use for
  return withAbsolutePaths(made);
}

/** Copies of the stages' options. */
function stagesOf(config: PipelineConfig): Partial<Record<string, Record<string, unknown>>> {
  const stages = STAGE_NAMES.filter((stage) => config[stage] !== undefined);
  return Object.fromEntries(stages.map((stage) => [stage, { ...config[stage] }]));
}

/** One number for every stage that draws; what is asked of a sentence encoder draws nothing but the words that it drops. */
function giveSeed(given: Partial<Record<string, Record<string, unknown>>>, seed: number): void {
  const { embed } = given;
  const drawn = embed?.encoder === undefined || embed.encoder === 'lsa' ? ['embed'] : [];
  for (const stage of ['sample', ...drawn, 'sid', 'sft', 'grpo']) if (given[stage]) given[stage].seed = seed;
  if (embed?.wordDropRatio !== undefined) embed.dropSeed ??= seed;
  for (const stage of ['sasrec', 'compare']) given[stage] = { ...given[stage], seed }; // without a stage of their own
}

/** Flags that say where the data come from. */
const SOURCES = ['reviews', 'converted', 'data'];

/** Every stage with its options, and what is missing. */
function planned({ stages, missing, choices = [], estimate }: DryRun): string {
  return [
    ...stages.map(({ stage, options }) => `${stage.padEnd(8)}  ${JSON.stringify(options)}`),
    ...choices,
    ...missing.map((line) => `missing: ${line}`),
    estimate,
  ].join('\n');
}

/** The results table, what GRPO has to say, and where everything is. */
async function summary(report: PipelineReport): Promise<string> {
  const { tableText } = await import('../figures/show-table.js');
  const { resultRows, resultTexts } = await import('../pipeline/result-rows.js');
  const { baselines, models, stages, figures, results, seconds, warnings, strategies, comparison } = report;
  const warning = stages.grpo?.warning;
  return [
    tableText(resultTexts(resultRows(baselines, models))),
    'in brackets: 95 % bootstrap interval over users',
    ...warnings,
    ...(warning === undefined ? [] : [`grpo: ${warning}`]),
    `results: ${short(results)}`,
    ...(stages.badcase ? [`bad cases: ${short(stages.badcase.report)}`] : []),
    ...(strategies ? strategyLines(strategies) : []),
    ...(comparison ? (await import('./score-report.js')).roundLines(comparison) : []),
    'figures (an .svg beside each):',
    ...figures.map((figure) => `  ${short(figure)}`),
    `done in ${seconds.toFixed(1)} s`,
  ].join('\n');
}

/** What the bad cases called for. */
function strategyLines({ chosen, skipped, config }: NonNullable<PipelineReport['strategies']>): string[] {
  const lines = [
    ...chosen.map(({ name, words, changes, expected }) => `${name}: ${words}; ${JSON.stringify(changes)}; ${expected}`),
    ...skipped.map(({ name, reason }) => `${name} changes nothing: ${reason}`),
  ];
  return ['strategies:', ...(lines.length > 0 ? lines : ['none']).map((line) => `  ${line}`), `  ${short(config)}`];
}

/** Seen from where the command was given. */
function short(path: string): string {
  return relative(process.cwd(), path);
}
