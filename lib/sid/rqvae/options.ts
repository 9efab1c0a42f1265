/** The options of RQ-VAE and RQ-Kmeans+, their defaults and what is refused. */
import type { Vectors } from '../../files/npy.js';
import type { MetricLine } from '../../runs/metric-lines.js';
import { InputError } from '../../support/errors.js';
import { type Schedule, SCHEDULES } from '../../support/schedule.js';
import { checkFinite, checkWhole, codebookSizes, type LevelOptions } from '../check-input.js';
import { type Collisions } from '../choices.js';
import { checkCollisions } from '../collisions/collisions.js';
import type { RqVaeShape } from './parameters.js';
import { BEST, type Best } from '../choices.js';

export interface RqVaeOptions extends LevelOptions {
  /**
   * Multiplies the vectors by one number so that their mean square is 1, and divides errors by its square again. Rows
   * of unit length have entries of a twentieth, in which the biases' first steps drown. Default true.
   */
  normalize?: boolean;
  /** Widths of the encoder's hidden layers; the decoder has them in reverse. Default 2048, 1024, 512, 256, 128, 64. */
  hidden?: readonly number[];
  /** Width of the latent. Default 32. */
  latent?: number;
  /** Passes over the items. Default 60. */
  epochs?: number;
  /** Items a step. Default 256. */
  batchSize?: number;
  /** Peak rate. Default 1e-3. */
  learningRate?: number;
  /** After the warm-up. Default `linear`. */
  schedule?: Schedule;
  /** Epochs of linear rise. Default 2. */
  warmupEpochs?: number;
  /** Of AdamW. Default 0. */
  weightDecay?: number;
  /** Gradients are scaled down to this norm; 0 leaves them. Default 1. */
  maxGradNorm?: number;
  /** Share of every layer's input set to zero while training, in [0, 1). Default 0. */
  dropout?: number;
  /** Batch normalisation after every linear layer but the last. Default false. */
  batchNorm?: boolean;
  /** Weight of the quantizer's loss beside the reconstruction's. Default 1. */
  quantLossWeight?: number;
  /** Weight of the commitment in the quantizer's loss. Default 0.25. */
  commitment?: number;
  /**
   * Above 0, codes are dealt out evenly by Sinkhorn while training, at this epsilon; one for all levels or one a level.
   * Default 0: the nearest code.
   */
  sinkhornEpsilon?: number | readonly number[];
  /** Rounds of Sinkhorn. Default 50. */
  sinkhornIterations?: number;
  /**
   * Epochs of plain autoencoding before k-means fills the codebooks and quantization begins; 0 begins at once, as the
   * reference does, on what random weights make of the items. Default 10, at most `epochs` - 1.
   */
  autoencoderEpochs?: number;
  /**
   * Epochs after the codebooks' start at whose ends codes that no item uses begin anew at an item's residual; 0 leaves
   * them dead, as the reference does. Default half of the epochs that quantize; of RQ-Kmeans+ 0.
   */
  deadCodeEpochs?: number;
  /** Rounds of the k-means that the codebooks start from, at most. Default 100. */
  kmeansIterations?: number;
  /** Latents that k-means sees: of all items (default), or of the first batch as in the reference. */
  kmeansInit?: 'all' | 'batch';
  /** Epochs between two looks at reconstruction, collisions and codes in use; also a checkpoint each. Default 10. */
  evalEpochs?: number;
  /** Default `loss`. */
  best?: Best;
  /** What to do with items that share a SID. Default `reassign`, in the latent space. */
  collisions?: Collisions;
  /** Default 42. */
  seed?: number;
  /** Folder for metrics, checkpoints and the best models; a run that was stopped goes on from it. Default: none. */
  run?: string;
  /** Called after each epoch, for a plot that draws while training. */
  onLog?: (lines: readonly MetricLine[]) => void;
}

export interface RqVaePlan extends Required<
  Omit<RqVaeOptions, 'levels' | 'codebookSize' | 'sinkhornEpsilon' | 'run' | 'onLog'>
> {
  shape: RqVaeShape;
  /** What vectors are multiplied by. */
  scale: number;
  /** One a level. */
  epsilons: number[];
  run: string | undefined;
  onLog: ((lines: readonly MetricLine[]) => void) | undefined;
}

/**
 * @param residual encoder and decoder add to their input, so that the latent is as wide as the vectors
 * @throws InputError for vectors or options that cannot be
 */
export function rqVaePlan(vectors: Vectors, options: RqVaeOptions, where: string, residual = false): RqVaePlan {
  const { hidden = [2048, 1024, 512, 256, 128, 64], latent = residual ? vectors.width : 32 } = options;
  const { epochs = 60, batchSize = 256, learningRate = 1e-3, schedule = 'linear', warmupEpochs = 2 } = options;
  const {
    weightDecay = 0,
    maxGradNorm = 1,
    dropout = 0,
    batchNorm = false,
    quantLossWeight = 1,
    commitment = 0.25,
  } = options;
  const {
    sinkhornEpsilon = 0,
    sinkhornIterations = 50,
    kmeansIterations = 100,
    kmeansInit: kmeansStart = 'all',
  } = options;
  const { autoencoderEpochs = residual ? 0 : Math.min(10, Math.max(0, epochs - 1)) } = options;
  const { deadCodeEpochs: reseedEpochs = residual ? 0 : Math.floor((epochs - autoencoderEpochs) / 2) } = options;
  const { normalize = true, evalEpochs = 10, best = 'loss', collisions = 'reassign', seed = 42, run, onLog } = options;
  const sizes = codebookSizes(vectors.rows, options, where);
  checkFinite(vectors, where);
  checkCollisions(collisions, vectors.rows, sizes, where);
  for (const width of hidden) checkWhole('--hidden', width);
  const whole = { latent, epochs, batchSize, kmeansIterations, sinkhornIterations, evalEpochs };
  for (const [name, value] of Object.entries(whole)) checkWhole(name, value);
  checkWhole('warmupEpochs', warmupEpochs, 0);
  checkWhole('autoencoderEpochs', autoencoderEpochs, 0);
  checkWhole('reseedEpochs', reseedEpochs, 0);
  if (autoencoderEpochs >= epochs) throw wrong(`autoencoderEpochs of at most ${epochs - 1}`, autoencoderEpochs);
  if (!(learningRate > 0 && learningRate < 10)) throw wrong('learningRate in (0, 10)', learningRate);
  if (!SCHEDULES.includes(schedule)) throw wrong(`schedule ${SCHEDULES.join(', ')}`, schedule);
  if (!BEST.includes(best)) throw wrong(`best ${BEST.join(', ')}`, best);
  if (kmeansStart !== 'all' && kmeansStart !== 'batch') throw wrong('kmeansStart all or batch', kmeansStart);
  if (!(dropout >= 0 && dropout < 1)) throw wrong('dropout in [0, 1)', dropout);
  for (const [name, value] of Object.entries({ weightDecay, maxGradNorm, quantLossWeight, commitment })) {
    if (!(value >= 0 && value < Infinity)) throw wrong(`${name} of 0 or more`, value);
  }
  const epsilons = typeof sinkhornEpsilon === 'number' ? sizes.map(() => sinkhornEpsilon) : [...sinkhornEpsilon];
  if (epsilons.length !== sizes.length || !epsilons.every((epsilon) => epsilon >= 0 && epsilon < Infinity)) {
    throw wrong(`sinkhornEpsilon of 0 or more, one or ${sizes.length}`, epsilons.join(','));
  }
  if (residual && latent !== vectors.width) throw wrong(`a latent of ${vectors.width}, the vectors' width`, latent);
  const largest = Math.max(...sizes);
  if (kmeansStart === 'batch' && Math.min(batchSize, vectors.rows) < largest) {
    throw new InputError(
      `sid: expected batchSize of ${largest} or more, a row a code to start k-means from the first batch, got ${batchSize}; raise --batch-size or take kmeansStart all`,
    );
  }
  const shape = { input: vectors.width, hidden: [...hidden], latent, sizes, batchNorm, residual };
  return {
    ...{ normalize, scale: normalize ? 1 / rootMeanSquare(vectors) : 1 },
    ...{
      shape,
      hidden,
      latent,
      epochs,
      batchSize,
      learningRate,
      schedule,
      warmupEpochs,
      weightDecay,
      maxGradNorm,
      dropout,
    },
    ...{
      batchNorm,
      quantLossWeight,
      commitment,
      epsilons,
      sinkhornIterations,
      kmeansIterations,
      kmeansInit: kmeansStart,
    },
    ...{ autoencoderEpochs, deadCodeEpochs: reseedEpochs, evalEpochs, best, collisions, seed, run, onLog },
  };
}

/** 1 where all is 0. */
function rootMeanSquare({ data }: Vectors): number {
  let sum = 0;
  for (const value of data) sum += value * value;
  return Math.sqrt(sum / data.length) || 1;
}

function wrong(expected: string, got: unknown): InputError {
  return new InputError(`sid: expected ${expected}, got ${String(got)}`);
}
