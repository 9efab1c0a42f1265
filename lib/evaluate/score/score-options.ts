/** The options of `score`, and those that `compare` shares. */
import { boolean, custom, integer, number, numbers, path, text } from '../../options/kinds.js';
import type { Options } from '../../options/option.js';
import { defineOptions, type OptionsOf } from '../../options/schema.js';

/** What intervals and tests are drawn with. */
export const STATISTICS_OPTIONS = {
  k: numbers('lengths of the lists to measure at', { otherwise: '1,3,5,10,20,50 as far as the lists go' }),
  samples: integer('resamples of the bootstrap', { default: 1000, min: 100 }),
  level: number('share of intervals that hold the true value', { default: 0.95, above: 0, below: 1 }),
  seed: integer('fixes everything random', { default: 42, min: 0 }),
  out: path('file to write the report to, as JSON', { otherwise: 'not written', affectsResult: false }),
} satisfies Options;

/** What results are checked against, and what slices come from. */
export const CATALOGUE_OPTIONS = {
  data: path('data folder: popularity and categories, and whether the results are of it', {
    otherwise: 'none: no slices, and item ids are not checked',
    affectsResult: false,
  }),
  dataset: text("NAME of the folder's files", {
    otherwise: "the folder's own name, or the only NAME in it",
    affectsResult: false,
  }),
  part: text(
    'of a folder of join: the data set whose own ids results have, where no file beside them says so; all: those of all',
    { otherwise: 'as the file beside results says, else the ids of the joined folder', affectsResult: false },
  ),
  index: path('index file: metrics by SID', {
    otherwise: 'NAME.index.json in the data folder, where there is one',
    affectsResult: false,
  }),
} satisfies Options;

/** Results files as the words of the command line; no flag of their own. */
export const resultsFiles = (help: string, fits: (count: number) => boolean, expected: string) => ({
  ...custom<readonly string[], { required: true }>(help, {
    required: true,
    mismatch: (value) =>
      Array.isArray(value) && fits(value.length) && value.every((file) => typeof file === 'string' && file !== '')
        ? undefined
        : expected,
    schema: { type: 'array', items: { type: 'string', minLength: 1 } },
  }),
  data: false,
});

/** Declares the options of `score`. */
export const SCORE_OPTIONS = defineOptions('score', {
  files: resultsFiles(
    "results files: the kit's results.jsonl, or MiniOneRec's final_result_*.json",
    (count) => count > 0,
    'one results file or more',
  ),
  ...CATALOGUE_OPTIONS,
  baselines: boolean('rank the same rows by counting too, beside the metrics; needs a data folder', { default: true }),
  ...STATISTICS_OPTIONS,
});

/** Options of `scoreStage`. */
export interface ScoreOptions extends OptionsOf<typeof SCORE_OPTIONS> {}
