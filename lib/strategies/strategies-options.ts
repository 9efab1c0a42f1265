/** The options of `strategies`. */
import { boolean, hook, path, texts } from '../options/kinds.js';
import { defineOptions, type OptionsOf } from '../options/schema.js';
import { InputError } from '../support/errors.js';
import type { Strategy } from './strategy.js';

/** By hand or by the report: one of the two, so that nobody trains what nobody chose. */
function checkChoice({ auto, choose }: { auto: boolean; choose?: readonly string[] }): void {
  if (auto && choose !== undefined)
    throw new InputError('strategies: expected --auto or --choose, got both; leave one out');
}

/** Declares the options of `strategies`. */
export const STRATEGIES_OPTIONS = defineOptions(
  'strategies',
  {
    report: path('badcase_report.json of the run', { required: true }),
    auto: boolean('take the strategies that the report calls for'),
    choose: texts('strategies to take, whatever the report says: long_tail,sid_quality', {
      otherwise: 'asked on a terminal',
    }),
    config: path('configuration of the pipeline that the report is of', { otherwise: "the quickstart's" }),
    out: path('file to write: the configuration with the changes, for pipeline --config', {
      otherwise: 'optimized_config.json beside the report',
      affectsResult: false,
    }),
    strategies: hook<readonly Strategy[]>('what there is: [...STRATEGIES, mine] in a notebook', (value) =>
      Array.isArray(value) ? undefined : 'a list of strategies',
    ),
  },
  { rules: [checkChoice] },
);

/** Options of `strategiesStage`. */
export interface StrategiesStageOptions extends OptionsOf<typeof STRATEGIES_OPTIONS> {}
