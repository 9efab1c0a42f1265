/**
 * Weights of training rows: a factor of the target, and a factor of the row, so that a prediction that no row states (an
 * item of a user's first history) has the factor of its item. Their mean over the rows is 1.
 */
import type { Row } from '../../data/dataset.js';
import { trainCounts } from '../../data/train-counts.js';
import { InputError } from '../../support/errors.js';
import type { WeightFactor } from './weight-factors.js';

/** Weights as a product. */
export interface RowWeights {
  /** Factor of each item as a target [items]. */
  ofItem: Float64Array;
  /** Factor of each training row [rows]. */
  ofRow: Float64Array;
}

/** What factors are computed from. */
export interface WeightSources {
  /** Training rows. */
  rows: readonly Row[];
  /** Of the rows of each data set, where several lie behind one another, each in order of time. Default one. */
  parts?: readonly number[];
  /** In the catalogue. */
  items: number;
  /** When each row's target was bought, milliseconds since 1970 [rows]; absent where nobody knows. */
  times?: ArrayLike<number> | undefined;
  /** Of a named column, one number a row. @throws InputError if there is none of the name */
  column?: (name: string) => ArrayLike<number>;
}

const DAY = 86_400_000;

/**
 * @throws InputError for factors whose source is missing, negative or infinite weights, and weights that are all 0
 * @example of two rows whose targets were bought once and four times, `balanced:0.5`: 1 and 1/2, of mean 1: 4/3 and 2/3
 */
export function rowWeights(factors: readonly WeightFactor[], sources: WeightSources): RowWeights {
  const { rows, items } = sources;
  const counts = trainCounts(rows, items);
  const ofItem = new Float64Array(items).fill(1);
  const ofRow = new Float64Array(rows.length).fill(1);
  for (const factor of factors) {
    if (factor.kind === 'balanced') {
      counts.forEach((count, item) => (ofItem[item]! *= Math.max(1, count) ** -factor.exponent));
    } else {
      rowFactor(factor, sources).forEach((value, row) => (ofRow[row]! *= checked(value, factor, row)));
    }
  }
  const sum = rows.reduce((total, { target }, row) => total + ofItem[target]! * ofRow[row]!, 0);
  if (rows.length > 0 && !(sum > 0)) {
    throw new InputError('row weights: expected a row with a weight above 0, got none; mend the column');
  }
  for (let row = 0; row < rows.length; row++) ofRow[row]! *= rows.length / sum;
  return { ofItem, ofRow };
}

/** Weight of a row of the list that the weights were made of. */
export function weightOf({ ofItem, ofRow }: RowWeights, rows: readonly Row[], row: number): number {
  return ofItem[rows[row]!.target]! * ofRow[row]!;
}

function rowFactor(factor: Exclude<WeightFactor, { kind: 'balanced' }>, sources: WeightSources): number[] {
  switch (factor.kind) {
    case 'recency':
      return recency(factor, sources);
    case 'column':
    case 'log1p': {
      if (!sources.column) {
        throw new InputError(
          `row weights: ${factor.kind}:${factor.name}: expected --row-columns, the file that has it`,
        );
      }
      const values = Array.from(sources.column(factor.name));
      return factor.kind === 'log1p' ? values.map((value) => Math.log1p(value)) : values;
    }
    default:
      throw factor satisfies never;
  }
}

function recency(
  { halfLife, unit }: Extract<WeightFactor, { kind: 'recency' }>,
  { rows, parts = [rows.length], times }: WeightSources,
): number[] {
  if (unit === 'share') {
    return parts.flatMap((count) =>
      Array.from({ length: count }, (_, row) => 2 ** (-(count - 1 - row) / count / halfLife)),
    );
  }
  if (!times) {
    throw new InputError(
      'row weights: recency in days: expected NAME.train.times in the data folder, got none; run sidlab filter again on ' +
        'data with times, or take a share of the rows such as recency:25%',
    );
  }
  let latest = -Infinity;
  for (let row = 0; row < times.length; row++) latest = Math.max(latest, times[row]!);
  return Array.from(times, (time) => 2 ** (-(latest - time) / DAY / halfLife));
}

function checked(value: number, factor: WeightFactor, row: number): number {
  if (Number.isFinite(value) && value >= 0) return value;
  const name = 'name' in factor ? `${factor.kind}:${factor.name}` : factor.kind;
  throw new InputError(
    `row weights: ${name}: expected a weight of 0 or more for training row ${row + 1}, got ${value}`,
  );
}
