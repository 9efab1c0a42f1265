/** The options of `convert`. */
import { text } from '../options/kinds.js';
import { defineOptions, type OptionsOf } from '../options/schema.js';
import { DATA_OPTIONS, INDEX_OPTIONS } from './data-options.js';

/** Declares the options of `convert`. */
export const CONVERT_OPTIONS = defineOptions('convert', {
  ...DATA_OPTIONS,
  ...INDEX_OPTIONS,
  out: text('folder to write to', { otherwise: 'the data folder', affectsResult: false }),
});

/** Options of `convert`. */
export interface ConvertOptions extends OptionsOf<typeof CONVERT_OPTIONS> {}
