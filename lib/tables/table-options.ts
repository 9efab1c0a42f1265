/** The options of `table`. */
import { boolean, numbers, path, pathOrWord, paths } from '../options/kinds.js';
import { defineOptions, type OptionsOf } from '../options/schema.js';

/** Declares them. */
export const TABLE_OPTIONS = defineOptions('table', {
  table: pathOrWord('which table: minionerec, beauty, quick-start, or a file NAME.json of the same form', {
    required: true,
  }),
  data: paths('data folders, as filter writes them; each is matched to the data set of its NAME', { required: true }),
  run: boolean('train the baselines that have no results yet, with each of the seeds', { default: false }),
  seeds: numbers('seeds of the baselines that are trained', { default: [42, 43, 44], of: { min: 0 } }),
  out: path('folder of the files', { otherwise: 'tables/ in the first data folder' }),
});

/** Options of `tableStage`. */
export interface TableOptions extends OptionsOf<typeof TABLE_OPTIONS> {}
