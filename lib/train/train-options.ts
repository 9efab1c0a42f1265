/** Options that supervised fine-tuning and GRPO share. */
import { PRECISION_OPTIONS, SAVE_OPTIONS } from '../lm/precision-options.js';
import { MUON_SCALES } from '../ops/muon-scale.js';
import { boolean, choice, hook, integer, number, path } from '../options/kinds.js';
import type { Options } from '../options/option.js';
import type { MetricLine } from '../runs/metric-lines.js';
import { InputError } from '../support/errors.js';
import { SCHEDULES } from '../support/schedule.js';
import { OPTIMIZERS } from './choices.js';

/** Declares the options that `sft` and `grpo` share. */
export const TRAIN_OPTIONS = {
  run: path('folder of the run; one that was stopped is resumed', {
    otherwise: 'runs/STAGE in the data folder',
    affectsResult: false,
  }),
  epochs: number('passes over the training examples; a fraction stops within the last one', { default: 1, above: 0 }),
  learningRate: number('peak learning rate', { default: 1e-3, above: 0 }),
  schedule: choice(SCHEDULES, 'learning rate after the warm-up', { default: 'cosine' }),
  warmupSteps: integer('updates of linear rise', { min: 0, otherwise: '0' }),
  warmupRatio: number('the same as a share of all updates, in place of warmup-steps', { default: 0, min: 0, max: 1 }),
  maxGradNorm: number('gradients are scaled down to this norm; 0 leaves them', { default: 1, min: 0 }),
  weightDecay: number('of AdamW', { default: 0, min: 0 }),
  ...PRECISION_OPTIONS,
  ...SAVE_OPTIONS,
  layerCheckpointing: boolean("keep each layer's input alone and compute the layer again for its gradient", {
    default: false,
    affectsResult: false,
  }),
  evalSteps: integer('updates between validations', { default: 10, min: 0 }),
  validRows: integer('validation rows that are ranked, drawn once by the seed (0: all)', { default: 500, min: 0 }),
  again: boolean('train anew although a result is there; the old run is kept beside it', {
    default: false,
    affectsResult: false,
  }),
  onLog: hook<(lines: readonly MetricLine[]) => void>(
    'called after each update and validation, for a plot that draws while training',
  ),
} satisfies Options;

/** What `averageDecay` does. */
export const AVERAGE_HELP =
  'what is validated and kept is a moving average of the weights, of which this share stays at an update (0: the weights)';

/** Declares the options of the optimizer, and of what is kept, that `sft` and `grpo` share. */
export const OPTIMIZER_OPTIONS = {
  optimizer: choice(OPTIMIZERS, 'adamw, or muon for the matrices of the layers and AdamW for the rest', {
    default: 'adamw',
  }),
  muonScale: choice(MUON_SCALES, "what Muon's update is multiplied with: rms is at AdamW's rate", { default: 'rms' }),
  shardOptimizer: boolean('several processes split the state of the optimizer between them (ZeRO-1)', {
    default: false,
    affectsResult: false,
  }),
  gradientDtype: choice(
    ['float32', 'bfloat16'],
    'what several processes send their gradients in; bfloat16 is half of it, and rounded to 8 bits',
    { default: 'float32', cameLater: true },
  ),
  keep: integer('checkpoints kept while training; more than one stay when it is done', {
    default: 1,
    affectsResult: false,
  }),
  keepLast: boolean('keep the model of the last update too, in last/', { default: false, affectsResult: false }),
  patience: integer('stop after so many validations without a better one (0: never)', { default: 0, min: 0 }),
} satisfies Options;

/** Two ways of saying how long the warm-up is: which of them counted would depend on the code. */
export function checkWarmup({
  warmupSteps = 0,
  warmupRatio = 0,
}: {
  warmupSteps?: number;
  warmupRatio?: number;
}): void {
  if (warmupSteps > 0 && warmupRatio > 0) {
    throw new InputError('--warmup-ratio: expected it or --warmup-steps, got both; set the other to 0');
  }
}

/** AdamW has no such scale. */
export function checkOptimizer({ optimizer, muonScale }: { optimizer: string; muonScale: string }): void {
  if (optimizer !== 'muon' && muonScale !== MUON_SCALES[0]) {
    throw new InputError(`--muon-scale ${muonScale}: expected --optimizer muon beside it; leave it out`);
  }
}
