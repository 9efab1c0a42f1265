/** The options of `compare`. */
import { CATALOGUE_OPTIONS, resultsFiles, STATISTICS_OPTIONS } from '../evaluate/score/score-options.js';
import { integer, number, paths, texts } from '../options/kinds.js';
import { defineOptions, type OptionsOf } from '../options/schema.js';

/** Declares the options of `compare`. */
export const COMPARE_OPTIONS = defineOptions('compare', {
  files: resultsFiles(
    'two sides or more over the same rows, each a results file or a run folder; several seeds of a side with commas ' +
      'between, a1.jsonl,a2.jsonl b1.jsonl,b2.jsonl',
    (count) => count > 1,
    'two results files or more',
  ),
  names: texts('names of the sides, in their order', {
    otherwise: 'what tells their paths apart',
    affectsResult: false,
  }),
  reports: paths('badcase_report.json of each side, in their order: failure modes are compared', {
    otherwise: 'those beside the results, where every side has one of them',
    affectsResult: false,
  }),
  ...CATALOGUE_OPTIONS,
  ...STATISTICS_OPTIONS,
  at: integer('a row is won by the side that has its target among the first so many', { default: 10 }),
  examples: integer('rows shown of each kind: won, lost, both failed', { default: 5, min: 0 }),
  alpha: number('better and worse are said where p, corrected after Holm, is below it', {
    default: 0.05,
    above: 0,
    below: 1,
  }),
});

/** Options of `compareStage`. */
export interface CompareStageOptions extends OptionsOf<typeof COMPARE_OPTIONS> {}
