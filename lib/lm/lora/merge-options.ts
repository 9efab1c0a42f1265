/** The options of `merge`. */
import { SAVE_OPTIONS } from '../precision-options.js';
import { path } from '../../options/kinds.js';
import { defineOptions, type OptionsOf } from '../../options/schema.js';

/** Declares the options of `merge`. */
export const MERGE_OPTIONS = defineOptions('merge', {
  adapter: path("folder of the adapter, in peft's format", { required: true }),
  model: path('folder of its base', { otherwise: 'the one that the adapter names' }),
  out: path('folder to write the merged model to', { required: true }),
  ...SAVE_OPTIONS,
});

/** Options of `mergeStage`. */
export interface MergeOptions extends OptionsOf<typeof MERGE_OPTIONS> {}
