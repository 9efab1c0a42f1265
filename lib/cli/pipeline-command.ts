/** `sidlab pipeline`: the quickstart, own data by flags, or a configuration file. */
import { relative, resolve } from 'node:path';
import { tableText } from '../figures/show-table.js';
import { type PipelineConfig, quickstart, readPipelineConfig } from '../pipeline/config.js';
import { dryRun, type DryRun } from '../pipeline/dry-run.js';
import { type PipelineReport, resultRows, runPipeline } from '../pipeline/pipeline.js';
import { InputError } from '../support/errors.js';
import type { Command } from './command.js';
import type { FlagValues } from './flags.js';

export const pipelineCommand: Command = {
  summary: 'all stages; without flags the quickstart on a sample catalogue',
  flags: [
    ...(['config', 'reviews', 'meta', 'format', 'columns', 'out', 'dataset', 'run', 'user-k', 'item-k'] as const),
    ...(['from', 'to', 'min-items', 'window', 'split', 'title-words', 'levels', 'codebook-size'] as const),
    ...(['collisions', 'sid-epochs', 'model', 'sft-epochs'] as const),
    ...(['learning-rate', 'batch-size', 'dropout', 'eval-epochs', 'num-beams', 'seed', 'dry-run'] as const),
  ],
  engine: true,
  run: ({ dryRun: dry, ...values }) => {
    const config = configOf(values);
    return dry ? dryRun(config) : runPipeline(config, (stage) => process.stderr.write(`-- ${stage}\n`));
  },
  print: (report: PipelineReport | DryRun) => ('missing' in report ? planned(report) : summary(report)),
};

function configOf(values: FlagValues): PipelineConfig {
  const { config, reviews, ...flags } = values;
  if (config !== undefined) {
    if (Object.keys(flags).length > 0 || reviews !== undefined) {
      throw new InputError('pipeline: expected --config alone; what the flags say goes into the file');
    }
    return readPipelineConfig(config as string);
  }
  if (reviews === undefined) {
    const { seed, ...others } = flags;
    if (Object.keys(others).length > 0) {
      throw new InputError('pipeline: expected --reviews and --out beside the other flags, or no flag but --seed');
    }
    return quickstart(seed as number | undefined);
  }
  return ownData(values);
}

function ownData(values: FlagValues): PipelineConfig {
  const { reviews, meta, out, dataset = 'data', run, seed } = values;
  if (typeof out !== 'string') throw new InputError('pipeline: expected --out beside --reviews');
  const pick = (...names: string[]): Record<string, unknown> =>
    Object.fromEntries(names.flatMap((name) => (values[name] === undefined ? [] : [[name, values[name]]])));
  const seeded = seed === undefined ? {} : { seed };
  return {
    out: resolve(out),
    dataset: dataset as string,
    ...(run !== undefined && { run: run as string }),
    filter: {
      reviews: resolve(reviews as string),
      ...(meta !== undefined && { meta: resolve(meta as string) }),
      ...pick('format', 'columns', 'userK', 'itemK', 'from', 'to', 'minItems', 'window', 'split', 'titleWords'),
    },
    embed: { ...seeded },
    sid: {
      ...pick('levels', 'codebookSize', 'collisions'),
      ...(values.sidEpochs !== undefined && { iterations: values.sidEpochs as number }),
      ...seeded,
    },
    sft: {
      ...pick('model', 'learningRate', 'batchSize', 'dropout', 'evalEpochs'),
      ...(values.sftEpochs !== undefined && { epochs: values.sftEpochs as number }),
      ...seeded,
    },
    evaluate: pick('numBeams'),
    badcase: {},
  } as PipelineConfig;
}

/** Every stage with its options, and what is missing. */
function planned({ stages, missing, estimate }: DryRun): string {
  return [
    ...stages.map(({ stage, options }) => `${stage.padEnd(8)}  ${JSON.stringify(options)}`),
    ...missing.map((line) => `missing: ${line}`),
    estimate,
  ].join('\n');
}

/** The results table, what GRPO has to say, and where everything is. */
function summary({ baselines, models, stages, figures, results, seconds }: PipelineReport): string {
  const warning = stages.grpo?.warning;
  return [
    tableText(resultRows(baselines, models)),
    ...(warning === undefined ? [] : [`grpo: ${warning}`]),
    `results: ${short(results)}`,
    ...(stages.badcase ? [`bad cases: ${short(stages.badcase.report)}`] : []),
    'figures (an .svg beside each):',
    ...figures.map((figure) => `  ${short(figure)}`),
    `done in ${seconds.toFixed(1)} s`,
  ].join('\n');
}

/** Seen from where the command was given. */
function short(path: string): string {
  return relative(process.cwd(), path);
}
