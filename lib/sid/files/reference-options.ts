/** The options of `sid import` and `sid export`. */
import { integer, path } from '../../options/kinds.js';
import { defineOptions, type OptionsOf } from '../../options/schema.js';

/** Declares the options of `sid import`. */
export const SID_IMPORT_OPTIONS = defineOptions('sid import', {
  codebooks: path("MiniOneRec's codebooks_constrained.npz: codebook_0, codebook_1, ...", { required: true }),
  codes: path('its codes_constrained.npy, before collisions were resolved', { otherwise: 'those of --from' }),
  from: path('its index file, whose tokens are kept as they are', {
    otherwise: 'made of the codes, with ranks where they collide',
  }),
  countFrom: integer('what code 0 is written as in --from, 0 or 1', {
    otherwise: 'what the codes say; without them 1 where no token is 0',
    min: 0,
    max: 1,
  }),
  embeddings: path('.npy file of the item vectors that they were made of', { required: true }),
  index: path('file to write, ending in .index.json', { required: true }),
});

/** Declares the options of `sid export`. */
export const SID_EXPORT_OPTIONS = defineOptions('sid export', {
  index: path('index of sid, its codebooks beside it', { required: true }),
  out: path('folder of NAME.codebooks_constrained.npz and NAME.codes_constrained.npy', {
    otherwise: 'that of the index',
  }),
});

/** Options of `importSids`. */
export interface SidImportOptions extends OptionsOf<typeof SID_IMPORT_OPTIONS> {}
/** Options of `exportSids`. */
export interface SidExportOptions extends OptionsOf<typeof SID_EXPORT_OPTIONS> {}
