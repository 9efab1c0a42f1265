/**
 * The shape of a decoder, as Hugging Face's `config.json` says it: Qwen2 and 2.5 (arXiv 2407.10671), Qwen3
 * (arXiv 2505.09388), Llama 3.x (arXiv 2407.21783). They differ in three things: biases of q, k and v (Qwen2), norms of
 * every head's q and k (Qwen3), stretched rotary frequencies (Llama 3.1 and later).
 */
import { InputError } from '../support/errors.js';

export const ARCHITECTURES = ['qwen2', 'qwen3', 'llama'] as const;
export type Architecture = (typeof ARCHITECTURES)[number];

export interface ModelConfig {
  architecture: Architecture;
  vocabSize: number;
  /** D */
  width: number;
  layers: number;
  /** H */
  heads: number;
  /** Hk: heads of keys and values, a divisor of `heads`. */
  keyHeads: number;
  headDim: number;
  /** F: width of the feed-forward layer. */
  feedForward: number;
  normEpsilon: number;
  ropeTheta: number;
  /** Llama 3.1's stretching of the slow frequencies, where there is one. */
  ropeScaling?: RopeScaling;
  /** The output layer is the embedding table. */
  tied: boolean;
  maxPositions: number;
  /** End of text. */
  eosTokenId: number;
}

export interface RopeScaling {
  factor: number;
  lowFreqFactor: number;
  highFreqFactor: number;
  originalMaxPositions: number;
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
  hidden_act?: string;
  use_sliding_window?: boolean;
  attention_bias?: boolean;
  tie_word_embeddings?: boolean;
  max_position_embeddings?: number;
  eos_token_id?: number | number[] | null;
}

/** @param source the file, for the error's text */
export function parseConfig(raw: unknown, source: string): ModelConfig {
  const hf = raw as HfConfig;
  const architecture = ARCHITECTURES.find((name) => name === hf.model_type);
  if (!architecture) {
    throw new InputError(
      `${source}: expected model_type to be one of ${ARCHITECTURES.join(', ')}, got ${hf.model_type}`,
    );
  }
  refuseUnknown(hf, architecture, source);
  const sizes = ['vocab_size', 'hidden_size', 'num_hidden_layers', 'num_attention_heads', 'intermediate_size'] as const;
  for (const name of sizes) {
    if (!Number.isInteger(hf[name]) || hf[name] < 1) {
      throw new InputError(`${source}: expected ${name} to be a positive integer, got ${hf[name]}`);
    }
  }
  const keyHeads = hf.num_key_value_heads ?? hf.num_attention_heads;
  if (hf.num_attention_heads % keyHeads !== 0) {
    throw new InputError(`${source}: num_attention_heads ${hf.num_attention_heads} is no multiple of ${keyHeads}`);
  }
  const rope = hf.rope_parameters ?? hf.rope_scaling ?? {};
  const ropeScaling = parseScaling(rope, source);
  return {
    architecture,
    vocabSize: hf.vocab_size,
    width: hf.hidden_size,
    layers: hf.num_hidden_layers,
    heads: hf.num_attention_heads,
    keyHeads,
    headDim: hf.head_dim ?? hf.hidden_size / hf.num_attention_heads,
    feedForward: hf.intermediate_size,
    normEpsilon: hf.rms_norm_eps ?? 1e-6,
    ropeTheta: hf.rope_theta ?? rope.rope_theta ?? 10_000,
    ...(ropeScaling && { ropeScaling }),
    tied: hf.tie_word_embeddings ?? false,
    maxPositions: hf.max_position_embeddings ?? 32_768,
    eosTokenId: (Array.isArray(hf.eos_token_id) ? hf.eos_token_id[0] : hf.eos_token_id) ?? 0,
  };
}

/** What this decoder does not compute is refused, not passed over. */
function refuseUnknown(hf: HfConfig, architecture: Architecture, source: string): void {
  if ((hf.hidden_act ?? 'silu') !== 'silu')
    throw new InputError(`${source}: expected hidden_act silu, got ${hf.hidden_act}`);
  if (hf.use_sliding_window) throw new InputError(`${source}: use_sliding_window is not supported; set it to false`);
  if (hf.attention_bias && architecture !== 'qwen2') {
    throw new InputError(`${source}: attention_bias is not supported for ${architecture}`);
  }
}

function parseScaling(rope: HfRope, source: string): RopeScaling | undefined {
  const type = rope.rope_type ?? rope.type ?? 'default';
  if (type === 'default') return undefined;
  if (type !== 'llama3') throw new InputError(`${source}: expected rope_type default or llama3, got ${type}`);
  const { factor, low_freq_factor: low, high_freq_factor: high, original_max_position_embeddings: original } = rope;
  if (!factor || !low || !high || !original)
    throw new InputError(`${source}: rope_type llama3 lacks one of its factors`);
  return { factor, lowFreqFactor: low, highFreqFactor: high, originalMaxPositions: original };
}

const CLASSES = { qwen2: 'Qwen2ForCausalLM', qwen3: 'Qwen3ForCausalLM', llama: 'LlamaForCausalLM' } as const;

/** `config.json` that Python's transformers loads. */
export function toHfConfig(config: ModelConfig): HfConfig & Record<string, unknown> {
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
    eos_token_id: config.eosTokenId,
    bos_token_id: null,
    attention_dropout: 0,
    ...(config.architecture === 'qwen2' ? { use_sliding_window: false } : { attention_bias: false }),
    torch_dtype: 'float32',
  };
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
