/** Item vectors out of a trained recommender: the mean of the embedding rows of an item's SID tokens. */
import * as tf from '@tensorflow/tfjs';
import { codeTokens, readIndex, type SidIndex } from '../data/sid-index.js';
import type { Vectors } from '../files/npy.js';
import { loadModel } from '../lm/model.js';
import type { LanguageModel } from '../lm/language-model.js';
import { loadTokenizer, type TextTokenizer } from '../lm/tokenizer/tokenizer.js';
import { EMBEDDING } from '../lm/weight-names.js';
import { disposeWeights } from '../lm/weights.js';
import { valuesOf } from '../support/values-of.js';

/**
 * @param model folder @param index file
 * @throws InputError for a folder or index that is missing, and a token of the index that the model lacks
 */
export function sidVectors(model: string, index: string, items: number): Vectors {
  const sids = readIndex(index, items).map(codeTokens);
  const loaded = loadModel(model);
  try {
    return meanRows(loaded, loadTokenizer(model), sids);
  } finally {
    disposeWeights(loaded.weights);
  }
}

/** @returns [N, D], row = item id */
export function meanRows({ weights }: LanguageModel, tokenizer: TextTokenizer, index: SidIndex): Vectors {
  const table = weights.get(EMBEDDING)! as unknown as tf.Tensor2D;
  const width = table.shape[1];
  const ids = [...new Set(index.flat())].map((token) => [token, tokenizer.tokenId(token)] as const);
  const own = Int32Array.from(ids, ([, id]) => id);
  const rows = valuesOf(() => tf.gather(table, tf.tensor1d(own, 'int32')));
  const place = new Map(ids.map(([token], i) => [token, i * width]));
  const data = new Float32Array(index.length * width);
  index.forEach((tokens, item) => {
    for (const token of tokens) {
      const from = place.get(token)!;
      for (let d = 0; d < width; d++) data[item * width + d]! += rows[from + d]! / tokens.length;
    }
  });
  return { rows: index.length, width, data };
}
