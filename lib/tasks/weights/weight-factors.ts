/**
 * How much each training row counts, as a text: `balanced:0.5,recency:180,column:rating,log1p:votes`. Every part is a
 * factor, and the weights are their product.
 *
 *   balanced[:A]    n^-A for a target that was bought n times in the training rows; at A = 1 every item counts alike
 *                   (Kang et al., arXiv 1910.09217, eq. 1, with their q = 1 - A). Default A 0.5
 *   recency[:H]     2^(-age / H) for a row whose target was bought `age` days before the latest one. Default H 180.
 *                   `H%` measures ages in rows, as shares of the training rows, whose order is that of time; of a joined
 *                   folder as shares of each data set's own
 *   column:NAME     a column of the file of columns, as it is
 *   log1p:NAME      log(1 + x) of a column
 */
import { InputError } from '../../support/errors.js';

/** One factor of the weights. */
export type WeightFactor =
  | { kind: 'balanced'; exponent: number }
  | { kind: 'recency'; halfLife: number; unit: 'days' | 'share' }
  | { kind: 'column' | 'log1p'; name: string };

/** How the text is written, for messages. */
export const WEIGHTS_FORM =
  'factors such as balanced:0.5, recency:180 (days) or recency:25% (of the rows), column:NAME and log1p:NAME, with commas between';

/** @returns undefined if the text is none */
export function weightFactors(text: unknown): WeightFactor[] | undefined {
  if (typeof text !== 'string') return undefined;
  const factors = text.split(',').map((part) => factorOf(part.trim()));
  return factors.every((factor) => factor !== undefined) ? factors : undefined;
}

/** @throws InputError for a text that is none */
export function parseWeights(text: string): WeightFactor[] {
  const factors = weightFactors(text);
  if (!factors) throw new InputError(`row weights: expected ${WEIGHTS_FORM}, got ${JSON.stringify(text)}`);
  return factors;
}

function factorOf(text: string): WeightFactor | undefined {
  const [kind, ...rest] = text.split(':');
  const value = rest.length > 0 ? rest.join(':') : undefined;
  switch (kind) {
    case 'balanced': {
      const exponent = value === undefined ? 0.5 : numberOf(value);
      return exponent > 0 ? { kind, exponent } : undefined;
    }
    case 'recency': {
      const share = value?.endsWith('%') === true;
      const given = value === undefined ? 180 : numberOf(share ? value.slice(0, -1) : value);
      if (!(given > 0)) return undefined;
      return { kind, halfLife: share ? given / 100 : given, unit: share ? 'share' : 'days' };
    }
    case 'column':
    case 'log1p':
      return value === undefined || value === '' ? undefined : { kind, name: value };
    default:
      return undefined;
  }
}

/** NaN for a text that is no plain decimal number. */
function numberOf(text: string): number {
  return /^\d*\.?\d+$/.test(text) ? Number(text) : NaN;
}
