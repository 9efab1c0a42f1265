/**
 * Texts -> vectors by a sentence encoder: batches of like length, each row at its text's place.
 *
 * Follows MiniOneRec's text embedding with one repair: there a batch that fails is skipped and all later rows move up;
 * here it stops the run, and the rows before it are kept for the next run (`partial`). Equal texts are encoded once.
 *
 * Several processes plan the same batches and encode every so many of them each, so that rows are the same bits with any
 * number of them; process 0 gets all rows and keeps those that are done.
 *
 * Shapes: N texts, B of a batch, D width.
 */
import { createHash } from 'node:crypto';
import { first as byFirst, together } from '../../cluster/alone.js';
import type { Cluster } from '../../cluster/cluster.js';
import type { Vectors } from '../../files/npy.js';
import { InputError } from '../../support/errors.js';
import { startProgress } from '../../support/progress.js';
import { type LengthBatchesOptions } from '../embed-options.js';
import { lengthBatches } from './length-batches.js';
import { ResumeFile } from './resume-file.js';
import { RowCollector } from './row-collector.js';
import type { SentenceEncoder } from './sentence-encoder.js';

/** Options of `encodeTexts`. */
export interface EncodeTextsOptions extends LengthBatchesOptions {
  /** File for the rows that are done, removed by `finish`. Default none: a killed run starts over. */
  partial?: string;
  /** What else decides the vectors (the model's files): a partial file of another key is not used. */
  key?: unknown;
  /** Processes that share the batches. Default this one alone. */
  cluster?: Cluster | undefined;
}

/** Vectors of texts, and what encoding them met. */
export interface EncodedTexts {
  /** [N, D], row = text; in processes other than the first without data */
  vectors: Vectors;
  /** Texts that were longer than the model takes. */
  truncated: number;
  /** Texts without a token: rows of zeros. */
  empty: number;
  /** Tokens of all different texts. */
  tokens: number;
  /** Share of the tokens computed that was padding; 0 where everything was resumed. */
  padding: number;
  /** Rows that a killed run had left. */
  resumed: number;
  /** Removes the partial file: call it when the vectors are safe. */
  finish(): void;
}

/**
 * @throws InputError for no texts, and where a batch fails or gives numbers that are not finite: which items
 */
export async function encodeTexts(
  encoder: SentenceEncoder,
  texts: readonly string[],
  options: EncodeTextsOptions = {},
): Promise<EncodedTexts> {
  if (texts.length === 0) throw new InputError('embed: expected texts, got none; add items');
  const first = new Map<string, number>(); // text -> its first row
  texts.forEach((text, row) => first.has(text) || first.set(text, row));
  const from = texts.map((text) => first.get(text)!);
  const { ids, truncated } = encoder.tokenize([...first.keys()]);
  const idsOf = new Map([...first.values()].map((row, i) => [row, ids[i]!]));

  const { cluster } = options;
  const { rank, size } = cluster ?? { rank: 0, size: 1 };
  const target = new RowCollector(texts.length);
  const store = rank === 0 ? storeOf(encoder, texts, options) : undefined;
  const done = await byFirst(cluster, () => {
    store?.restore((row) => idsOf.has(row), target);
    return [...idsOf.keys()].filter((row) => target.has(row));
  });
  const resumed = done.length;
  const known = new Set(done);
  const open = [...idsOf.keys()].filter((row) => !known.has(row));
  const batches = lengthBatches(
    open.map((row) => idsOf.get(row)!.length),
    { batchSize: options.batchSize, tokenBudget: options.tokenBudget },
  ).map((batch) => batch.map((i) => open[i]!));
  const progress = startProgress('embed', texts.length, 'items');
  progress.tick(resumed);
  let [real, computed] = [0, 0];
  const encoded = (rows: readonly number[]) => encodeBatch(encoder, rows.map((row) => idsOf.get(row)!), rows); // prettier-ignore
  for (let at = 0; at < batches.length; at += size) {
    const mine = batches[at + rank];
    const own = await together(cluster, async () => (mine ? (await encoded(mine)).data : new Float32Array(0)));
    for (const [i, data] of (cluster ? cluster.floats(own) : [own]).entries()) {
      const rows = batches[at + i];
      if (!rows) continue;
      if (rank === 0) target.put({ rows, data }, data.length / rows.length);
      store?.add(rows, data);
      progress.tick(rows.length);
      const lengths = rows.map((row) => idsOf.get(row)!.length);
      real += lengths.reduce((sum, length) => sum + length, 0);
      computed += lengths.length * lengths[0]!;
    }
  }
  progress.end();
  return {
    vectors: rank === 0 ? target.finish(from) : { rows: texts.length, width: 0, data: new Float32Array(0) },
    truncated: from.filter((row) => truncated.has(idsOf.get(row)!)).length,
    empty: from.filter((row) => idsOf.get(row)!.length === 0).length,
    tokens: ids.reduce((sum, { length }) => sum + length, 0),
    padding: computed > 0 ? 1 - real / computed : 0,
    resumed,
    finish: () => store?.remove(),
  };
}

function storeOf(encoder: SentenceEncoder, texts: readonly string[], { partial, key }: EncodeTextsOptions) {
  if (partial === undefined) return undefined;
  const { pooling, normalize, maxTokens } = encoder;
  return new ResumeFile(partial, hashTexts([key, pooling, normalize, maxTokens], texts));
}

/** SHA-256 of `[...first, texts]` as JSON, text by text: a large catalogue's texts are more than a string holds. */
export function hashTexts(first: readonly unknown[], texts: readonly string[]): string {
  const hash = createHash('sha256').update(`${JSON.stringify(first).slice(0, -1)},[`);
  texts.forEach((text, i) => hash.update((i > 0 ? ',' : '') + JSON.stringify(text)));
  return hash.update(']]').digest('hex');
}

/** Encodes one batch; an error names the items that were in it. */
async function encodeBatch(encoder: SentenceEncoder, batch: readonly number[][], rows: readonly number[]) {
  const { length } = batch[0]!;
  const which = `items ${rows.slice(0, 8).join(', ')}${rows.length > 8 ? ', ...' : ''} (${rows.length} texts of up to ${length} tokens)`;
  try {
    const encoded = await encoder.encode(batch);
    const bad = encoded.data.findIndex((x) => !Number.isFinite(x));
    if (bad >= 0) {
      const row = rows[Math.floor(bad / encoded.width)];
      throw new InputError(
        `embed: ${encoder.name} gives item ${row} a number that is not finite; try the model's fp32 file`,
      );
    }
    return encoded;
  } catch (error) {
    if (error instanceof InputError) throw error;
    const reason = (error as Error).message.split('\n')[0];
    throw new InputError(
      `embed: ${encoder.name} failed on ${which}: ${reason}; nothing was written, a smaller --token-budget takes less memory`,
    );
  }
}
