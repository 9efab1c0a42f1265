/** The options of `sid`; those of a method count where it is chosen. */
import { SPELLINGS } from '../data/sid-index.js';
import { choice, custom, integer, path } from '../options/kinds.js';
import { defineOptions, type OptionsOf } from '../options/schema.js';
import { DENSE_ROWS } from './default-method.js';
import type {
  LetterOptions,
  RqKmeansConstrainedOptions,
  RqKmeansMiniBatchOptions,
  RqKmeansOptions,
  RqKmeansPlusOptions,
  RqOpqOptions,
  RvqOptions,
} from './method-options.js';
import { METHODS, SID_METHODS, type SidMethodName } from './methods.js';
import type { SidMethod } from './sid-method.js';

const METHOD = custom<SidMethod | SidMethodName, { default: 'rqkmeans'; otherwise: string }>(
  'how vectors become codes; in a notebook also a method of your own',
  {
    default: 'rqkmeans',
    otherwise: `rqkmeans; one-code where filter left ${DENSE_ROWS} training rows an item or more and no other option is given`,
    mismatch: (value) => {
      if (typeof value !== 'object' || value === null) {
        return (SID_METHODS as readonly unknown[]).includes(value) ? undefined : `one of ${SID_METHODS.join(', ')}`;
      }
      const { name, quantize, learned } = value as Partial<SidMethod>;
      const fits =
        typeof name === 'string' && name !== '' && typeof quantize === 'function' && typeof learned === 'boolean';
      return fits ? undefined : 'a method with a name, a function quantize and a boolean learned';
    },
    schema: { enum: SID_METHODS },
  },
);

/** Declares the options of `sid`; those of a method count where it is chosen. */
export const SID_OPTIONS = defineOptions(
  'sid',
  {
    embeddings: path('.npy file of item vectors, row = item id', { required: true, affectsResult: false }),
    index: path('file to write, ending in .index.json', {
      otherwise: 'NAME.index.json beside NAME.emb-ENCODER.npy',
      affectsResult: false,
    }),
    spelling: choice(SPELLINGS, 'tokens such as <a_12>, or <s_a_12> between <|sid_begin|> and <|sid_end|>', {
      default: 'plain',
    }),
    countFrom: integer('what code 0 is written as, 0 or 1 (as MiniOneRec has it)', { default: 0, min: 0, max: 1 }),
    method: { ...METHOD, words: SID_METHODS },
  },
  {
    variants: {
      by: 'method',
      pick: (method) => (typeof method === 'object' ? (method as SidMethod).name : String(method)),
      own: (method) => (typeof method === 'object' ? ((method as SidMethod).options ?? {}) : undefined),
      of: Object.fromEntries(SID_METHODS.map((name) => [name, METHODS[name].options ?? {}])),
    },
  },
);

/** The options of all methods; a method refuses another's. */
export type SidOptions = RqKmeansOptions &
  RqKmeansConstrainedOptions &
  RqKmeansMiniBatchOptions &
  RqKmeansPlusOptions &
  LetterOptions &
  RvqOptions &
  RqOpqOptions;
/** Options of `sidStage`. */
export type SidStageOptions = OptionsOf<typeof SID_OPTIONS> & SidOptions;

/** Declares the options of `sid --extend`. */
export const EXTEND_OPTIONS = defineOptions('sid', {
  embeddings: path('.npy file of all items, the old ones first, of the same encoder and fit', { required: true }),
  index: path('index to extend, its codebooks beside it', { required: true }),
});

/** Options of `extendIndex`. */
export interface ExtendIndexOptions extends OptionsOf<typeof EXTEND_OPTIONS> {}
