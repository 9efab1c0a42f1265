/**
 * Any sentence encoder in ONNX form: tokenizer, transformer, pooling as its own configuration says.
 *
 * Runs through Transformers.js on onnxruntime; a folder of safetensors without an ONNX file runs on the engine
 * (`hf/hf-encoder.ts`), and takes its tokenizer alone from there. A folder holds `config.json`, `tokenizer.json` and `onnx/model.onnx`
 * (the hub's own layout), and sentence-transformers' small files where the model comes from there. Departures from
 * Transformers.js' feature-extraction pipeline:
 *   1. pooling, scaling and longest text come from the model's files, not from the caller;
 *   2. texts are tokenized once, before the batches are made, and padded on the right up to the batch's own longest
 *      (for decoders such as Qwen3-Embedding too: causal attention does not see what follows);
 *   3. onnxruntime gets as many threads as there are processors, and they sleep while they wait, so that neighbours
 *      can compute.
 *
 * Shapes: B texts, T tokens of the longest, D width.
 */
import { availableParallelism } from 'node:os';
import { InputError } from '../../support/errors.js';
import { type EncoderConfig, readEncoderConfig } from './encoder-config.js';
import { poolTokens } from './pool-tokens.js';
import { loadTransformers, modelFolder, readModelJson } from './transformers.js';
import type { LibraryModel, LibraryTokenizer, TransformersLibrary } from './transformers-types.js';
import { omitOptions } from '../../options/derive.js';
import { defineOptions } from '../../options/schema.js';
import { SENTENCE_OPTIONS, type SentenceEncoderOptions } from '../embed-options.js';
import { isSafetensorsFolder, loadHiddenStates } from '../hf/hf-encoder.js';
import { largest } from '../../support/extremes.js';

const SCHEMA = defineOptions('embed', omitOptions(SENTENCE_OPTIONS, 'batchSize', 'tokenBudget'));

/** A sentence encoder: texts -> token ids -> vectors. */
export interface SentenceEncoder extends EncoderConfig {
  /** For reports and file names. */
  name: string;
  /** Ids that the tokenizer puts before and behind every text: [CLS] and [SEP], <s> and </s>, <|endoftext|>. */
  special: ReadonlySet<number>;
  /** Token ids of each text, truncated at `maxTokens`, and which of them were. */
  tokenize(texts: readonly string[]): { ids: number[][]; truncated: ReadonlySet<readonly number[]> };
  /** Token ids of a batch, the longest first -> rows [B * D] and D; the engine's own errors pass through. */
  encode(batch: readonly (readonly number[])[]): Promise<{ data: Float32Array; width: number }>;
  /**
   * The same batch -> a vector a token, of the last layer, neither pooled nor scaled [B * T * D], and D; what stands
   * behind a text's own tokens is padding.
   */
  encodeTokens(batch: readonly (readonly number[])[]): Promise<{ data: Float32Array; width: number }>;
  /** Frees the model. */
  close(): Promise<void>;
}

/**
 * @param source a folder, or an id of the model hub
 * @throws InputError if the package, the folder or one of its files is missing, or the options make no sense
 */
export async function loadSentenceEncoder(
  source: string,
  options: SentenceEncoderOptions = {},
): Promise<SentenceEncoder> {
  const { cutoffLen = 2048, dtype, threads = availableParallelism(), pooling } = SCHEMA.parse(options);
  checkSource(source);
  const library = await loadTransformers();
  const config = await readEncoderConfig(source, (file) => readModelJson(library, source, file), pooling);
  const folder = modelFolder(source);
  const where = { local_files_only: folder !== undefined };
  const from = folder ?? source;
  const extra = { session: { intra_op: { allow_spinning: '0' } } };
  const session = { intraOpNumThreads: threads, interOpNumThreads: 1, extra };
  const states =
    folder !== undefined && isSafetensorsFolder(folder) ? await loadHiddenStates(folder, dtype) : undefined;
  const [tokenizer, model] = await loading(source, async () => [
    await library.AutoTokenizer.from_pretrained(from, where),
    states ??
      (await library.AutoModel.from_pretrained(from, { ...where, dtype, device: 'cpu', session_options: session })),
  ]);
  const maxTokens = Math.min(cutoffLen, config.maxTokens);
  const ends = specialEnds(tokenizer);
  const encodeTokens: SentenceEncoder['encodeTokens'] = (batch) =>
    'hidden' in model
      ? Promise.resolve({ data: model.hidden(batch), width: model.width })
      : forward(library.Tensor, model, batch);
  return {
    name: source,
    ...config,
    maxTokens,
    special: new Set([...ends.head, ...ends.tail]),
    tokenize: (texts) => tokenize(tokenizer, texts, maxTokens, ends.tail),
    encode: async (batch) => {
      const { data, width } = await encodeTokens(batch);
      const lengths = batch.map((ids) => ids.length);
      return { data: poolTokens(data, lengths, width, config), width };
    },
    encodeTokens,
    close: async () => void (await model.dispose()),
  };
}

/** What is plainly a path, and no folder, is not asked of the hub. */
function checkSource(source: string): void {
  if (modelFolder(source) !== undefined) return;
  if (!/^[\w-][\w.-]*\/[\w.-]+$/.test(source)) {
    throw new InputError(
      `embed: expected --encoder lsa, a folder with config.json, tokenizer.json and onnx/model.onnx, or an id such as BAAI/bge-small-en-v1.5, got ${source}`,
    );
  }
}

async function loading<T>(source: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const reason = (error as Error).message.split('\n')[0];
    throw new InputError(
      `${source}: cannot be loaded as an encoder (${reason}); it needs config.json, tokenizer.json and onnx/model.onnx`,
    );
  }
}

/** Texts longer than `max` lose their end, and keep the special tokens behind it, the `tail`. */
function tokenize(tokenizer: LibraryTokenizer, texts: readonly string[], max: number, tail: readonly number[]) {
  if (max <= tail.length) {
    throw new InputError(`embed: expected --cutoff-len above ${tail.length}, the special tokens of a text, got ${max}`);
  }
  const truncated = new Set<readonly number[]>();
  const ids = texts.map((text) => {
    const all = tokenizer.encode(text);
    if (all.length <= max) return all;
    const cut = [...all.slice(0, max - tail.length), ...tail];
    truncated.add(cut);
    return cut;
  });
  return { ids, truncated };
}

/**
 * What the tokenizer puts before every text ([CLS], <s>) and behind it ([SEP], </s>, <|endoftext|>). Its own truncation
 * cuts the latter off too.
 */
function specialEnds(tokenizer: LibraryTokenizer): { head: number[]; tail: number[] } {
  const [all, plain] = [tokenizer.encode('a'), tokenizer.encode('a', { add_special_tokens: false })];
  for (let start = 0; start + plain.length <= all.length; start++) {
    if (plain.length > 0 && plain.every((id, i) => all[start + i] === id)) {
      return { head: all.slice(0, start), tail: all.slice(start + plain.length) };
    }
  }
  return { head: [], tail: [] };
}

/** Token ids -> last hidden state [B * T * D]. */
async function forward(
  TensorOf: TransformersLibrary['Tensor'],
  model: LibraryModel,
  batch: readonly (readonly number[])[],
) {
  const tokens = largest(
    batch.map((ids) => ids.length),
    1,
  );
  const ids = new BigInt64Array(batch.length * tokens); // the padding is token 0: the mask hides it, whatever it is
  const mask = new BigInt64Array(batch.length * tokens);
  batch.forEach((row, b) => {
    row.forEach((id, t) => (ids[b * tokens + t] = BigInt(id)));
    mask.fill(1n, b * tokens, b * tokens + row.length);
  });
  const shape = [batch.length, tokens];
  const outputs = await model({
    input_ids: new TensorOf('int64', ids, shape),
    attention_mask: new TensorOf('int64', mask, shape),
    token_type_ids: new TensorOf('int64', new BigInt64Array(ids.length), shape),
  });
  const hidden = outputs.last_hidden_state ?? outputs.token_embeddings;
  if (hidden?.dims.length !== 3 || hidden.dims[0] !== batch.length || hidden.dims[1] !== tokens) {
    const found = Object.entries(outputs).map(([name, tensor]) => `${name} [${tensor?.dims.join(', ')}]`);
    throw new InputError(
      `embed: expected last_hidden_state [${batch.length}, ${tokens}, width] of the model, got ${found.join(', ')}; export it for feature extraction`,
    );
  }
  return { data: hidden.data as Float32Array, width: hidden.dims[2]! };
}
