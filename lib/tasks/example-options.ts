/** Options of which examples are trained and how much each counts: weights, shorter histories, rows for cold items. */
import { choice, custom, integer, number, path } from '../options/kinds.js';
import type { Options } from '../options/option.js';
import { InputError } from '../support/errors.js';
import { WEIGHTS_FORM, weightFactors } from './weights/weight-factors.js';

/** How weights count: in the loss, or in how often an example is drawn. */
export const WEIGHTINGS = ['loss', 'draw'] as const;
/** A word of `WEIGHTINGS`. */
export type Weighting = (typeof WEIGHTINGS)[number];

/** Declares how much each training row counts: options of `sft` and `grpo`. */
export const WEIGHT_OPTIONS = {
  rowWeights: custom<string>(
    'how much each training row counts, as a product: balanced:0.5 (times bought ^ -0.5), recency:180 (half-life in days) ' +
      'or recency:25% (of the rows), column:NAME, log1p:NAME',
    {
      otherwise: 'each alike',
      mismatch: (value) => (weightFactors(value) ? undefined : WEIGHTS_FORM),
      schema: { type: 'string' },
    },
  ),
  rowColumns: path('CSV file of columns for row-weights: a header and a line for each training row', {
    otherwise: 'none',
    affectsResult: false, // its hash counts
  }),
} satisfies Options;

/** Declares which examples are trained beside the rows' own: options of `sft`. */
export const EXAMPLE_OPTIONS = {
  ...WEIGHT_OPTIONS,
  weighting: choice(WEIGHTINGS, 'row-weights multiply the loss, or say how often a row is drawn (mode row)', {
    default: 'loss',
  }),
  cutHistories: number('share of the examples that come once more an epoch with a shorter history', {
    default: 0,
    min: 0,
    max: 1,
  }),
  cutLength: integer('items that are left of such a history at most', { default: 3 }),
  coldTargets: integer("training rows made for each cold item, of its nearest neighbours' (0: none)", {
    default: 0,
    min: 0,
  }),
  coldSeen: integer('items that were bought at most so often in training are cold', { default: 0, min: 0 }),
  coldNeighbours: integer('neighbours of a cold item whose rows are taken', { default: 5 }),
  embeddings: path('item vectors (.npy), by which cold items have neighbours', {
    otherwise: 'none; the pipeline gives its own',
    affectsResult: false, // its hash counts
  }),
} satisfies Options;

/** What reads a file asks for it, and a file that nothing reads is a slip. */
export function checkExamples({
  rowWeights,
  rowColumns,
  coldTargets = 0,
  embeddings,
}: {
  rowWeights?: string | undefined;
  rowColumns?: string | undefined;
  coldTargets?: number;
  embeddings?: string;
}): void {
  const factors = rowWeights === undefined ? [] : (weightFactors(rowWeights) ?? []);
  const columns = factors.some(({ kind }) => kind === 'column' || kind === 'log1p');
  if (columns && rowColumns === undefined) {
    throw new InputError('--row-weights: expected --row-columns, the file that has its columns; give it');
  }
  if (!columns && rowColumns !== undefined) {
    throw new InputError('--row-columns: expected column:NAME or log1p:NAME in --row-weights; leave it out');
  }
  if (coldTargets === 0 && embeddings !== undefined) {
    throw new InputError('--embeddings: expected --cold-targets above 0, which reads it; leave it out');
  }
}
