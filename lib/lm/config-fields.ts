/**
 * Fields of a `config.json` that change what a decoder computes, beyond what is computed here: each is refused by its
 * name, unless its value changes nothing. The names are those of transformers' configurations and of the models that
 * were converted to these three architectures (MiniCPM's scalings, Gemma's soft caps, GPT-NeoX's partial rotary ...).
 */
import { InputError } from '../support/errors.js';
import type { Architecture } from './choices.js';

/** A parsed `config.json`. */
export type ConfigFields = Readonly<Record<string, unknown>>;

/** One thing that some configurations ask for and this decoder does not compute. */
export interface UnsupportedFeature {
  /** The fields that ask for it, whatever their value where `off` does not accept it. */
  fields: readonly string[];
  /** What it is, for the error's text. */
  what: string;
  /** Whether a value changes nothing. An absent field and null never do. */
  off: (value: unknown, config: ConfigFields) => boolean;
  /** Architectures whose own code does not look at the fields. Default: none. */
  ignoredBy?: readonly Architecture[];
}

const isFalse = (value: unknown): boolean => value === false || value === 0;
const isOne = (value: unknown): boolean => value === 1;
const isEmpty = (value: unknown): boolean =>
  isFalse(value) || value === '' || (typeof value === 'object' && Object.keys(value as object).length === 0);

/** The table: features x fields, and the architectures that ignore them. */
export const UNSUPPORTED_FEATURES: readonly UnsupportedFeature[] = [
  {
    fields: ['hidden_act', 'hidden_activation'],
    what: 'only the activation silu is supported',
    off: (value) => value === 'silu' || value === 'swish',
  },
  // Qwen2's code has biases of q, k and v whatever the field says
  { fields: ['attention_bias'], what: 'biases of attention are not supported', off: isFalse, ignoredBy: ['qwen2'] },
  {
    fields: ['qkv_bias', 'use_qkv_bias'],
    what: 'the biases of q, k and v are fixed by the architecture',
    off: (value, config) => value === (config.model_type === 'qwen2'),
  },
  {
    fields: ['mlp_bias', 'attention_out_bias', 'o_proj_bias', 'use_bias', 'lm_head_bias', 'bias'],
    what: 'this bias is not supported',
    off: isFalse,
  },
  {
    fields: ['use_qk_norm', 'qk_norm', 'qk_layernorm', 'use_qk_layernorm'],
    what: 'the norms of q and k are fixed by the architecture',
    off: (value, config) => value === (config.model_type === 'qwen3'),
  },
  {
    fields: ['sliding_window', 'use_sliding_window'],
    what: 'attention within a sliding window is not supported',
    off: (_, config) => !slidingWindowActs(config),
  },
  {
    fields: ['layer_types'],
    what: 'only layers of full_attention are supported',
    off: (value, config) =>
      Array.isArray(value) &&
      value.every((type) => type === 'full_attention' || (type === 'sliding_attention' && hidesNothing(config))),
  },
  {
    fields: ['attention_chunk_size', 'sliding_window_pattern', 'local_attention', 'attention_sinks', 'attention_sink'],
    what: 'only full attention is supported',
    off: isEmpty,
  },
  {
    fields: ['is_causal'],
    what: 'only causal attention is supported',
    off: (value) => value === true,
  },
  {
    fields: ['use_bidirectional_attention', 'is_encoder_decoder', 'add_cross_attention', 'alibi', 'use_alibi'],
    what: 'it is not supported',
    off: isFalse,
  },
  {
    fields: ['partial_rotary_factor', 'rotary_pct', 'rotary_percent', 'rotary_percentage', 'rope_percent', 'rope_pct'],
    what: 'partial rotary embedding is not supported',
    off: isOne,
  },
  {
    fields: ['rotary_dim', 'rotary_emb_dim', 'qk_rope_head_dim'],
    what: 'partial rotary embedding is not supported',
    off: (value, config) => value === headWidth(config),
  },
  {
    fields: ['rope_interleaved', 'rope_interleave', 'rotary_interleaved', 'rotary_emb_interleaved'],
    what: 'interleaved rotary embedding is not supported',
    off: isFalse,
  },
  {
    fields: [
      'no_rope_layers',
      'no_rope_layer_interval',
      'nope_layer_interval',
      'rope_local_base_freq',
      'local_rope_theta',
    ],
    what: 'every layer must have the same rotary embedding',
    off: isEmpty,
  },
  {
    fields: ['use_rope', 'use_rotary_embedding', 'rotary'],
    what: 'a decoder without rotary embedding is not supported',
    off: (value) => value === true,
  },
  {
    fields: ['position_embedding_type'],
    what: 'only rotary positions are supported',
    off: (value) => value === 'rope' || value === 'rotary',
  },
  {
    fields: [
      ...['attn_logit_softcapping', 'attn_logit_softcap', 'attention_logit_cap', 'final_logit_softcapping'],
      ...['final_logit_softcap', 'logit_softcapping', 'logits_soft_cap', 'logit_soft_cap', 'output_logit_soft_cap'],
    ],
    what: 'soft caps of scores or logits are not supported',
    off: isFalse,
  },
  {
    fields: ['logit_scale', 'logits_scale', 'logits_scaling', 'output_multiplier', 'lm_head_multiplier'],
    what: 'scaled logits are not supported',
    off: isOne,
  },
  {
    fields: [
      ...['residual_multiplier', 'embedding_multiplier', 'attention_out_multiplier', 'mlp_multipliers'],
      ...['scale_emb', 'embedding_scale', 'embed_scale', 'key_multiplier', 'residual_scale'],
    ],
    what: 'scaled embeddings, residuals or keys are not supported',
    off: (value) => isOne(value) || (Array.isArray(value) && value.every(isOne)),
  },
  {
    fields: ['attention_multiplier'],
    what: 'scores other than q k / sqrt(d) are not supported',
    off: (value, config) => value === 1 / Math.sqrt(headWidth(config)),
  },
  {
    fields: ['query_pre_attn_scalar'],
    what: 'scores other than q k / sqrt(d) are not supported',
    off: (value, config) => value === headWidth(config),
  },
  {
    fields: ['scale_depth', 'mup_enabled', 'use_mup', 'mup_scale'],
    what: 'the scalings of muP and MiniCPM are not supported',
    off: isFalse,
  },
  {
    fields: ['dim_model_base'],
    what: 'the scalings of muP and MiniCPM are not supported',
    off: (value, config) => value === config.hidden_size,
  },
  {
    fields: ['attention_scale', 'attn_scale', 'scale_attn_by_inverse_layer_idx', 'attn_temperature_tuning', 'clip_qkv'],
    what: 'scores other than q k / sqrt(d) are not supported',
    off: isFalse,
  },
  {
    fields: [
      'use_parallel_residual',
      'parallel_attn',
      'parallel_residual',
      'post_norm',
      'use_post_norm',
      'sandwich_norm',
    ],
    what: 'only pre-norm layers, attention then feed-forward, are supported',
    off: isFalse,
  },
  {
    fields: ['norm_type', 'normalization_type'],
    what: 'only RMSNorm is supported',
    off: (value) => typeof value === 'string' && /^rms_?norm$/i.test(value),
  },
  {
    fields: ['num_experts', 'num_local_experts', 'n_routed_experts', 'moe_num_experts'],
    what: 'mixtures of experts are not supported',
    off: (value) => isFalse(value) || isOne(value),
  },
  { fields: ['auto_map'], what: 'the folder brings code of its own', off: (value) => !hasOwnDecoder(value) },
];

/** @param source the file, for the error's text @throws InputError that names the first field that is not computed */
export function refuseUnsupported(config: ConfigFields, architecture: Architecture, source: string): void {
  refuseQuantized(config, source);
  for (const { fields, what, off, ignoredBy = [] } of UNSUPPORTED_FEATURES) {
    if (ignoredBy.includes(architecture)) continue;
    for (const field of fields) {
      const value = config[field];
      if (value === undefined || value === null || off(value, config)) continue;
      throw new InputError(
        `${source}: ${field} is ${JSON.stringify(value)}: ${what} for ${architecture}; take another model`,
      );
    }
  }
}

/** @throws InputError for the configuration of a quantized model (GPTQ, AWQ, bitsandbytes, MLX ...) */
function refuseQuantized(config: ConfigFields, source: string): void {
  for (const field of ['quantization_config', 'compression_config', 'quantization']) {
    const value = config[field];
    if (value === undefined || value === null || isEmpty(value)) continue;
    throw quantized(source, methodOf(value));
  }
}

function methodOf(value: unknown): string {
  if (typeof value !== 'object') return String(value);
  const { quant_method: method, format, bits, load_in_4bit: four, load_in_8bit: eight } = value as ConfigFields;
  if (typeof method === 'string') return method;
  if (four === true || eight === true) return 'bitsandbytes';
  return typeof format === 'string' ? format : bits === undefined ? 'by an unnamed method' : `to ${String(bits)} bits`;
}

/** What is said of a quantized checkpoint. @param how its method, or what gave it away */
export function quantized(source: string, how: string): InputError {
  return new InputError(`${source}: quantized (${how}): take the unquantized model`);
}

/** Whether a sliding window is no shorter than the model's texts can be. */
function hidesNothing({ sliding_window: window = 4096, max_position_embeddings: positions }: ConfigFields): boolean {
  // 4096 is transformers' default, null switches the window off
  return typeof window !== 'number' || (typeof positions === 'number' && window >= positions);
}

/**
 * Whether a window acts: it hides something, is switched on (Qwen's `use_sliding_window`, which is false where it is
 * absent), and some layer has it (`layer_types`; without it the layers from `max_window_layers` on, 28 by default).
 */
function slidingWindowActs(config: ConfigFields): boolean {
  if (hidesNothing(config)) return false;
  const { layer_types: types, max_window_layers: first = 28 } = config;
  if (config.model_type === 'llama') return config.use_sliding_window !== false;
  if (config.use_sliding_window !== true) return false;
  return Array.isArray(types)
    ? types.includes('sliding_attention')
    : !(Number(first) >= Number(config.num_hidden_layers));
}

/** Width of a head that a configuration gives (not checked), or implies. */
export function headWidth(config: ConfigFields): number {
  if (config.head_dim !== undefined && config.head_dim !== null) return config.head_dim as number;
  if (config.model_type === 'qwen3') return 128; // Qwen3Config's default
  return Number(config.hidden_size) / Number(config.num_attention_heads);
}

/** Whether transformers would run the folder's own code for a decoder. */
function hasOwnDecoder(value: unknown): boolean {
  return typeof value === 'object' && Object.hasOwn(value as object, 'AutoModelForCausalLM');
}
