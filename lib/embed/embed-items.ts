/**
 * The `embed` stage: item texts of a data folder -> `NAME.emb-ENCODER.npy`, row = item id.
 *
 * Follows MiniOneRec's text of an item: title + " " + description.
 */
import { basename, join } from 'node:path';
import { readItems } from '../data/item-file.js';
import { findName } from '../data/load.js';
import { ensureEngine } from '../engine/engine.js';
import { writeNpy } from '../files/npy.js';
import { InputError } from '../support/errors.js';
import { lsa, type LsaOptions } from './lsa/lsa.js';
import { encodeTexts } from './sentence/encode-texts.js';
import type { Pooling } from './sentence/encoder-config.js';
import type { LengthBatchesOptions } from './sentence/length-batches.js';
import { loadSentenceEncoder, type SentenceEncoderOptions } from './sentence/sentence-encoder.js';
import { modelStamp } from './sentence/transformers.js';

export interface EmbedItemsOptions extends LsaOptions, SentenceEncoderOptions, LengthBatchesOptions {
  /** Data folder with `NAME.item.json`. */
  data: string;
  /** NAME of its files; default as in `loadDataset`. */
  dataset?: string;
  /** `lsa`, a folder with an ONNX model, or an id of the model hub. Default `lsa`. */
  encoder?: string;
  /** File to write; default `NAME.emb-ENCODER.npy` in the data folder. */
  embeddings?: string;
}

export interface EmbedReport {
  encoder: string;
  items: number;
  width: number;
  /** Items without a word: rows of zeros. */
  empty: number;
  embeddings: string;
  seconds: number;
  /** Of a sentence encoder: how it pooled, whether rows have length 1, its longest text. */
  pooling?: Pooling;
  normalize?: boolean;
  maxTokens?: number;
  /** Items whose text was longer and lost its end. */
  truncated?: number;
  /** Tokens of all different texts. */
  tokens?: number;
  /** Items that an earlier run, killed, had done. */
  resumed?: number;
}

/**
 * @throws InputError for an encoder that cannot be had, items that are missing or without any text, a batch that fails;
 *   nothing is written then but the rows that are done (`EMBEDDINGS.partial`, for the next run)
 */
export async function embedItems(options: EmbedItemsOptions): Promise<EmbedReport> {
  await ensureEngine();
  const start = performance.now();
  const { data, dataset = findName(options.data), encoder = 'lsa' } = options;
  const { embeddings = join(data, embeddingsName(dataset, encoder)) } = options;
  const items = readItems(join(data, `${dataset}.item.json`));
  const texts = items.map(({ title, description }) => `${title} ${description}`);
  const made = encoder === 'lsa' ? byLsa(texts, options) : await bySentences(encoder, texts, embeddings, options);
  const { vectors, finish, ...figures } = made;
  writeNpy(embeddings, vectors);
  finish();
  const seconds = (performance.now() - start) / 1000;
  return { encoder, items: vectors.rows, width: vectors.width, embeddings, seconds, ...figures };
}

/** `Toys`, `models/bge-small` -> `Toys.emb-bge-small.npy`; of an id the part behind the slash; dots become dashes. */
export function embeddingsName(dataset: string, encoder = 'lsa'): string {
  return `${dataset}.emb-${basename(encoder).replaceAll('.', '-')}.npy`;
}

function byLsa(texts: readonly string[], options: EmbedItemsOptions) {
  if (options.pooling !== undefined) {
    throw new InputError('embed: expected --pooling with a sentence encoder; lsa pools nothing');
  }
  const { vectors, empty } = lsa(texts, options);
  return { vectors, empty, finish: () => {} };
}

async function bySentences(name: string, texts: readonly string[], embeddings: string, options: EmbedItemsOptions) {
  if (options.width !== undefined) {
    throw new InputError(`embed: expected --width with lsa; the width of ${name} is its own`);
  }
  const encoder = await loadSentenceEncoder(name, options);
  try {
    const key = [modelStamp(name), options.dtype];
    const partial = `${embeddings}.partial`;
    const { vectors, finish, ...figures } = await encodeTexts(encoder, texts, { ...options, partial, key });
    const { pooling, normalize, maxTokens } = encoder;
    return { vectors, finish, pooling, normalize, maxTokens, ...figures };
  } finally {
    await encoder.close();
  }
}
