/**
 * One code an item: no item shares a token with another, so that a model learns every item's vector by itself, as SASRec
 * does. For catalogues whose items are each bought often; where they are not, shared codes are what is learned of an item
 * (`default-method.ts`).
 *
 * The codebook is the vectors themselves: code k of the only level is item k. Items that come later have no code; they
 * need a token of their own and training.
 *
 * Shapes: N items, D width.
 */
import type { Vectors } from '../files/npy.js';
import { InputError } from '../support/errors.js';
import { checkFinite } from './check-input.js';
import type { QuantizeResult } from './quantized.js';
import { quantizeResult } from './residual.js';

/**
 * @param vectors [N, D], kept as the codebook @param where names them in errors
 * @throws InputError for no items, or a row that is not finite
 */
export function oneCode(vectors: Vectors, _options: object = {}, where = 'oneCode'): QuantizeResult {
  if (vectors.rows < 1) throw new InputError(`${where}: expected item vectors, got none; embed the items first`);
  checkFinite(vectors, where);
  const codes = Array.from({ length: vectors.rows }, (_, item) => [item]);
  return quantizeResult(vectors, codes, [vectors], 'keep');
}
