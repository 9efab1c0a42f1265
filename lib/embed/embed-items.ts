/**
 * The `embed` stage: item texts of a data folder -> `NAME.emb-ENCODER.npy`, row = item id.
 *
 * Follows MiniOneRec's text of an item: title + " " + description (`item-texts.ts`).
 */
import { basename, join } from 'node:path';
import { first, together } from '../cluster/alone.js';
import { type Cluster, joinCluster } from '../cluster/cluster.js';
import { readItems } from '../data/item-file.js';
import { findName } from '../data/load.js';
import { InputError } from '../support/errors.js';
import { ensureEngine } from '../engine/engine.js';
import { checkTarget } from '../files/check-file.js';
import { writeNpy } from '../files/npy.js';
import { itemTexts } from './item-texts.js';
import { lsa } from './lsa/lsa.js';
import { encodeTexts, hashTexts } from './sentence/encode-texts.js';
import { loadSentenceEncoder } from './sentence/sentence-encoder.js';
import { modelStamp } from './sentence/transformers.js';
import { asFlag } from '../options/flags.js';
import {
  EMBED_OPTIONS,
  type EmbedItemsOptions,
  ITEM_TEXT_OPTIONS,
  type LengthBatchesOptions,
  type LsaOptions,
  type Pooling,
  SENTENCE_OPTIONS,
  type SentenceEncoderOptions,
} from './embed-options.js';

/** What `embedItems` gives back. */
export interface EmbedReport {
  /** `lsa`, or the sentence encoder's name. */
  encoder: string;
  /** Rows of the file. */
  items: number;
  /** Of the vectors. */
  width: number;
  /** Items without a word: rows of zeros. */
  empty: number;
  /** File that was written. */
  embeddings: string;
  /** Of the stage. */
  seconds: number;
  /** Of a sentence encoder: how it pooled, whether rows have length 1, its longest text. */
  pooling?: Pooling;
  /** Of a sentence encoder: whether rows have length 1. */
  normalize?: boolean;
  /** Of a sentence encoder: its longest text, in tokens. */
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
  const cluster = await joinCluster();
  if (!cluster) await ensureEngine();
  const start = performance.now();
  const settled = await together(cluster, () => {
    const {
      data,
      dataset = findName(data),
      encoder,
      embeddings: file,
      sidsOf,
      ...others
    } = EMBED_OPTIONS.parse(options);
    if (sidsOf !== undefined) checkUnread(options);
    const { cleanText, wordDropRatio, dropSeed, ...own } = others;
    const texts = itemTexts(readItems(join(data, `${dataset}.item.json`)), { cleanText, wordDropRatio, dropSeed });
    return { encoder, sidsOf, own, texts, embeddings: file ?? join(data, embeddingsName(dataset, encoder)) };
  });
  const { encoder, sidsOf, own, texts, embeddings } = settled;
  cluster?.expectSame({ encoder, sidsOf, ...own, texts: hashTexts([], texts) });
  if (cluster && (encoder === 'lsa' || sidsOf !== undefined)) {
    throw new InputError(
      'embed: expected one process for lsa and --sids-of, got several; start one, without TF_CONFIG',
    );
  }
  await first(cluster, () => checkTarget(embeddings, '--embeddings'));
  const made =
    sidsOf !== undefined
      ? await bySids(encoder, sidsOf, texts.length)
      : encoder === 'lsa'
        ? byLsa(texts, own)
        : await bySentences(encoder, texts, embeddings, own, cluster);
  const { vectors, finish, ...figures } = made;
  await first(cluster, () => {
    writeNpy(embeddings, vectors);
    finish();
  });
  const seconds = (performance.now() - start) / 1000;
  return { encoder, items: vectors.rows, width: vectors.width, embeddings, seconds, ...figures };
}

/** `Toys`, `models/bge-small` -> `Toys.emb-bge-small.npy`; of an id the part behind the slash; dots become dashes. */
export function embeddingsName(dataset: string, encoder = 'lsa'): string {
  return `${dataset}.emb-${basename(encoder).replaceAll('.', '-')}.npy`;
}

/** @throws InputError for an option of texts: with `sidsOf` none are read */
function checkUnread(options: EmbedItemsOptions): void {
  const ofTexts = Object.keys({ ...ITEM_TEXT_OPTIONS, ...SENTENCE_OPTIONS });
  const given = ofTexts.find((name) => (options as unknown as Record<string, unknown>)[name] !== undefined);
  if (given !== undefined)
    throw new InputError(`embed: ${asFlag(given)}: with --sids-of no text is read; leave it out`);
}

async function bySids(model: string, index: string, items: number) {
  if (model === 'lsa') throw new InputError('embed: expected --encoder to be a model folder beside --sids-of, got lsa');
  const { sidVectors } = await import('./sid-vectors.js');
  return { vectors: sidVectors(model, index, items), empty: 0, finish: () => {} };
}

function byLsa(texts: readonly string[], options: LsaOptions) {
  const { vectors, empty } = lsa(texts, options);
  return { vectors, empty, finish: () => {} };
}

async function bySentences(
  name: string,
  texts: readonly string[],
  embeddings: string,
  { batchSize, tokenBudget, ...options }: SentenceEncoderOptions & LengthBatchesOptions,
  cluster: Cluster | undefined,
) {
  const encoder = await together(cluster, () => loadSentenceEncoder(name, options));
  try {
    const key = [modelStamp(name), options.dtype];
    const partial = `${embeddings}.partial`;
    const made = await encodeTexts(encoder, texts, { batchSize, tokenBudget, partial, key, cluster });
    const { vectors, finish, ...figures } = made;
    const { pooling, normalize, maxTokens } = encoder;
    return { vectors, finish, pooling, normalize, maxTokens, ...figures };
  } finally {
    await encoder.close();
  }
}
