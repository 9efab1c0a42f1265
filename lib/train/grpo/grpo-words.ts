/** The words that options of GRPO may be, apart from what reads them, so that `--help` loads no engine. */

/** What happens to groups whose rewards are all equal. */
export const EQUAL_GROUPS = ['keep', 'mask', 'redraw'] as const;
/** A word of `EQUAL_GROUPS`. */
export type EqualGroups = (typeof EQUAL_GROUPS)[number];

/** Where the KL is put. */
export const KL_PLACES = ['loss', 'reward'] as const;
/** A word of `KL_PLACES`. */
export type KlPlace = (typeof KL_PLACES)[number];

/** What log-probabilities are normalised over. */
export const NORMALIZES = ['full', 'legal'] as const;

/** How completions are found (`rollout.ts`). */
export const ROLLOUTS = ['beams', 'sample', 'sample-beams', 'free'] as const;
/** A word of `ROLLOUTS`. */
export type RolloutKind = (typeof ROLLOUTS)[number];

/** What the reference is (`reference.ts`). */
export const REFERENCES = ['frozen', 'synchronised', 'base', 'none'] as const;
/** A word of `REFERENCES`. */
export type ReferenceKind = (typeof REFERENCES)[number];

/** Whether rewards are summed as they are, or each is scaled within the group before (TRL's names). */
export const AGGREGATIONS = ['sum_then_normalize', 'normalize_then_sum'] as const;
/** A word of `AGGREGATIONS`. */
export type Aggregation = (typeof AGGREGATIONS)[number];
