/**
 * Batches of texts of like length, so that hardly a token of padding is computed.
 *
 * Follows sentence-transformers' `encode`, which sorts by length. Departures: 1. by tokens, not by characters; 2. a
 * batch is as many texts as fit a budget of tokens, padding counted, so that long texts come in small batches and the
 * activations stay in the cache.
 */
import { defineOptions } from '../../options/schema.js';
import { BATCH_OPTIONS, type LengthBatchesOptions } from '../embed-options.js';

const SCHEMA = defineOptions('lengthBatches', BATCH_OPTIONS);

/**
 * Longest first, so that too little memory shows at once and the time left is never underestimated; texts of equal
 * length in their order.
 *
 * @param lengths tokens of each text
 * @returns lists of indices; each index once
 * @throws InputError for a size or a budget below 1
 * @example lengthBatches([2, 9, 3, 3], { tokenBudget: 9 }) // [[1], [2, 3, 0]]
 */
export function lengthBatches(lengths: readonly number[], options: LengthBatchesOptions = {}): number[][] {
  const { batchSize, tokenBudget } = SCHEMA.parse(options);
  const order = [...lengths.keys()].sort((a, b) => lengths[b]! - lengths[a]! || a - b);
  const batches: number[][] = [];
  let [batch, widest]: [number[], number] = [[], 0];
  for (const i of order) {
    if (batch.length > 0 && (batch.length === batchSize || (batch.length + 1) * widest > tokenBudget)) {
      batches.push(batch);
      batch = [];
    }
    if (batch.length === 0) widest = Math.max(1, lengths[i]!);
    batch.push(i);
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}
