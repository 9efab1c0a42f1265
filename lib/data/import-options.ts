/** The options of `import`. */
import { path, text } from '../options/kinds.js';
import { checkDatasetName } from './data-options.js';
import { defineOptions, type OptionsOf } from '../options/schema.js';

/** Declares the options of `import`. */
export const IMPORT_CONVERTED_OPTIONS = defineOptions(
  'import',
  {
    converted: path("folder of MiniOneRec's files: {train,valid,test}/NAME*.csv, info/, index/, or all in one folder", {
      required: true,
      affectsResult: false,
    }),
    out: path('data folder to write', { required: true, affectsResult: false }),
    dataset: text('NAME of the files', { required: true }),
  },
  { rules: [checkDatasetName] },
);

/** Options of `importConverted`. */
export interface ImportConvertedOptions extends OptionsOf<typeof IMPORT_CONVERTED_OPTIONS> {}
