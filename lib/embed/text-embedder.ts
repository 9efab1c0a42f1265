/** An encoder as a function from texts to vectors, for what compares texts. */
import type { Item } from '../data/dataset.js';
import { encodeTexts } from './encode-texts.js';
import { lsa } from './lsa.js';
import type { Vectors } from './npy.js';
import { loadSentenceEncoder } from './sentence-encoder.js';

/** Texts -> vectors [N, D], row = text. */
export type TextEmbedder = (texts: readonly string[]) => Promise<Vectors>;

/**
 * @param encoder `lsa`, a folder with an ONNX sentence encoder, or an id of the model hub. `lsa` is fitted to the items'
 *   texts and the given ones together, so that one text's vector depends on the others a little; a sentence encoder's
 *   does not, and is loaded for the call alone
 * @throws InputError if the encoder cannot be had or there is no text with a word
 */
export function textEmbedder(encoder: string, items: readonly Item[]): TextEmbedder {
  if (encoder === 'lsa') return (texts) => Promise.resolve(byLsa(texts, items));
  return async (texts) => {
    const loaded = await loadSentenceEncoder(encoder);
    try {
      const { vectors, finish } = await encodeTexts(loaded, texts);
      finish();
      return vectors;
    } finally {
      await loaded.close();
    }
  };
}

function byLsa(texts: readonly string[], items: readonly Item[]): Vectors {
  const catalogue = items.map(({ title, description }) => `${title} ${description}`);
  const { vectors } = lsa([...catalogue, ...texts]);
  const { width, data } = vectors;
  return { rows: texts.length, width, data: data.subarray(catalogue.length * width) };
}
