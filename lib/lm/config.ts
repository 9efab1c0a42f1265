/**
 * The shape of a decoder, as Hugging Face's `config.json` says it (Qwen2; Qwen2 technical report, arXiv 2407.10671).
 */
import { InputError } from '../support/index.js';

export interface ModelConfig {
  architecture: 'qwen2';
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
  /** The output layer is the embedding table. */
  tied: boolean;
  maxPositions: number;
  /** End of text. */
  eosTokenId: number;
}

/** Hugging Face's names. */
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
  rope_parameters?: { rope_theta?: number };
  tie_word_embeddings?: boolean;
  max_position_embeddings?: number;
  eos_token_id?: number | number[] | null;
}

/** @param source the file, for the error's text */
export function parseConfig(raw: unknown, source: string): ModelConfig {
  const hf = raw as HfConfig;
  if (hf.model_type !== 'qwen2') {
    throw new InputError(`${source}: expected model_type qwen2, got ${hf.model_type}; other architectures come later`);
  }
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
  return {
    architecture: 'qwen2',
    vocabSize: hf.vocab_size,
    width: hf.hidden_size,
    layers: hf.num_hidden_layers,
    heads: hf.num_attention_heads,
    keyHeads,
    headDim: hf.head_dim ?? hf.hidden_size / hf.num_attention_heads,
    feedForward: hf.intermediate_size,
    normEpsilon: hf.rms_norm_eps ?? 1e-6,
    ropeTheta: hf.rope_theta ?? hf.rope_parameters?.rope_theta ?? 10_000,
    tied: hf.tie_word_embeddings ?? false,
    maxPositions: hf.max_position_embeddings ?? 32_768,
    eosTokenId: (Array.isArray(hf.eos_token_id) ? hf.eos_token_id[0] : hf.eos_token_id) ?? 0,
  };
}

/** `config.json` that Python's transformers loads. */
export function toHfConfig(config: ModelConfig): HfConfig & Record<string, unknown> {
  return {
    architectures: ['Qwen2ForCausalLM'],
    model_type: 'qwen2',
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
    tie_word_embeddings: config.tied,
    max_position_embeddings: config.maxPositions,
    eos_token_id: config.eosTokenId,
    bos_token_id: null,
    attention_dropout: 0,
    use_sliding_window: false,
    torch_dtype: 'float32',
  };
}

/**
 * A small decoder by its shape: `qwen2:128x4` is width 128, 4 layers; heads of 32, gated feed-forward of 8/3 x width
 * (rounded down to a multiple of 32, at least 32), embeddings tied.
 */
export function parseShape(shape: string, vocabSize: number, eosTokenId: number): ModelConfig {
  const match = /^qwen2:(\d+)x(\d+)$/.exec(shape);
  const [width, layers] = [Number(match?.[1]), Number(match?.[2])];
  if (!match || width < 32 || width % 32 !== 0 || layers < 1) {
    throw new InputError(
      `--model: expected a folder, or a shape such as qwen2:128x4 (width a multiple of 32), got ${shape}`,
    );
  }
  return {
    architecture: 'qwen2',
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
