/**
 * The shape of a GGUF file's decoder, as the `config.json` that its Hugging Face folder would have, so that both are
 * checked in one place.
 */
import type { GgufFile } from '../../files/gguf/gguf-file.js';
import { InputError } from '../../support/errors.js';
import { ARCHITECTURES } from '../choices.js';
import { type ModelConfig, parseConfig } from '../config.js';

/** @throws InputError for an architecture or a feature that is not computed here, and for fields that are missing */
export function ggufConfig(file: GgufFile): ModelConfig {
  const architecture = file.value('general.architecture');
  if (!ARCHITECTURES.some((name) => name === architecture)) {
    throw new InputError(
      `${file.path}: expected general.architecture to be one of ${ARCHITECTURES.join(', ')}, got ${String(architecture)}; take another model`,
    );
  }
  if (file.shape('rope_freqs.weight')) {
    throw new InputError(
      `${file.path}: rope_freqs.weight (stretched rotary frequencies) is not read of GGUF; take the model's Hugging Face folder`,
    );
  }
  const of = (key: string): unknown => file.value(`${String(architecture)}.${key}`);
  const width = of('attention.key_length') ?? Number(of('embedding_length')) / Number(of('attention.head_count'));
  const scaling = of('rope.scaling.type') ?? 'none';
  const window = of('attention.sliding_window') ?? 0;
  const config = {
    model_type: architecture,
    vocab_size: file.shape('token_embd.weight')?.[0],
    hidden_size: of('embedding_length'),
    num_hidden_layers: of('block_count'),
    num_attention_heads: of('attention.head_count'),
    num_key_value_heads: of('attention.head_count_kv'),
    head_dim: width,
    intermediate_size: of('feed_forward_length'),
    rms_norm_eps: of('attention.layer_norm_rms_epsilon'),
    rope_theta: of('rope.freq_base') ?? 10_000,
    tie_word_embeddings: file.shape('output.weight') === undefined,
    max_position_embeddings: of('context_length'),
    eos_token_id: endTokens(file),
    rotary_dim: of('rope.dimension_count') ?? width,
    num_experts: of('expert_count') ?? 0,
    ...(scaling !== 'none' && { rope_scaling: { rope_type: scaling, factor: of('rope.scaling.factor') } }),
    ...(window !== 0 && { sliding_window: window, use_sliding_window: true }),
  };
  return parseConfig(config, file.path);
}

/** End of text, and of a turn where it is another token. */
function endTokens(file: GgufFile): unknown[] {
  const ids = ['eos', 'eot'].map((name) => file.value(`tokenizer.ggml.${name}_token_id`));
  return ids.filter((id) => id !== undefined);
}
