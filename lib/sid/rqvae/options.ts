/** What RQ-VAE and RQ-Kmeans+ compute with: their options, and what follows from them and the vectors. */
import type { Vectors } from '../../files/npy.js';
import type { SettingsOf } from '../../options/schema.js';
import type { MetricLine } from '../../runs/metric-lines.js';
import { InputError } from '../../support/errors.js';
import { checkFinite, codebookSizes } from '../check-input.js';
import { checkCollisions } from '../collisions/collisions.js';
import { RQVAE_OPTIONS, type RqVaeOptions } from '../method-options.js';
import type { RqVaeShape } from './parameters.js';
import { largest } from '../../support/extremes.js';

/** The options of `rqvae` with every default filled in, those that depend on the vectors too. */
export interface RqVaePlan extends Omit<
  SettingsOf<typeof RQVAE_OPTIONS>,
  'levels' | 'codebookSize' | 'sinkhornEpsilon' | 'run' | 'onLog'
> {
  latent: number;
  autoencoderEpochs: number;
  deadCodeEpochs: number;
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
  const { levels, codebookSize, sinkhornEpsilon, run, onLog, ...settings } = RQVAE_OPTIONS.parse(options);
  const { hidden, epochs, batchSize, normalize, batchNorm, kmeansInit, collisions } = settings;
  const { latent = residual ? vectors.width : 32 } = settings;
  const { autoencoderEpochs = residual ? 0 : Math.min(10, epochs - 1) } = settings;
  const { deadCodeEpochs = residual ? 0 : Math.floor((epochs - autoencoderEpochs) / 2) } = settings;
  const sizes = codebookSizes(vectors.rows, { levels, codebookSize }, where);
  checkFinite(vectors, where);
  checkCollisions(collisions, vectors.rows, sizes, where);
  if (autoencoderEpochs >= epochs) throw wrong(`autoencoderEpochs of at most ${epochs - 1}`, autoencoderEpochs);
  const epsilons = typeof sinkhornEpsilon === 'number' ? sizes.map(() => sinkhornEpsilon) : [...sinkhornEpsilon];
  if (epsilons.length !== sizes.length) {
    throw wrong(`sinkhornEpsilon of 0 or more, one or ${sizes.length}`, epsilons.join(','));
  }
  if (settings.estimator === 'gumbel' && settings.codebookUpdate === 'ema') {
    throw wrong("codebookUpdate gradient with estimator gumbel, whose mixtures are no code's rows", 'ema');
  }
  if (residual && latent !== vectors.width) throw wrong(`a latent of ${vectors.width}, the vectors' width`, latent);
  const most = largest(sizes);
  if (kmeansInit === 'batch' && batchSize < most) {
    throw new InputError(
      `sid: expected batchSize of ${most} or more, a row a code to start k-means from the first batch, got ${batchSize}; raise --batch-size or take --kmeans-init all`,
    );
  }
  const shape = { input: vectors.width, hidden: [...hidden], latent, sizes, batchNorm, residual };
  return {
    ...settings,
    ...{ latent, autoencoderEpochs, deadCodeEpochs, shape, epsilons, run, onLog },
    scale: normalize ? 1 / rootMeanSquare(vectors) : 1,
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
