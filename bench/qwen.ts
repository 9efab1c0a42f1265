/** The shape of the large benchmarks. */

/** Qwen2.5-0.5B's `config.json`, what of it matters here. */
const QWEN = {
  model_type: 'qwen2',
  vocab_size: 151_936,
  hidden_size: 896,
  intermediate_size: 4864,
  num_hidden_layers: 24,
  num_attention_heads: 14,
  num_key_value_heads: 2,
  rms_norm_eps: 1e-6,
  rope_theta: 1e6,
  hidden_act: 'silu',
  tie_word_embeddings: true,
  use_sliding_window: false,
  max_position_embeddings: 32_768,
  eos_token_id: 151_643,
};

/** For a trial: everything runs to its end, and no number means anything. */
const TINY = {
  ...{ vocab_size: 20_000, eos_token_id: 19_999 },
  ...{ hidden_size: 64, intermediate_size: 128, num_hidden_layers: 2, num_attention_heads: 4 },
};

export type QwenConfig = typeof QWEN;

/** A shape to measure. */
export interface BenchShape {
  config: QwenConfig;
  /** For files. */
  name: string;
  /** What names of rows end in. */
  suffix: string;
}

/** Qwen2.5-0.5B's shape; with SIDLAB_BENCH_TINY=1 two narrow layers, to try a benchmark. */
export function benchShape(): BenchShape {
  if (process.env.SIDLAB_BENCH_TINY) return { config: { ...QWEN, ...TINY }, name: 'qwen-tiny', suffix: ', tiny' };
  return { config: QWEN, name: 'qwen-0.5b', suffix: '' };
}

/** The widths of its products. */
export const QWEN_PRODUCTS = { width: QWEN.hidden_size, feedForward: QWEN.intermediate_size };
