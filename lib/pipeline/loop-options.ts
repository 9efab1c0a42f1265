/** The options of what comes after the bad cases: strategies, and the comparison of the rounds. */
import type { StrategyName } from '../badcase/report-shape.js';
import { COMPARE_OPTIONS } from '../compare/compare-options.js';
import { omitOptions } from '../options/derive.js';
import { words } from '../options/kinds.js';
import { defineOptions } from '../options/schema.js';

const STRATEGY_NAMES: readonly StrategyName[] = [
  ...([
    'long_tail',
    'cold_start',
    'short_history',
    'sid_quality',
    'recency_bias',
    'exclude_history',
    'hyperparameter',
  ] as const),
];

/** Declares the options of the `strategies` stage. */
export const STRATEGIES_STAGE = defineOptions('strategies', {
  choose: words(STRATEGY_NAMES, 'strategies to take', {
    otherwise: 'those that the bad-case report calls for',
  }),
});

/** Whether a configuration takes more than one round, or writes the next one's configuration. */
export function loops({ rounds = 1, strategies }: { rounds?: number | undefined; strategies?: unknown }): boolean {
  return rounds > 1 || strategies !== undefined;
}

/** Declares the options of the `compare` stage; what is compared are the rounds. */
export const COMPARE_STAGE = defineOptions('compare', {
  ...omitOptions(COMPARE_OPTIONS.options, 'files', 'names', 'reports', 'data', 'dataset', 'index', 'part', 'out'),
});
