/** Options that every trained baseline has; each says its own defaults. */
import { SEED_OPTIONS } from '../../data/data-options.js';
import { boolean, choice, hook, integer, number, path, text } from '../../options/kinds.js';
import type { MetricLine } from '../../runs/metric-lines.js';
import { AVERAGE_HELP } from '../../train/train-options.js';
import { type Schedule, SCHEDULES } from '../../support/schedule.js';

/** What is minimised. */
export const LOSSES = ['cross-entropy', 'binary'] as const;

/** At which items of a sequence there is a loss. */
export const SEQUENCE_MODES = ['row', 'chain'] as const;

/** Defaults in which baselines differ. */
export interface TrainerDefaults {
  dropout: number;
  learningRate?: number;
  evalEpochs?: number;
}

/** Options of whatever a run of a baseline trains. */
export function trainerOptions({ dropout, learningRate = 1e-3, evalEpochs = 1 }: TrainerDefaults) {
  return {
    run: path('folder of the run; one that was stopped is resumed', {
      otherwise: 'runs/baseline-NAME in the data folder',
      affectsResult: false,
    }),
    again: boolean('train anew although a result is there; the old run is kept beside it', {
      default: false,
      affectsResult: false,
    }),
    historyLength: integer('items of a history that the model looks at, the latest', {
      otherwise: 'the longest history of the training rows',
    }),
    epochs: integer('passes over the training rows at most', { default: 200 }),
    batchSize: integer('rows an update', { default: 256 }),
    learningRate: number('of AdamW', { default: learningRate, above: 0 }),
    schedule: choice(SCHEDULES, 'learning rate over the epochs that are asked for', {
      default: 'constant',
      cameLater: true,
    }),
    weightDecay: number('of AdamW, on matrices alone', { default: 0, min: 0 }),
    maxGradNorm: number('gradients are scaled down to this norm; 0 leaves them', { default: 0, min: 0 }),
    dropout: number('share of numbers set to zero while training', { default: dropout, min: 0, below: 1 }),
    averageDecay: number(AVERAGE_HELP, { default: 0, min: 0, below: 1, cameLater: true }),
    evalEpochs: number('epochs between validations, at least an update', { default: evalEpochs, above: 0 }),
    bestMetric: text('validation metric that decides which model is the best', { default: 'NDCG@10' }),
    patience: integer('stop after so many validations without a better one (0: never)', { default: 10, min: 0 }),
    keep: integer('checkpoints kept while training; more than one stay when it is done', {
      default: 1,
      affectsResult: false,
    }),
    ...SEED_OPTIONS,
    onLog: hook<(lines: readonly MetricLine[]) => void>(
      'called after each update and validation, for a plot that draws while training',
    ),
  };
}

/** Options of a sequence recommender: those of training, and its loss. */
export function sequenceOptions(defaults: TrainerDefaults) {
  return {
    ...trainerOptions(defaults),
    loss: choice(LOSSES, 'over all items, or of the target against items drawn at random', {
      default: 'cross-entropy',
    }),
    negatives: integer('items drawn for each row of the binary loss, never its target', { default: 1 }),
    droAlpha: number("weight of MiniOneRec's distributionally robust term (0: none)", { default: 0, min: 0 }),
    droBeta: number('its temperature', { default: 1, above: 0 }),
  };
}

/** The settings of a run, with their defaults. */
export interface TrainerSettings {
  run?: string;
  again: boolean;
  historyLength?: number;
  epochs: number;
  batchSize: number;
  learningRate: number;
  schedule: Schedule;
  weightDecay: number;
  maxGradNorm: number;
  dropout: number;
  averageDecay: number;
  evalEpochs: number;
  bestMetric: string;
  patience: number;
  keep: number;
  seed: number;
  onLog?: (lines: readonly MetricLine[]) => void;
}

/** Those of a sequence recommender. */
export interface SequenceSettings extends TrainerSettings {
  loss: (typeof LOSSES)[number];
  /** Of a model that can be trained on chains. Default `row`. */
  mode?: (typeof SEQUENCE_MODES)[number];
  negatives: number;
  droAlpha: number;
  droBeta: number;
}
