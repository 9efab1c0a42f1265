/**
 * The tokenizer of a GGUF file as the files that a Hugging Face folder has: `tokenizer.json` and
 * `tokenizer_config.json`, the chat template in it.
 *
 * GGUF tells a byte-level BPE's vocabulary and merges, and names what cuts a text into words before it
 * (`tokenizer.ggml.pre`); those of the architectures that are computed here are known (llama.cpp's `llama-vocab.cpp`).
 * SentencePiece's are refused.
 */
import { type GgufFile, withGguf } from '../../files/gguf/gguf-file.js';
import { InputError } from '../../support/errors.js';

const byteLevel = (use_regex: boolean): object => ({
  type: 'ByteLevel',
  add_prefix_space: false,
  trim_offsets: true,
  use_regex,
});

/** Words of Llama 3 and Qwen, which differ in how many digits stay together. */
function splitWords(digits: string): object {
  const words = String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|${digits}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;
  const split = { type: 'Split', pattern: { Regex: words }, behavior: 'Isolated', invert: false };
  return { type: 'Sequence', pretokenizers: [split, byteLevel(false)] };
}

const digitsApart = { type: 'Sequence', pretokenizers: [{ type: 'Digits', individual_digits: true }, byteLevel(true)] };
const llama3 = { pre_tokenizer: splitWords(String.raw`\p{N}{1,3}`), ignore_merges: true, begins: true };

interface Words {
  pre_tokenizer: object;
  /** A word that is a token is not cut, whatever the merges say. */
  ignore_merges?: boolean;
  /** Unicode's composed form first. */
  composed?: boolean;
  /** Whether a text begins with a token of its own where the file does not say. */
  begins?: boolean;
}

/** By `tokenizer.ggml.pre`. */
const WORDS: Readonly<Record<string, Words>> = {
  'gpt-2': { pre_tokenizer: byteLevel(true) },
  smollm: { pre_tokenizer: digitsApart },
  qwen2: { pre_tokenizer: splitWords(String.raw`\p{N}`), composed: true },
  'llama-bpe': llama3,
  'llama-v3': llama3,
  llama3: llama3,
};

/** `tokenizer.ggml.token_type`: control tokens, those of a user, and places that nothing is at. */
const [CONTROL, OF_USER, UNUSED] = [3, 4, 5];

const FILES: Readonly<Record<string, (file: GgufFile, tokens: readonly string[]) => object>> = {
  'tokenizer.json': tokenizerJson,
  'tokenizer_config.json': tokenizerConfig,
};

/**
 * @param name of a file of a Hugging Face folder
 * @returns its text; undefined for a name that is not one of the tokenizer's two
 * @throws InputError for a file that is missing or damaged, or whose tokenizer is not read
 */
export function ggufTokenizerText(path: string, name: string): string | undefined {
  const make = Object.hasOwn(FILES, name) ? FILES[name] : undefined;
  return make && withGguf(path, (file) => JSON.stringify(make(file, list(file, 'tokens', 'string') as string[])));
}

function tokenizerJson(file: GgufFile, tokens: readonly string[]): object {
  const words = wordsOf(file);
  const types = list(file, 'token_type', 'number') as number[];
  if (types.length !== tokens.length) {
    throw new InputError(`${file.path}: ${tokens.length} tokens of ${types.length} types; the file is damaged`);
  }
  const kept = tokens.map((content, id) => ({ content, id })).filter(({ id }) => types[id] !== UNUSED);
  const added = kept.filter(({ id }) => types[id] === CONTROL || types[id] === OF_USER);
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added.map(({ content, id }) => ({
      ...{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false },
      special: types[id] === CONTROL,
    })),
    normalizer: words.composed ? { type: 'NFC' } : null,
    pre_tokenizer: words.pre_tokenizer,
    post_processor: beginning(file, tokens, words),
    decoder: byteLevel(true),
    model: {
      ...{ type: 'BPE', dropout: null, unk_token: null, continuing_subword_prefix: null, end_of_word_suffix: null },
      ...{ fuse_unk: false, byte_fallback: false, ignore_merges: words.ignore_merges ?? false },
      vocab: Object.fromEntries(kept.map(({ content, id }) => [content, id])),
      merges: list(file, 'merges', 'string'),
    },
  };
}

function wordsOf(file: GgufFile): Words {
  const [model, pre] = ['model', 'pre'].map((name) => file.value(`tokenizer.ggml.${name}`));
  if (model !== 'gpt2') {
    throw new InputError(
      `${file.path}: expected a byte-level tokenizer (gpt2), got ${String(model)}; take the model's Hugging Face folder`,
    );
  }
  if (typeof pre === 'string' && Object.hasOwn(WORDS, pre)) return WORDS[pre]!;
  throw new InputError(
    `${file.path}: expected tokenizer.ggml.pre to be one of ${Object.keys(WORDS).join(', ')}, got ${String(pre)}; take the model's Hugging Face folder`,
  );
}

/** What puts the begin of text before a text, where the file asks for it. */
function beginning(file: GgufFile, tokens: readonly string[], { begins = false }: Words): object | null {
  const [asked, id] = [file.value('tokenizer.ggml.add_bos_token') ?? begins, file.value('tokenizer.ggml.bos_token_id')];
  if (!asked || typeof id !== 'number') return null;
  const token = tokens[id]!;
  const first = { SpecialToken: { id: token, type_id: 0 } };
  const [one, other] = ['A', 'B'].map((sequence, type_id) => ({ Sequence: { id: sequence, type_id } }));
  return {
    type: 'TemplateProcessing',
    single: [first, one],
    pair: [first, one, other],
    special_tokens: { [token]: { id: token, ids: [id], tokens: [token] } },
  };
}

function tokenizerConfig(file: GgufFile, tokens: readonly string[]): object {
  const named = (name: string): string | undefined => {
    const id = file.value(`tokenizer.ggml.${name}_token_id`);
    return typeof id === 'number' ? tokens[id] : undefined;
  };
  const found = { bos_token: named('bos'), eos_token: named('eos'), pad_token: named('padding') };
  return {
    tokenizer_class: 'PreTrainedTokenizerFast',
    clean_up_tokenization_spaces: false,
    ...Object.fromEntries(Object.entries(found).filter(([, token]) => token !== undefined)),
    ...(file.value('tokenizer.chat_template') !== undefined && {
      chat_template: file.value('tokenizer.chat_template'),
    }),
  };
}

/** A list of the tokenizer's, all of one kind. */
function list(file: GgufFile, name: string, kind: 'string' | 'number'): unknown[] {
  const value = file.value(`tokenizer.ggml.${name}`);
  if (Array.isArray(value) && value.every((entry) => typeof entry === kind)) return value;
  throw new InputError(`${file.path}: no tokenizer.ggml.${name}; take a file with its tokenizer`);
}
