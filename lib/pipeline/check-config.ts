/**
 * A configuration before anything runs: every option of every stage by its name and kind, so that a slip of the pen in
 * the last stage is found before the first one has taken its hour.
 */
import type { BadCasesOptions } from '../badcase/bad-cases.js';
import { BASELINES } from '../baselines/baseline-stage.js';
import { SPLIT_RULES } from '../data/filter/split-rows.js';
import { POOLINGS } from '../embed/sentence/encoder-config.js';
import { SID_TOKENS } from '../evaluate/recommender.js';
import { FREEZE } from '../lm/lora/freeze.js';
import { EMBEDDING_INITS } from '../lm/tokenizer/extend-vocabulary.js';
import { SID_VOCABULARIES } from '../lm/tokenizer/tokenizer.js';
import { MUON_SCALES } from '../ops/muon.js';
import { COLLISIONS } from '../sid/collisions/collisions.js';
import { KMEANS_INITS } from '../sid/kmeans/kmeans.js';
import { SID_METHODS } from '../sid/methods.js';
import { InputError } from '../support/errors.js';
import { SCHEDULES } from '../support/schedule.js';
import { EXAMPLE_MODES } from '../tasks/examples.js';
import { REWARDS } from '../train/grpo/rewards.js';
import { OPTIMIZERS } from '../train/optim/optimizer.js';
import type { PipelineConfig } from './config.js';

/** A list holds the words that an option may be; `any` is checked by the stage itself. */
type Kind = 'text' | 'number' | 'integer' | 'switch' | 'any' | readonly string[];

/** Every option has its kind: a new one is an error of the compiler here. */
type Kinds<T> = { [K in keyof Required<T>]: Kind };

const STAGES: { [S in keyof Stages]: Kinds<Stages[S]> } = {
  sample: { size: ['tiny', 'small'], seed: 'integer' },
  filter: {
    ...{ reviews: 'text', meta: 'text', format: 'text', columns: 'any', userK: 'integer', itemK: 'integer' },
    ...{ from: 'text', to: 'text', minItems: 'integer', window: 'integer', split: SPLIT_RULES, titleWords: 'integer' },
    ...{ metaColumns: 'any', encoding: 'text', plainText: 'switch' },
  },
  embed: {
    ...{ encoder: 'text', embeddings: 'text', width: 'integer', seed: 'integer', pooling: POOLINGS },
    ...{ cutoffLen: 'integer', batchSize: 'integer', tokenBudget: 'integer', dtype: 'text', threads: 'integer' },
    ...{ sublinearTf: 'switch', stopWords: 'switch', minDf: 'number', maxDf: 'number', ngrams: 'integer' },
    ...{ iterations: 'integer', oversample: 'integer' },
  },
  sid: {
    ...{ method: SID_METHODS, index: 'text', levels: 'integer', codebookSize: 'any', collisions: COLLISIONS },
    ...{ iterations: 'integer', tolerance: 'number', init: KMEANS_INITS, nInit: 'integer', uniform: 'switch' },
    ...{ clusterSize: 'any', startIndex: 'text', seed: 'integer', normalize: 'switch', hidden: 'any' },
    ...{ latent: 'integer', epochs: 'integer', batchSize: 'integer', learningRate: 'number', schedule: SCHEDULES },
    ...{
      warmupEpochs: 'integer',
      weightDecay: 'number',
      maxGradNorm: 'number',
      dropout: 'number',
      batchNorm: 'switch',
    },
    ...{ quantLossWeight: 'number', commitment: 'number', sinkhornEpsilon: 'any', sinkhornIterations: 'integer' },
    ...{ autoencoderEpochs: 'integer', deadCodeEpochs: 'integer', kmeansIterations: 'integer' },
    ...{
      kmeansInit: ['all', 'batch'],
      evalEpochs: 'integer',
      best: ['loss', 'collision', 'utilisation', 'last'],
      run: 'text',
    },
  },
  sft: {
    ...{ model: 'text', template: 'text', tasks: 'text', templates: 'text', dataRatio: 'number', mode: EXAMPLE_MODES },
    ...{ cutoffLen: 'integer', chatTemplate: 'switch', sidTokens: SID_TOKENS, sidVocabulary: SID_VOCABULARIES },
    ...{ init: EMBEDDING_INITS, vocabSize: 'integer', window: 'integer', epochs: 'number', learningRate: 'number' },
    ...{ schedule: SCHEDULES, warmupSteps: 'integer', warmupRatio: 'number', optimizer: OPTIMIZERS },
    ...{ muonScale: MUON_SCALES, batchSize: 'integer', batchTokens: 'integer', tokenBudget: 'integer' },
    ...{ dropout: 'number', weightDecay: 'number', maxGradNorm: 'number', evalEpochs: 'number', evalSteps: 'integer' },
    ...{ bestMetric: 'text', keep: 'integer', keepLast: 'switch', validRows: 'integer', patience: 'integer' },
    ...{ seed: 'integer', lora: 'any', freeze: FREEZE, layerCheckpointing: 'switch' },
  },
  grpo: {
    ...{ template: 'text', numGenerations: 'integer', beta: 'number', reward: Object.keys(REWARDS) },
    ...{ sampleSize: 'integer', epochs: 'number', batchSize: 'integer', learningRate: 'number', schedule: SCHEDULES },
    ...{
      warmupSteps: 'integer',
      warmupRatio: 'number',
      maxGradNorm: 'number',
      evalSteps: 'integer',
      validRows: 'integer',
    },
    ...{ seed: 'integer', layerCheckpointing: 'switch' },
  },
  evaluate: {
    ...{ batchRows: 'integer', label: 'text', numBeams: 'integer', normalize: ['full', 'legal'] },
  },
  badcase: { k: 'integer', coldBelow: 'integer', tailShare: 'number', shortHistory: 'integer' },
};

type Stages = Omit<Required<PipelineConfig>, 'out' | 'dataset' | 'figures' | 'run' | 'baselines' | 'badcase'> & {
  badcase: BadCasesOptions;
};

/** @param source the file, for the error's text @throws InputError for the first option that is not one, or of another kind */
export function checkConfig(config: PipelineConfig, source: string): void {
  for (const [stage, kinds] of Object.entries(STAGES)) {
    const options: unknown = config[stage as keyof Stages];
    if (options === undefined) continue;
    if (typeof options !== 'object' || options === null || Array.isArray(options)) {
      throw new InputError(`${source}: expected ${stage} to be an object of options, got ${JSON.stringify(options)}`);
    }
    for (const [name, value] of Object.entries(options)) checkOption(source, stage, kinds, name, value);
  }
  for (const name of config.baselines ?? []) {
    const names = Object.keys(BASELINES);
    if (!names.includes(name))
      throw new InputError(`${source}: expected baselines of ${names.join(', ')}, got ${name}`);
  }
}

function checkOption(source: string, stage: string, kinds: Record<string, Kind>, name: string, value: unknown): void {
  if (!Object.hasOwn(kinds, name)) {
    throw new InputError(`${source}: ${stage} has no option ${name}; it has ${Object.keys(kinds).sort().join(', ')}`);
  }
  const kind = kinds[name]!;
  if (fits(kind, value)) return;
  throw new InputError(`${source}: expected ${stage}.${name} to be ${said(kind)}, got ${JSON.stringify(value)}`);
}

function fits(kind: Kind, value: unknown): boolean {
  if (typeof kind !== 'string') return typeof value === 'string' && kind.includes(value);
  switch (kind) {
    case 'text':
      return typeof value === 'string';
    case 'number':
      return typeof value === 'number' && Number.isFinite(value);
    case 'integer':
      return Number.isInteger(value);
    case 'switch':
      return typeof value === 'boolean';
    case 'any':
      return true;
    default:
      throw new Error(`checkConfig: unknown kind ${kind satisfies never}`);
  }
}

function said(kind: Kind): string {
  if (typeof kind !== 'string') return `one of ${kind.join(', ')}`;
  return kind === 'switch' ? 'true or false' : kind === 'integer' ? 'a whole number' : `a ${kind}`;
}
