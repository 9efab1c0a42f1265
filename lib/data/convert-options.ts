/** The options of `convert`. */
import { boolean, choice, integer, path } from '../options/kinds.js';
import { defineOptions, type OptionsOf } from '../options/schema.js';
import { DATA_OPTIONS, INDEX_OPTIONS, SEED_OPTIONS } from './data-options.js';

/** `plain`: NAME.csv; `minionerec`: NAME_5_2016-10-2018-11.csv, which its sft.sh, rl.sh and evaluate.sh look for. */
export const CONVERTED_NAMES = ['plain', 'minionerec'] as const;

/** Declares the options of `convert`. */
export const CONVERT_OPTIONS = defineOptions('convert', {
  ...DATA_OPTIONS,
  ...INDEX_OPTIONS,
  out: path('folder to write to', { otherwise: 'the data folder', affectsResult: false }),
  names: choice(CONVERTED_NAMES, "names of the files: NAME.csv, or those that MiniOneRec's scripts look for", {
    default: 'plain',
  }),
  keepLongestOnly: boolean("of each user's training rows only the one with the longest history"),
  maxValidSamples: integer('validation rows at most, drawn by the seed', { otherwise: 'all' }),
  maxTestSamples: integer('test rows at most, drawn by the seed', { otherwise: 'all' }),
  ...SEED_OPTIONS,
});

/** Options of `convert`. */
export interface ConvertOptions extends OptionsOf<typeof CONVERT_OPTIONS> {}
