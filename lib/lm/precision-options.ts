/** The option of every stage that runs a model: in which precision its large products are computed. */
import { choice } from '../options/kinds.js';
import type { Options } from '../options/option.js';
import { PRECISION_CHOICES } from './choices.js';

/** Declares the option. */
export const PRECISION_OPTIONS = {
  precision: choice(
    PRECISION_CHOICES,
    'of the large products, float32 between them; auto: bfloat16 where this machine is faster in it',
    { default: 'auto' },
  ),
} satisfies Options;
