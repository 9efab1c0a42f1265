/** The options of `compare-texts`. */
import { path, paths } from '../../options/kinds.js';
import { defineOptions, type OptionsOf } from '../../options/schema.js';

/** Declares the options of `compare-texts`. */
export const COMPARE_TEXTS_OPTIONS = defineOptions('compare-texts', {
  results: paths('files of generate (generations-TASK.jsonl), one a model, with commas between', { required: true }),
  out: path('CSV file to write, for a spreadsheet', { required: true }),
});

/** Options of `compareTextsStage`. */
export interface CompareTextsOptions extends OptionsOf<typeof COMPARE_TEXTS_OPTIONS> {}
