/** What a pipeline would do, without doing it: stages and their options, what is missing, what training would take. */
import { QUICK_BASELINES } from '../baselines/baselines.js';
import { hasInput } from '../files/input-files.js';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { holdsModel } from '../lm/model-place.js';
import { estimateText, type RunEstimate } from '../train/report/estimate.js';
import { sftEstimate } from '../train/sft/sft.js';
import { DENSE_ROWS } from '../sid/default-method.js';
import type { PipelineConfig } from './config.js';
import { roundFolder } from './next-round.js';
import { sourceOf } from './source.js';
import { withLoopStages } from './rounds.js';
import { PipelineStages } from './stages.js';
import { checkRewards } from './reward-needs.js';
import { checkTraining } from './round.js';

/** What a pipeline would do and take. */
export interface DryRun {
  /** In the order in which they would run, each with its options. */
  stages: { stage: string; options: object }[];
  /** What has to be there first, in a line each; empty where the pipeline could run now. */
  missing: string[];
  /** What the data decide where the configuration leaves it to them, with the reason, in a line each. */
  choices?: string[];
  /** Of supervised fine-tuning; absent where its data or its model is not there yet. */
  sft?: RunEstimate;
  /** The same in words, or why there is none. */
  estimate: string;
}

/** @throws InputError for an option that is wrong, of whatever stage */
export async function dryRun(config: PipelineConfig): Promise<DryRun> {
  const paths = new PipelineStages(config);
  checkTraining(config);
  checkRewards(paths);
  const { sft = {} } = config;
  const model = sft.model ?? 'qwen2:128x4';
  const missing = missingInputs(config, paths, model);
  const ready = [paths.index, join(config.out, `${config.dataset}.item.json`)].every((path) => existsSync(path));
  const there = { stages: stagesOf(config, paths), missing, ...choicesOf(paths) };
  if (missing.length > 0) return { ...there, estimate: 'no estimate: something is missing' };
  if (!ready) return { ...there, estimate: 'no estimate: filter, embed and sid have not run yet' };
  const estimate = await sftEstimate({ ...sft, data: config.out, dataset: config.dataset, index: paths.index });
  return { ...there, sft: estimate, estimate: estimateText('sft', estimate) };
}

/** The method of `sid`, where the pipeline makes the SIDs itself. */
function choicesOf(paths: PipelineStages): { choices?: string[] } {
  const { chosen } = paths.ownIndex ? {} : paths.sidOptions;
  if (!chosen) return {};
  const filtered = existsSync(join(paths.config.out, `${paths.config.dataset}.stats.json`));
  const later = `rqkmeans, or one-code where filter leaves ${DENSE_ROWS} training rows an item or more`;
  return { choices: [`sid method: ${filtered ? `${chosen.method} (${chosen.why})` : later}`] };
}

function stagesOf(given: PipelineConfig, paths: PipelineStages): DryRun['stages'] {
  const config = withLoopStages(given);
  const named = ['sample', sourceOf(config), 'enrich', 'embed', 'sid', 'convert', 'sft', 'grpo', 'evaluate', 'badcase', 'strategies'] as const; // prettier-ignore
  const imported = config.import && !config.embed && !config.sid ? ['embed', 'sid'] : []; // its index is there
  const optional: readonly string[] = ['sample', 'enrich', ...imported, 'grpo', 'badcase', 'strategies'];
  const { rounds = 1, compare = {}, baselines = QUICK_BASELINES } = config;
  const ranked = baselines.map((name) => ({ stage: `baseline ${name}`, options: paths.rankingOptions(name) }));
  return [
    ...named.flatMap((stage) => [
      ...(optional.includes(stage) && config[stage as keyof PipelineConfig] === undefined
        ? []
        : [{ stage, options: stage === 'convert' ? {} : (config[stage] ?? {}) }]),
      ...(stage === 'enrich' ? ranked : []), // they need the rows alone
    ]),
    ...Array.from({ length: rounds - 1 }, (_, i) => [
      { stage: `round ${i + 2}`, options: { out: roundFolder(config, i + 2) } },
      { stage: 'compare', options: compare },
    ]).flat(),
  ];
}

function missingInputs(config: PipelineConfig, paths: PipelineStages, model: string): string[] {
  const { sample, filter } = config;
  const { reviews, meta } = sample || paths.source !== 'filter' ? {} : paths.raw;
  const folders = [...(config.import ? [config.import.converted] : []), ...(config.join?.data ?? [])];
  const { encoder = 'lsa' } = paths.config.embed ?? {};
  return [
    ...folders.filter((path) => !existsSync(path)).map((path) => `${path}: the data folder is missing`),
    ...[reviews, filter?.meta === undefined ? undefined : meta].flatMap((path) =>
      path === undefined || hasInput(path)
        ? []
        : [`${path}: raw data is missing; filter.reviews and filter.meta name it`],
    ),
    ...(/^[./]/.test(encoder) && !existsSync(encoder) ? [`${encoder}: the encoder's folder is missing`] : []),
    ...(/^\w+:\d+x\d+$/.test(model) || holdsModel(model)
      ? []
      : [
          `${model}: the base model is missing; put a folder in the Hugging Face layout or a GGUF file there, or name another sft.model`,
        ]),
  ];
}
