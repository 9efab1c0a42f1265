/** The options of `badcase`. */
import { DATA_OPTIONS } from '../data/data-options.js';
import { integer, number, text } from '../options/kinds.js';
import type { Options } from '../options/option.js';
import { defineOptions, type Given, type OptionsOf } from '../options/schema.js';

/** When a row fails, and the thresholds of the detectors. */
export const DETECTOR_OPTIONS = {
  topK: integer('a row fails whose target is not among the first so many', { default: 10 }),
  coldBelow: integer('cold start: the target was seen fewer times than this in training', { default: 1 }),
  tailShare: number('long tail: the least popular items that together hold this share of the training interactions', {
    default: 0.2,
    above: 0,
    below: 1,
  }),
  shortHistory: integer('short history: this many items at most', { default: 2 }),
} satisfies Options;

export const BADCASE_OPTIONS = defineOptions('badcase', {
  ...DATA_OPTIONS,
  results: text('results file of an evaluation on the test rows', { required: true, affectsResult: false }),
  out: text('folder of report and figures', { otherwise: 'that of the results', affectsResult: false }),
  ...DETECTOR_OPTIONS,
});

export interface BadCasesOptions extends Given<typeof DETECTOR_OPTIONS> {}
export interface BadCaseReportOptions extends OptionsOf<typeof BADCASE_OPTIONS> {}
