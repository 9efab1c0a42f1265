/** The options of `baseline`. */
import { DATA_OPTIONS } from '../data/data-options.js';
import { PART_OPTIONS } from '../data/join/join-options.js';
import { boolean, custom, integer, path } from '../options/kinds.js';
import type { Options } from '../options/option.js';
import { defineOptions, type OptionsOf } from '../options/schema.js';
import type { Baseline } from './baseline.js';
import type { ItemKnnOptions } from './item-knn.js';
import type { TrainedOptions } from './sequence/architectures.js';
import type { SequenceSettings } from './sequence/sequence-options.js';
import { InputError } from '../support/errors.js';
import type { TigerSettings } from './tiger/tiger-options.js';
import { BASELINE_NAMES, type BaselineName, baselineOf, BASELINES } from './baselines.js';

const BASELINE = custom<Baseline | BaselineName, { required: true }>(
  `which baseline: ${BASELINES.map(({ name, help }) => `${name}, ${help}`).join('; ')}; ` +
    'in a notebook also one of your own',
  {
    required: true,
    mismatch: (value) => {
      if (typeof value !== 'object' || value === null) {
        return (BASELINE_NAMES as readonly unknown[]).includes(value)
          ? undefined
          : `one of ${BASELINE_NAMES.join(', ')}`;
      }
      const { name, rank } = value as Partial<Baseline>;
      const named = typeof name === 'string' && /^[^/\\\s][^/\\]*$/.test(name);
      return named && typeof rank === 'function'
        ? undefined
        : 'a baseline with a name (no slash in it) and a function rank';
    },
    schema: { enum: BASELINE_NAMES },
  },
);

/** Options of a loss that is not asked for. */
function checkLoss(given: object): void {
  const { loss, negatives = 1, droAlpha = 0, droBeta = 1 } = given as Partial<SequenceSettings>;
  if (negatives !== 1 && loss !== 'binary') {
    throw new InputError(
      'baseline: --negatives: expected --loss binary beside it, which alone draws items; leave it out',
    );
  }
  if (droBeta !== 1 && droAlpha === 0) {
    throw new InputError('baseline: --dro-beta: expected --dro-alpha above 0 beside it; leave it out');
  }
}

/** Of the stage; a baseline's own options stand beside them. */
export const BASELINE_OPTIONS = defineOptions(
  'baseline',
  {
    baseline: { ...BASELINE, words: BASELINE_NAMES },
    ...DATA_OPTIONS,
    ...PART_OPTIONS,
    topK: integer('length of the lists; shorter where fewer items were seen', { default: 50 }),
    excludeHistory: boolean('never recommend what is in the history', { default: false, cameLater: true }),
    results: path('file to write', {
      otherwise: 'runs/baseline-NAME/results.jsonl in the data folder, or results-without-history.jsonl there',
      affectsResult: false,
    }),
  },
  {
    rules: [checkLoss],
    variants: {
      by: 'baseline',
      pick: (given) => (typeof given === 'object' ? (given as Baseline | null)?.name : given) as string,
      own: (given) => (typeof given === 'object' ? ((given as Baseline | null)?.options ?? {}) : undefined),
      of: Object.fromEntries(BASELINE_NAMES.map((name): [string, Options] => [name, baselineOf(name).options ?? {}])),
    },
  },
);

/** Options of `baselineStage`; those of the baseline among them. */
export interface BaselineStageOptions
  extends OptionsOf<typeof BASELINE_OPTIONS>, TrainedOptions, Partial<TigerSettings>, Omit<ItemKnnOptions, 'topK'> {}
