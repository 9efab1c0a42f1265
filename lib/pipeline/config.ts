/**
 * What a pipeline runs: one object a stage, the stage's own options in it. Stages that are not named do not run, but
 * for filter, embed, sid, convert, sft, evaluate and the two baselines, which make the results table.
 */
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BadCasesOptions } from '../badcase/bad-cases.js';
import type { BaselineName } from '../baselines/baseline-stage.js';
import type { FilterStageOptions } from '../data/filter/filter-stage.js';
import type { SampleOptions } from '../data/sample/sample.js';
import type { EmbedItemsOptions } from '../embed/embed-items.js';
import type { RankOptions } from '../evaluate/evaluate.js';
import { readJson } from '../files/files.js';
import type { SidStageOptions } from '../sid/sid-stage.js';
import { InputError } from '../support/errors.js';
import type { GrpoOptions } from '../train/grpo/grpo.js';
import type { SftOptions } from '../train/sft/sft.js';
import { checkConfig } from './check-config.js';

export interface PipelineConfig {
  /** Data folder; runs go to `OUT/runs/RUN`. */
  out: string;
  /** NAME of the files. */
  dataset: string;
  /** Folder of the figures. Default `OUT/figures`. */
  figures?: string;
  /** Name of the runs: another configuration needs another one. Default `main`. */
  run?: string;
  /** Writes a sample catalogue to `OUT/raw` first. */
  sample?: SampleOptions;
  filter?: Omit<FilterStageOptions, 'reviews' | 'meta' | 'out' | 'dataset'> & { reviews?: string; meta?: string };
  embed?: Omit<EmbedItemsOptions, 'data' | 'dataset'>;
  sid?: Omit<SidStageOptions, 'embeddings' | 'initFrom' | 'onLog'>;
  sft?: Omit<SftOptions, 'data' | 'index' | 'run' | 'onLog'>;
  grpo?: Omit<GrpoOptions, 'data' | 'index' | 'run' | 'model' | 'onLog'>;
  evaluate?: RankOptions;
  badcase?: BadCasesOptions;
  /** Default popularity and transition. */
  baselines?: BaselineName[];
}

/** The folder that `data/` and `figures/` are in: the project's root, or `SIDLAB_HOME`. */
export function homeFolder(): string {
  return process.env.SIDLAB_HOME ?? fileURLToPath(new URL('../../', import.meta.url));
}

/** The whole pipeline on the small sample catalogue, in about two minutes on two cores. */
export function quickstart(seed = 42): PipelineConfig {
  const name = seed === 42 ? 'quickstart' : `quickstart-${seed}`;
  return {
    out: join(homeFolder(), 'data', name),
    figures: join(homeFolder(), 'figures', name),
    dataset: 'sample',
    sample: { size: 'small', seed },
    embed: { seed },
    sid: { seed },
    sft: {
      model: 'qwen2:64x2',
      epochs: 16,
      batchSize: 16,
      learningRate: 2e-3,
      warmupSteps: 40,
      dropout: 0.2,
      evalEpochs: 2,
      seed,
    },
    grpo: { sampleSize: 1024, epochs: 1, batchSize: 64, learningRate: 1e-4, evalSteps: 4, seed },
    badcase: {},
  };
}

const KEYS = [
  'out',
  'dataset',
  'figures',
  'run',
  'sample',
  'filter',
  'embed',
  'sid',
  'sft',
  'grpo',
  'evaluate',
  'badcase',
  'baselines',
];

/**
 * Folders are seen from where the command runs.
 * @throws InputError for a file that is no configuration: which key or option, and which there are
 */
export function readPipelineConfig(file: string): PipelineConfig {
  const config = readJson<PipelineConfig>(file);
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    throw new InputError(`${file}: expected an object with one object a stage`);
  }
  for (const key of Object.keys(config)) {
    if (!KEYS.includes(key)) throw new InputError(`${file}: unknown key ${key}; expected ${KEYS.join(', ')}`);
  }
  for (const key of ['out', 'dataset'] as const) {
    if (typeof config[key] !== 'string') throw new InputError(`${file}: ${key} is missing; give it as a string`);
  }
  checkConfig(config, file);
  return {
    ...config,
    out: resolve(config.out),
    ...(config.figures !== undefined && { figures: resolve(config.figures) }),
  };
}
