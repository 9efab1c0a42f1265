/** The options of `templates`. */
import { boolean, path, text } from '../../options/kinds.js';
import { defineOptions, type OptionsOf } from '../../options/schema.js';

/** Declares the options of `templates`. */
export const IMPORT_OPTIONS = defineOptions('templates', {
  from: path("the reference's data.py (MiniOneRec) or prompt.py (GRec, LC-Rec)", { required: true }),
  out: path('JSON file to write, for --templates', { required: true }),
  separator: text('between the items of a history in prompt.py (--his_sep)', { otherwise: 'comma and space' }),
  numbered: boolean('number the items of a history in prompt.py (--add_prefix)'),
});

/** Options of `importTemplates`. */
export interface ImportOptions extends OptionsOf<typeof IMPORT_OPTIONS> {}
