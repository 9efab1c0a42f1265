/** The option of every stage that runs a model: in which precision its large products are computed. */
import { choice, number } from '../options/kinds.js';
import type { Options } from '../options/option.js';
import { PRECISIONS } from '../ops/precision.js';
import { PRECISION_CHOICES } from './choices.js';

/** Declares the option. */
export const PRECISION_OPTIONS = {
  precision: choice(
    PRECISION_CHOICES,
    'of the large products, float32 between them; auto: bfloat16 where this machine is faster in it',
    { default: 'auto' },
  ),
} satisfies Options;

/** Declares in which precision a model's weights are written. */
export const SAVE_OPTIONS = {
  saveDtype: choice(PRECISIONS, 'of the weights in the model folder; bfloat16 rounds them, in half the bytes', {
    default: 'float32',
  }),
  maxShardSize: number('gigabytes of a weight file at most; more are cut into several, as transformers does', {
    above: 0,
    otherwise: 'one file',
    affectsResult: false,
  }),
} satisfies Options;
