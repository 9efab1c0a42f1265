/** The options of the kit's SID methods. */
import { SEED_OPTIONS } from '../data/data-options.js';
import { withDefault } from '../options/derive.js';
import { boolean, choice, hook, integer, number, numberOrNumbers, numbers, pair, path } from '../options/kinds.js';
import type { Options } from '../options/option.js';
import { defineOptions, type Given, type OptionsOf } from '../options/schema.js';
import type { Vectors } from '../files/npy.js';
import type { MetricLine } from '../runs/metric-lines.js';
import { SCHEDULES } from '../support/schedule.js';
import {
  BEST,
  CODEBOOK_UPDATES,
  COLLISIONS,
  ESTIMATORS,
  KMEANS_INITS,
  OPTIMIZERS,
  RECONSTRUCTION_LOSSES,
} from './choices.js';

/** Declares the options of every method's levels. */
export const LEVEL_OPTIONS = {
  levels: integer('codes in a SID: one letter each, and one for ranks', {
    otherwise: '3, or as many as codebook-size has numbers',
    max: 25,
    min: 1,
  }),
  codebookSize: numberOrNumbers('codes a level, one number or one a level (64,256,256), at most the number of items', {
    otherwise: '256; in a catalogue of fewer than 2,048 items an eighth of them, at least 8',
  }),
} satisfies Options;

const COLLISION_OPTIONS = {
  collisions: choice(
    COLLISIONS,
    'items that share a SID: reassign the last code, deal it out by rounds of Sinkhorn (some may still share), add a rank token, or keep them',
    {
      default: 'reassign',
    },
  ),
} satisfies Options;

/** Declares the options of `rqkmeans`. */
export const RQKMEANS_OPTIONS = defineOptions('sid', {
  ...LEVEL_OPTIONS,
  ...COLLISION_OPTIONS,
  ...SEED_OPTIONS,
  iterations: integer('Lloyd iterations of a level at most', { default: 100 }),
  init: choice(KMEANS_INITS, 'initial centres of every level', {
    otherwise: 'k-means++ for the first level, random-groups for the others',
  }),
  uniform: boolean("at most items / codes (rounded up) items a code, by Sinkhorn's plan"),
});

/** Declares the options of `rqkmeans-minibatch`. */
export const RQKMEANS_MINIBATCH_OPTIONS = defineOptions('sid', {
  ...LEVEL_OPTIONS,
  ...COLLISION_OPTIONS,
  ...SEED_OPTIONS,
  batchSize: integer('items a batch', { default: 4096 }),
  passes: integer('passes over the items that move the centres of a level', { default: 2, min: 0 }),
  sampleRows: integer('items of the sample that a level begins with', { default: 50_000 }),
  iterations: integer('Lloyd iterations on the sample at most', { default: 50 }),
});

/** Declares the options of `rqkmeans-constrained`. */
export const RQKMEANS_CONSTRAINED_OPTIONS = defineOptions('sid', {
  ...LEVEL_OPTIONS,
  collisions: withDefault(COLLISION_OPTIONS.collisions, 'rank'),
  ...SEED_OPTIONS,
  clusterSize: pair('fewest and most items of a code, at every level: 13,15', {
    of: { min: 0 },
    otherwise: 'items / codes - 1 and + 1',
  }),
  nInit: integer('initialisations of a level, the best is kept', { default: 3 }),
  iterations: integer('iterations of an initialisation at most', { default: 100 }),
  tolerance: number('stop when the centres move by less than this', { default: 1e-4, min: 0 }),
  initFrom: hook<(residual: Vectors, level: number) => Vectors>(
    'centres that each level starts from, in place of its own: residual vectors -> [K, D]',
  ),
});

const RQVAE = {
  ...LEVEL_OPTIONS,
  ...COLLISION_OPTIONS,
  ...SEED_OPTIONS,
  normalize: boolean('scale all vectors by one number to a mean square of 1 before training', { default: true }),
  hidden: numbers("widths of the encoder's hidden layers; the decoder has them in reverse", {
    default: [2048, 1024, 512, 256, 128, 64],
  }),
  latent: integer('width of the latent', { otherwise: "32; rqkmeans-plus: the vectors' width" }),
  epochs: integer('passes over the items', { default: 60 }),
  batchSize: integer('items a step', { default: 256 }),
  optimizer: choice(OPTIMIZERS, "with PyTorch's defaults", { default: 'adamw' }),
  learningRate: number('peak learning rate', { default: 1e-3, above: 0, below: 10 }),
  schedule: choice(SCHEDULES, 'learning rate after the warm-up', { default: 'linear' }),
  warmupEpochs: integer('epochs of linear rise', { default: 2, min: 0 }),
  weightDecay: number('of the optimizer: adamw decays the weights, the others add it to the gradient', {
    default: 0,
    min: 0,
  }),
  maxGradNorm: number('gradients are scaled down to this norm; 0 leaves them', { default: 1, min: 0 }),
  dropout: number("share of every layer's input set to zero while training", { default: 0, min: 0, below: 1 }),
  batchNorm: boolean('batch normalisation after every linear layer but the last'),
  reconstructionLoss: choice(RECONSTRUCTION_LOSSES, 'mean of the squared or of the absolute error', { default: 'mse' }),
  quantLossWeight: number("weight of the quantizer's loss beside the reconstruction's", { default: 1, min: 0 }),
  commitment: number("weight of the commitment in the quantizer's loss", { default: 0.25, min: 0 }),
  estimator: choice(ESTIMATORS, 'how the gradient passes a choice of codes', { default: 'straight-through' }),
  gumbelTemperature: number('of the softmax over codes of --estimator gumbel', { default: 0.2, above: 0 }),
  codebookUpdate: choice(CODEBOOK_UPDATES, 'codebooks by their gradient, or as running means of what chose them', {
    default: 'gradient',
  }),
  emaDecay: number('of those running means, a step', { default: 0.99, min: 0, below: 1 }),
  balanceWeight: number("weight of the KL of a batch's mean soft assignment from an even one", { default: 0, min: 0 }),
  balanceTemperature: number('of that assignment', { default: 1, above: 0 }),
  sinkhornEpsilon: numberOrNumbers('above 0, balance the codes by Sinkhorn while training; one, or one a level', {
    default: 0,
    whole: false,
    of: { min: 0 },
  }),
  sinkhornIterations: integer('iterations of Sinkhorn', { default: 50 }),
  autoencoderEpochs: integer('epochs of plain autoencoding before k-means fills the codebooks', {
    min: 0,
    otherwise: '10, at most epochs - 1; rqkmeans-plus: 0',
  }),
  deadCodeEpochs: integer('epochs after which codes that no item uses are reset to an item; 0 leaves them', {
    min: 0,
    otherwise: 'half of the epochs that quantize; rqkmeans-plus: 0',
  }),
  kmeansIterations: integer("Lloyd iterations of the codebooks' initialisation", { default: 100 }),
  kmeansInit: choice(
    ['all', 'batch', 'none'],
    'latents that this k-means sees: of all items, or of the first batch; none: uniform numbers in its place',
    { default: 'all' },
  ),
  evalEpochs: integer('epochs between two evaluations, each with a checkpoint', { default: 10 }),
  best: choice(BEST, 'which evaluated epoch is kept', { default: 'loss' }),
  keep: integer('checkpoints of the run that stay, so many of the newest and of the best (0: the newest alone)', {
    default: 0,
    min: 0,
    affectsResult: false,
  }),
  run: path('folder of metrics, checkpoints and the best models, which a stopped run resumes from', {
    otherwise: 'none',
    affectsResult: false,
  }),
  onLog: hook<(lines: readonly MetricLine[]) => void>('called after each epoch, for a plot that draws while training'),
} satisfies Options;

/** Declares the options of `rqvae`. */
export const RQVAE_OPTIONS = defineOptions('sid', RQVAE);

/** Declares the options of `rqkmeans-plus`. */
export const RQKMEANS_PLUS_OPTIONS = defineOptions('sid', {
  ...RQVAE,
  epochs: withDefault(RQVAE.epochs, 24),
  evalEpochs: withDefault(RQVAE.evalEpochs, 4),
  startIndex: path('index that rqkmeans-constrained wrote for the same vectors, to start from', {
    otherwise: 'none: it is run first',
  }),
});

/** Declares the options of `letter`. */
export const LETTER_OPTIONS = defineOptions('sid', {
  ...RQVAE,
  latent: integer('width of the latent', { otherwise: "the collaborative vectors' width, or 32" }),
  collaborative: path("a recommender's item vectors, such as runs/baseline-sasrec/model/item-vectors.npy", {
    otherwise: 'none: the diversity loss alone',
  }),
  collaborativeWeight: number('of the loss that draws quantized latents to them', { default: 0.02, min: 0 }),
  diversityWeight: number('of the loss that keeps codes of other clusters apart', { default: 1e-4, min: 0 }),
  diversityClusters: integer("clusters of a level's codes", { default: 10 }),
});

/** Declares the options of `rvq`. */
export const RVQ_OPTIONS = defineOptions('sid', {
  ...LEVEL_OPTIONS,
  ...COLLISION_OPTIONS,
  ...SEED_OPTIONS,
  epochs: integer('passes over the items', { default: 20 }),
  batchSize: integer('items a step', { default: 256 }),
  emaDecay: number("of the codebooks' running means, a step", { default: 0.99, min: 0, below: 1 }),
  iterations: integer("Lloyd iterations of the codebooks' initialisation", { default: 20 }),
});

/** Declares the options of `rq-opq`. */
export const RQ_OPQ_OPTIONS = defineOptions('sid', {
  ...LEVEL_OPTIONS,
  ...COLLISION_OPTIONS,
  ...SEED_OPTIONS,
  products: integer('codes of a SID, the last, that are of product quantization', { default: 2 }),
  rotations: integer('fits of its rotation (0: none)', { default: 10, min: 0 }),
  iterations: integer('Lloyd iterations of a level at most, and of a part for each rotation', { default: 100 }),
});

/** Declares the options of `one-code`: nothing is drawn, the seed that a pipeline gives every stage is taken all the same. */
export const ONE_CODE_OPTIONS = defineOptions('sid', { ...SEED_OPTIONS });

/** How many levels and codes. */
export interface LevelOptions extends Given<typeof LEVEL_OPTIONS> {}
/** Options of `rqKmeans`. */
export interface RqKmeansOptions extends OptionsOf<typeof RQKMEANS_OPTIONS> {}
/** Options of `rqKmeansMiniBatch`. */
export interface RqKmeansMiniBatchOptions extends OptionsOf<typeof RQKMEANS_MINIBATCH_OPTIONS> {}
/** Options of `rqKmeansConstrained`. */
export interface RqKmeansConstrainedOptions extends OptionsOf<typeof RQKMEANS_CONSTRAINED_OPTIONS> {}
/** Options of `rqvae`. */
export interface RqVaeOptions extends OptionsOf<typeof RQVAE_OPTIONS> {}
/** Options of `letter`. */
export interface LetterOptions extends OptionsOf<typeof LETTER_OPTIONS> {}
/** Options of `rvq`. */
export interface RvqOptions extends OptionsOf<typeof RVQ_OPTIONS> {}
/** Options of `rqOpq`. */
export interface RqOpqOptions extends OptionsOf<typeof RQ_OPQ_OPTIONS> {}
/** As `RqVaeOptions`, with other defaults: 24 epochs, evaluated every 4, no plain autoencoding. */
export interface RqKmeansPlusOptions extends OptionsOf<typeof RQKMEANS_PLUS_OPTIONS> {}
