/** The options of `join`, and of the stages that read what it writes. */
import { path, paths, text } from '../../options/kinds.js';
import { checkDatasetName } from '../data-options.js';
import { defineOptions, type OptionsOf } from '../../options/schema.js';

/** Declares the options of `join`. */
export const JOIN_OPTIONS = defineOptions(
  'join',
  {
    data: paths('data folders, as filter or import writes them; each holds one data set', {
      required: true,
      affectsResult: false,
    }),
    out: path('data folder to write', { required: true, affectsResult: false }),
    dataset: text('NAME of the files', { required: true }),
  },
  { rules: [checkDatasetName] },
);

/** Options of `joinDatasets`. */
export interface JoinOptions extends OptionsOf<typeof JOIN_OPTIONS> {}

/** Which rows of a joined folder are ranked, and among which items. */
export const PART_OPTIONS = {
  part: text(
    'of a folder of join: one of its data sets, with the ids that it had alone; all: every row among the items of all',
    { otherwise: 'each row among the items of its own data set' },
  ),
};
