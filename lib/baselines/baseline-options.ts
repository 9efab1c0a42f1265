/** The options of `baseline`. */
import { DATA_OPTIONS } from '../data/data-options.js';
import { choice, integer, text } from '../options/kinds.js';
import { defineOptions, type OptionsOf } from '../options/schema.js';

export const BASELINE_NAMES = ['popularity', 'transition'] as const;
export type BaselineName = (typeof BASELINE_NAMES)[number];

export const BASELINE_OPTIONS = defineOptions('baseline', {
  name: choice(BASELINE_NAMES, 'which baseline', { required: true }),
  ...DATA_OPTIONS,
  topK: integer('length of the lists; shorter where fewer items were seen', { default: 50 }),
  results: text('file to write', {
    otherwise: 'runs/baseline-NAME/results.jsonl in the data folder',
    affectsResult: false,
  }),
});

export interface BaselineStageOptions extends OptionsOf<typeof BASELINE_OPTIONS> {}
