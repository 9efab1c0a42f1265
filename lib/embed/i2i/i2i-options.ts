/** The options of `i2i`. */
import { DATA_OPTIONS } from '../../data/data-options.js';
import { integer, path, paths } from '../../options/kinds.js';
import { defineOptions, type OptionsOf } from '../../options/schema.js';

/** Declares the options of `i2i`. */
export const I2I_OPTIONS = defineOptions('i2i', {
  ...DATA_OPTIONS,
  embeddings: paths('.npy files of the same items, one an encoder: a.npy,b.npy', { required: true }),
  window: integer('items before a target that count as near it', { default: 5 }),
  atLeast: integer('times that two items must occur together in training rows', { default: 2 }),
  out: path('folder of the figures', { otherwise: 'figures in the data folder', affectsResult: false }),
});

/** Options of `i2iStage`. */
export interface I2iOptions extends OptionsOf<typeof I2I_OPTIONS> {}
