/**
 * The `embed` stage: item texts of a data folder -> `NAME.emb-ENCODER.npy`, row = item id.
 *
 * Follows MiniOneRec's text of an item: title + " " + description.
 */
import { join } from 'node:path';
import { findName } from '../data/load.js';
import { readItems } from '../data/item-file.js';
import { InputError } from '../support/errors.js';
import { lsa, type LsaOptions } from './lsa.js';
import { writeNpy } from './npy.js';

export const ENCODERS = ['lsa'] as const;
export type EncoderName = (typeof ENCODERS)[number];

export interface EmbedItemsOptions extends LsaOptions {
  /** Data folder with `NAME.item.json`. */
  data: string;
  /** NAME of its files; default as in `loadDataset`. */
  dataset?: string;
  /** Default `lsa`. */
  encoder?: EncoderName;
  /** File to write; default `NAME.emb-ENCODER.npy` in the data folder. */
  embeddings?: string;
}

export interface EmbedReport {
  encoder: EncoderName;
  items: number;
  width: number;
  /** Items without a word: rows of zeros. */
  empty: number;
  embeddings: string;
  seconds: number;
}

/** @throws InputError for an unknown encoder, items that are missing or without any text; nothing is written then */
export function embedItems(options: EmbedItemsOptions): EmbedReport {
  const start = performance.now();
  const { data, dataset = findName(options.data), encoder = 'lsa' } = options;
  const { embeddings = join(data, `${dataset}.emb-${encoder}.npy`) } = options;
  if (!ENCODERS.includes(encoder)) {
    throw new InputError(`embed: expected --encoder ${ENCODERS.join(', ')}, got ${String(encoder)}`);
  }
  const items = readItems(join(data, `${dataset}.item.json`));
  const { vectors, empty } = lsa(
    items.map(({ title, description }) => `${title} ${description}`),
    options,
  );
  writeNpy(embeddings, vectors);
  const seconds = (performance.now() - start) / 1000;
  return { encoder, items: vectors.rows, width: vectors.width, empty, embeddings, seconds };
}
