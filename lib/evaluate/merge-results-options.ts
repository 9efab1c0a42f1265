/** The options of `merge-results`. */
import { path } from '../options/kinds.js';
import { defineOptions, type OptionsOf } from '../options/schema.js';

/** Declares the options of `merge-results`. */
export const MERGE_RESULTS_OPTIONS = defineOptions('merge-results', {
  results: path('file to write, beside whose name the shares are found (FILE-shard-1-of-8.jsonl, ...)', {
    required: true,
  }),
});

/** Options of `mergeResults`. */
export interface MergeResultsOptions extends OptionsOf<typeof MERGE_RESULTS_OPTIONS> {}
