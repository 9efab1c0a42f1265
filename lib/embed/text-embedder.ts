/** An encoder as a function from texts to vectors, for what compares texts. */
import type { Item } from '../data/dataset.js';
import type { Vectors } from '../files/npy.js';
import { lsa } from './lsa/lsa.js';
import { encodeTexts } from './sentence/encode-texts.js';
import { loadSentenceEncoder } from './sentence/sentence-encoder.js';
import type { TokenEncoder } from './sentence/token-vectors.js';

/** Vectors of any texts, for comparing them by cosine. */
export interface TextEmbedder {
  /** Texts -> vectors [N, D], row = text. */
  embed(texts: readonly string[]): Promise<Vectors>;
  /** For BERTScore, a vector a token; absent where the encoder has none (`lsa`). */
  tokens?: TokenEncoder;
  /** Frees the model. */
  close(): Promise<void>;
}

/**
 * @param encoder `lsa`, a folder with an ONNX sentence encoder, or an id of the model hub. `lsa` is fitted to the items'
 *   texts and the given ones together, so that one text's vector depends on the others a little
 * @throws InputError if the encoder cannot be had; `embed`: if there is no text with a word
 */
export async function textEmbedder(encoder: string, items: readonly Item[]): Promise<TextEmbedder> {
  if (encoder === 'lsa') {
    return { embed: (texts) => Promise.resolve(byLsa(texts, items)), close: () => Promise.resolve() };
  }
  const loaded = await loadSentenceEncoder(encoder);
  return {
    async embed(texts) {
      const { vectors, finish } = await encodeTexts(loaded, texts);
      finish();
      return vectors;
    },
    tokens: loaded,
    close: () => loaded.close(),
  };
}

function byLsa(texts: readonly string[], items: readonly Item[]): Vectors {
  const catalogue = items.map(({ title, description }) => `${title} ${description}`);
  const { vectors } = lsa([...catalogue, ...texts]);
  const { width, data } = vectors;
  return { rows: texts.length, width, data: data.subarray(catalogue.length * width) };
}
