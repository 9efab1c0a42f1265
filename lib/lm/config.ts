/**
 * The shape of a decoder, as Hugging Face's `config.json` says it: Qwen2 and 2.5 (arXiv 2407.10671), Qwen3
 * (arXiv 2505.09388), Llama 3.x (arXiv 2407.21783). They differ in three things: biases of q, k and v (Qwen2), norms of
 * every head's q and k (Qwen3), stretched rotary frequencies (Llama 3.1 and later).
 */
import type { Precision } from '../ops/precision.js';
import { InputError } from '../support/errors.js';
import { headWidth, refuseUnsupported } from './config-fields.js';
import { type Architecture, ARCHITECTURES } from './choices.js';

/** The shape of a decoder. */
export interface ModelConfig {
  /** Which family's conventions hold. */
  architecture: Architecture;
  /** V: rows of the embedding table. */
  vocabSize: number;
  /** D */
  width: number;
  /** Decoder layers. */
  layers: number;
  /** H */
  heads: number;
  /** Hk: heads of keys and values, a divisor of `heads`. */
  keyHeads: number;
  /** d: width of a head, even. */
  headDim: number;
  /** F: width of the feed-forward layer. */
  feedForward: number;
  /** Added to the mean square in every RMSNorm. */
  normEpsilon: number;
  /** Base of the rotary frequencies. */
  ropeTheta: number;
  /** Llama 3.1's stretching of the slow frequencies, where there is one. */
  ropeScaling?: RopeScaling;
  /** The output layer is the embedding table. */
  tied: boolean;
  /** Tokens of a text at most. */
  maxPositions: number;
  /** End of text, the first of them where there are several; -1 where the folder names none. */
  eosTokenId: number;
  /** All tokens that end a text, where there are several: an instruct model has one of a turn beside that of a text. */
  eosTokenIds?: readonly number[];
  /** Of its large products; not of the file but of how it is used here. Default float32. */
  precision?: Precision;
}

/** Llama 3.1's stretching of the slow rotary frequencies; names and meaning are those of `rope_type` llama3. */
export interface RopeScaling {
  /** The slow frequencies are divided by it. */
  factor: number;
  /** Frequencies with fewer turns over the original positions are slow. */
  lowFreqFactor: number;
  /** Frequencies with more turns stay as they are. */
  highFreqFactor: number;
  /** Positions of the first training. */
  originalMaxPositions: number;
}

/** Tokens that end a text, `eosTokenId` first; none where the model's folder names none. */
export function endTokensOf({ eosTokenId, eosTokenIds }: ModelConfig): number[] {
  return [...new Set([eosTokenId, ...(eosTokenIds ?? [])])].filter((id) => id >= 0);
}

/** Hugging Face's names. */
interface HfRope {
  rope_type?: string;
  type?: string;
  rope_theta?: number;
  factor?: number;
  low_freq_factor?: number;
  high_freq_factor?: number;
  original_max_position_embeddings?: number;
  partial_rotary_factor?: number;
}

interface HfConfig {
  model_type?: string;
  architectures?: string[];
  vocab_size: number;
  hidden_size: number;
  num_hidden_layers: number;
  num_attention_heads: number;
  num_key_value_heads?: number;
  head_dim?: number;
  intermediate_size: number;
  rms_norm_eps?: number;
  rope_theta?: number;
  /** transformers 5; earlier ones have `rope_theta` and `rope_scaling`. */
  rope_parameters?: HfRope | null;
  rope_scaling?: HfRope | null;
  tie_word_embeddings?: boolean;
  max_position_embeddings?: number;
  eos_token_id?: number | number[] | null;
}

/** The positions of a configuration that does not give them, as transformers has them. */
const MAX_POSITIONS = { qwen2: 32_768, qwen3: 32_768, llama: 2048 } as const;

/**
 * @param raw of `config.json`
 * @param source the file, for the error's text
 * @param generation `generation_config.json`, whose end tokens count too
 * @throws InputError that names the field for what is missing, out of range or not computed here
 */
export function parseConfig(raw: unknown, source: string, generation?: unknown): ModelConfig {
  if (!isObject(raw)) throw new InputError(`${source}: expected an object, got ${JSON.stringify(raw)}`);
  const hf = raw as unknown as HfConfig;
  const architecture = ARCHITECTURES.find((name) => name === hf.model_type);
  if (!architecture) {
    throw new InputError(
      `${source}: expected model_type to be one of ${ARCHITECTURES.join(', ')}, got ${hf.model_type}`,
    );
  }
  refuseUnsupported(raw, architecture, source);
  const { heads, keyHeads, headDim } = parseHeads(hf, raw, source);
  const rope = ropeOf(hf, source);
  const ropeScaling = parseScaling(rope, source);
  const ends = endTokens(raw, generation, source);
  return {
    architecture,
    vocabSize: positiveInteger(hf.vocab_size, 'vocab_size', source),
    width: hf.hidden_size,
    layers: positiveInteger(hf.num_hidden_layers, 'num_hidden_layers', source),
    heads,
    keyHeads,
    headDim,
    feedForward: positiveInteger(hf.intermediate_size, 'intermediate_size', source),
    normEpsilon: positive(hf.rms_norm_eps ?? 1e-6, 'rms_norm_eps', source),
    ropeTheta: positive(rope.rope_theta ?? hf.rope_theta ?? 10_000, 'rope_theta', source),
    ...(ropeScaling && { ropeScaling }),
    tied: hf.tie_word_embeddings ?? false,
    maxPositions: positiveInteger(
      hf.max_position_embeddings ?? MAX_POSITIONS[architecture],
      'max_position_embeddings',
      source,
    ),
    eosTokenId: ends[0] ?? -1,
    ...(ends.length > 1 && { eosTokenIds: ends }),
  };
}

function parseHeads(
  hf: HfConfig,
  raw: Record<string, unknown>,
  source: string,
): Pick<ModelConfig, 'heads' | 'keyHeads' | 'headDim'> {
  positiveInteger(hf.hidden_size, 'hidden_size', source);
  const heads = positiveInteger(hf.num_attention_heads, 'num_attention_heads', source);
  const keyHeads = positiveInteger(hf.num_key_value_heads ?? heads, 'num_key_value_heads', source);
  if (heads % keyHeads !== 0) {
    throw new InputError(`${source}: num_attention_heads ${heads} is no multiple of num_key_value_heads ${keyHeads}`);
  }
  const headDim = positiveInteger(headWidth(raw), 'head_dim (or hidden_size / num_attention_heads)', source);
  if (headDim % 2 !== 0) throw new InputError(`${source}: expected head_dim to be even, got ${headDim}`);
  return { heads, keyHeads, headDim };
}

function positive(value: unknown, name: string, source: string): number {
  if (typeof value === 'number' && Number.isFinite(value) && value > 0) return value;
  throw new InputError(`${source}: expected ${name} to be a positive number, got ${JSON.stringify(value)}`);
}

function positiveInteger(value: unknown, name: string, source: string): number {
  if (Number.isInteger(value) && (value as number) > 0) return value as number;
  throw new InputError(`${source}: expected ${name} to be a positive integer, got ${JSON.stringify(value)}`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Those of `config.json`, then those that `generation_config.json` adds. */
function endTokens(raw: Record<string, unknown>, generation: unknown, source: string): number[] {
  const named = [raw.eos_token_id, isObject(generation) ? generation.eos_token_id : undefined];
  const ids = named.flat().filter((id) => id !== undefined && id !== null);
  const odd = ids.find((id) => !Number.isSafeInteger(id) || (id as number) < 0);
  if (odd !== undefined) {
    throw new InputError(`${source}: expected eos_token_id to be token ids, got ${JSON.stringify(odd)}`);
  }
  return [...new Set(ids as number[])];
}

/** The rotary embedding's fields under either of their names. @throws InputError where the two disagree */
function ropeOf(hf: HfConfig, source: string): HfRope {
  const { rope_parameters: parameters, rope_scaling: scaling } = hf;
  if (parameters && scaling && JSON.stringify(parameters) !== JSON.stringify(scaling)) {
    throw new InputError(`${source}: rope_parameters and rope_scaling say different things; remove one of them`);
  }
  const rope = parameters ?? scaling ?? {};
  if (!isObject(rope)) throw new InputError(`${source}: expected rope_scaling to be an object`);
  if (rope.rope_theta !== undefined && hf.rope_theta !== undefined && rope.rope_theta !== hf.rope_theta) {
    throw new InputError(
      `${source}: rope_theta is ${hf.rope_theta}, and ${String(rope.rope_theta)} in the rotary parameters; remove one of them`,
    );
  }
  return rope;
}

/** Fields of `rope_type` default, linear (of factor 1, which is the same) and llama3. */
const ROPE_FIELDS = new Set([
  ...['rope_type', 'type', 'rope_theta', 'factor', 'low_freq_factor', 'high_freq_factor'],
  ...['original_max_position_embeddings', 'partial_rotary_factor'],
]);

function parseScaling(rope: HfRope, source: string): RopeScaling | undefined {
  const type = rope.rope_type ?? rope.type ?? 'default';
  const odd = Object.entries(rope).find(([field, value]) => !ROPE_FIELDS.has(field) && value !== null)?.[0];
  const plain = type === 'default' || (type === 'linear' && rope.factor === 1);
  if (!plain && type !== 'llama3') {
    throw new InputError(`${source}: expected rope_type default or llama3, got ${type}; take another model`);
  }
  if (odd !== undefined) throw new InputError(`${source}: rotary embedding's ${odd} is not supported`);
  if ((rope.partial_rotary_factor ?? 1) !== 1) {
    throw new InputError(`${source}: partial_rotary_factor ${rope.partial_rotary_factor} is not supported`);
  }
  if (plain) return undefined;
  const { factor, low_freq_factor: low, high_freq_factor: high, original_max_position_embeddings: original } = rope;
  return {
    factor: positive(factor, 'factor of rope_type llama3', source),
    lowFreqFactor: positive(low, 'low_freq_factor of rope_type llama3', source),
    highFreqFactor: positive(high, 'high_freq_factor of rope_type llama3', source),
    originalMaxPositions: positive(original, 'original_max_position_embeddings of rope_type llama3', source),
  };
}

const CLASSES = { qwen2: 'Qwen2ForCausalLM', qwen3: 'Qwen3ForCausalLM', llama: 'LlamaForCausalLM' } as const;

/** `config.json` that Python's transformers loads. */
export function toHfConfig(config: ModelConfig, dtype: Precision = 'float32'): HfConfig & Record<string, unknown> {
  return {
    architectures: [CLASSES[config.architecture]],
    model_type: config.architecture,
    vocab_size: config.vocabSize,
    hidden_size: config.width,
    num_hidden_layers: config.layers,
    num_attention_heads: config.heads,
    num_key_value_heads: config.keyHeads,
    head_dim: config.headDim,
    intermediate_size: config.feedForward,
    hidden_act: 'silu',
    rms_norm_eps: config.normEpsilon,
    rope_theta: config.ropeTheta,
    ...(config.ropeScaling && {
      rope_scaling: {
        rope_type: 'llama3',
        factor: config.ropeScaling.factor,
        low_freq_factor: config.ropeScaling.lowFreqFactor,
        high_freq_factor: config.ropeScaling.highFreqFactor,
        original_max_position_embeddings: config.ropeScaling.originalMaxPositions,
      },
    }),
    tie_word_embeddings: config.tied,
    max_position_embeddings: config.maxPositions,
    eos_token_id: savedEnds(config),
    bos_token_id: null,
    attention_dropout: 0,
    ...(config.architecture === 'qwen2' ? { use_sliding_window: false } : { attention_bias: false }),
    torch_dtype: dtype,
  };
}

/** As transformers has it: null, an id, or a list, the main one first. */
function savedEnds(config: ModelConfig): number | number[] | null {
  const ends = endTokensOf(config);
  return ends.length > 1 ? ends : (ends[0] ?? null);
}

/**
 * A small decoder by its shape: `qwen2:128x4` is width 128, 4 layers (`qwen3:`, `llama:` likewise); heads of 32, gated feed-forward of 8/3 x width
 * (rounded down to a multiple of 32, at least 32), embeddings tied.
 */
export function parseShape(shape: string, vocabSize: number, eosTokenId: number): ModelConfig {
  const match = /^(qwen2|qwen3|llama):(\d+)x(\d+)$/.exec(shape);
  const [width, layers] = [Number(match?.[2]), Number(match?.[3])];
  if (!match || width < 32 || width % 32 !== 0 || layers < 1) {
    throw new InputError(
      `--model: expected a folder, or a shape such as qwen2:128x4 (width a multiple of 32), got ${shape}`,
    );
  }
  return {
    architecture: match[1] as Architecture,
    vocabSize,
    width,
    layers,
    heads: width / 32,
    keyHeads: width / 32,
    headDim: 32,
    feedForward: Math.floor((width * 8) / 3 / 32) * 32,
    normEpsilon: 1e-6,
    ropeTheta: 10_000,
    tied: true,
    maxPositions: 2048,
    eosTokenId,
  };
}
