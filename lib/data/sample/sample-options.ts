/** The options of `sample`. */
import { choice, path } from '../../options/kinds.js';
import { defineOptions, type OptionsOf } from '../../options/schema.js';
import { SEED_OPTIONS } from '../data-options.js';

/** Sizes of the sample catalogue. */
export const SAMPLE_SIZES = ['tiny', 'small'] as const;
/** A name of `SAMPLE_SIZES`. */
export type SampleSize = (typeof SAMPLE_SIZES)[number];

/** Declares what decides the sample catalogue. */
export const SAMPLE_OPTIONS = defineOptions('sample', {
  size: choice(SAMPLE_SIZES, 'tiny: 120 users, 60 items, about 1,000 reviews; small: 1,500, 600, about 15,000', {
    default: 'small',
  }),
  ...SEED_OPTIONS,
});

/** Equal options give equal bytes. */
export interface SampleOptions extends OptionsOf<typeof SAMPLE_OPTIONS> {}

/** Declares the options of `sample`: its folder, and `SAMPLE_OPTIONS`. */
export const WRITE_SAMPLE_OPTIONS = defineOptions('sample', {
  out: path('folder to write reviews.jsonl.gz and meta.jsonl.gz to', { required: true, affectsResult: false }),
  ...SAMPLE_OPTIONS.options,
});

/** `SampleOptions` and the folder to write to. */
export interface WriteSampleOptions extends OptionsOf<typeof WRITE_SAMPLE_OPTIONS> {}
