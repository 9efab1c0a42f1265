/**
 * What a pipeline runs: one object a stage, the stage's own options in it. Stages that are not named do not run, but
 * for filter, embed, sid, convert, sft, evaluate and the quick baselines, which make the results table.
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DetectorThresholds } from '../badcase/badcase-options.js';
import { QUICK_BASELINES } from '../baselines/baselines.js';
import type { SasrecSettings } from '../baselines/sequence/sasrec.js';
import type { SequenceSettings } from '../baselines/sequence/sequence-options.js';
import type { EnrichOptions } from '../data/enrich/enrich-options.js';
import type { FilterStageOptions } from '../data/filter/filter-options.js';
import type { ImportConvertedOptions } from '../data/import-options.js';
import type { JoinOptions } from '../data/join/join-options.js';
import type { SampleOptions } from '../data/sample/sample-options.js';
import type { EmbedItemsOptions } from '../embed/embed-options.js';
import type { RankOptions } from '../evaluate/evaluate-options.js';
import { readJson } from '../files/files.js';
import type { Given, OptionsOf } from '../options/schema.js';
import type { SidStageOptions } from '../sid/sid-options.js';
import { InputError } from '../support/errors.js';
import type { GrpoOptions } from '../train/grpo/grpo-options.js';
import type { SftOptions } from '../train/sft/sft-options.js';
import { withAbsolutePaths } from './absolute-paths.js';
import { checkConfig } from './check-config.js';
import type { COMPARE_STAGE, STRATEGIES_STAGE } from './loop-options.js';
import type { PIPELINE_OPTIONS } from './pipeline-options.js';

/** A configuration: one object a stage, the stage's own options in it. */
export interface PipelineConfig extends Given<typeof PIPELINE_OPTIONS> {
  /** Writes a sample catalogue to `OUT/raw` first. */
  sample?: SampleOptions;
  filter?: Partial<Omit<FilterStageOptions, 'out' | 'dataset'>>;
  /** In the place of `filter`: MiniOneRec's published rows, items and index; `embed` and `sid` run only where they are named. */
  import?: Omit<ImportConvertedOptions, 'out' | 'dataset'>;
  /** In the place of `filter`: several data folders as one. */
  join?: Omit<JoinOptions, 'out' | 'dataset'>;
  /** A chat model's texts of the items, or of the users' tastes. */
  enrich?: Omit<EnrichOptions, 'data' | 'dataset' | 'out'>;
  /** Not run where `sid.embeddings` or `sft.index` names one's own. */
  embed?: Omit<EmbedItemsOptions, 'data' | 'dataset'>;
  /** With `embeddings` one's own vectors; not run where `sft.index` names one's own index. */
  sid?: Partial<Omit<SidStageOptions, 'initFrom' | 'onLog'>>;
  /** Of the SASRec in the results table, and that of GRPO's `sasrec` reward. */
  sasrec?: Partial<Omit<SasrecSettings & SequenceSettings, 'run' | 'again' | 'onLog'>>;
  sft?: Omit<SftOptions, 'data' | 'dataset' | 'run' | 'again' | 'onLog'>;
  grpo?: Omit<GrpoOptions, 'data' | 'dataset' | 'index' | 'run' | 'model' | 'again' | 'onLog'>;
  evaluate?: Omit<RankOptions, 'label'>;
  badcase?: DetectorThresholds;
  /** Chooses what the next round changes; it runs where there is one, too. */
  strategies?: OptionsOf<typeof STRATEGIES_STAGE>;
  /** Of the rounds, where there are several. */
  compare?: OptionsOf<typeof COMPARE_STAGE>;
}

/** The folder that `data/` and `figures/` are in: the project's root, or `SIDLAB_HOME`. */
export function homeFolder(): string {
  return process.env.SIDLAB_HOME ?? fileURLToPath(new URL('../../', import.meta.url));
}

/**
 * The whole pipeline on the small sample catalogue, in about two minutes on two cores. GRPO learns from a SASRec: its policy
 * becomes the product of its own and of what that one says of the completions (docs/log.md has what it brings).
 */
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
      epochs: 24,
      batchSize: 16,
      learningRate: 2e-3,
      warmupSteps: 40,
      dropout: 0.2,
      evalEpochs: 4,
      seed,
    },
    baselines: [...QUICK_BASELINES, 'sasrec'],
    sasrec: { batchSize: 512, learningRate: 2e-3, dropout: 0.3, patience: 2, seed },
    grpo: {
      ...{ reward: 'sasrec', advantages: 'policy', scaleRewards: 'none', klIn: 'reward', kl: 'k1', beta: 1 },
      ...{ epochs: 0.5, learningRate: 1e-3, warmupSteps: 5, maxGradNorm: 1, evalSteps: 40, seed },
    },
    badcase: {},
  };
}

/**
 * Folders are seen from where the command runs.
 * @throws InputError for a file that is no configuration: which key or option, and which there are
 */
export function readPipelineConfig(file: string): PipelineConfig {
  const config = readJson<PipelineConfig>(file);
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    throw new InputError(`${file}: expected an object with one object a stage`);
  }
  checkConfig(config, file);
  const { $schema: _, ...own } = config as PipelineConfig & { $schema?: string };
  return withAbsolutePaths(own);
}
