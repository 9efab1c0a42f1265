/** What a `config.json` may say: what is computed is read, all else is refused by name. Fields x architectures. */
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import fc from '../fast-check.js';
import { beforeAll, describe, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { UNSUPPORTED_FEATURES } from '../../lib/lm/config-fields.js';
import { ARCHITECTURES } from '../../lib/lm/choices.js';
import { endTokensOf, parseConfig, toHfConfig } from '../../lib/lm/config.js';
import { forwardForest, outputLayer, prepareForest } from '../../lib/lm/decoder.js';
import { chain, packTrees } from '../../lib/lm/forest.js';
import { loadModel, saveModel } from '../../lib/lm/model.js';
import type { LanguageModel } from '../../lib/lm/language-model.js';
import { randomWeights } from '../../lib/lm/weights.js';
import { InputError } from '../../lib/support/errors.js';
import { plainLogits } from './plain-decoder.js';

beforeAll(async () => void (await useEngine()));

const SIZES = {
  vocab_size: 41,
  hidden_size: 16,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 8,
  intermediate_size: 24,
  max_position_embeddings: 64,
  eos_token_id: 0,
};
const refuses = (config: object, error: string | RegExp): void => {
  expect(() => parseConfig(config, 'config.json')).toThrow(InputError);
  expect(() => parseConfig(config, 'config.json')).toThrow(error);
};

/** A field, values that change the mathematics, values that change nothing. */
const TABLE: [field: string, acting: unknown[], neutral: unknown[]][] = [
  ['hidden_act', ['gelu', 'relu', 'gelu_pytorch_tanh', 'snake'], ['silu', 'swish']],
  ['mlp_bias', [true], [false]],
  ['sliding_window_pattern', [2], []],
  ['attention_chunk_size', [8192], [0]],
  ['layer_types', [['linear_attention'], ['full_attention', 'chunked_attention']], [['full_attention', 'full_attention']]],
  ['is_causal', [false], [true]],
  ['use_bidirectional_attention', [true], [false]],
  ['partial_rotary_factor', [0.5, 0.25], [1]],
  ['rotary_pct', [0.25], [1]],
  ['rotary_dim', [4], [8]],
  ['rope_interleaved', [true], [false]],
  ['no_rope_layers', [[1, 0]], [[]]],
  ['attn_logit_softcapping', [50], []],
  ['final_logit_softcapping', [30], []],
  ['logits_soft_cap', [30], []],
  ['logit_scale', [0.0625], [1]],
  ['logits_scaling', [8], [1]],
  ['residual_multiplier', [0.22], [1]],
  ['embedding_multiplier', [12], [1]],
  ['attention_multiplier', [0.0078125, 1], [1 / Math.sqrt(8)]],
  ['scale_emb', [12], [1]],
  ['scale_depth', [1.4], []],
  ['dim_model_base', [256], [16]],
  ['query_pre_attn_scalar', [224], [8]],
  ['clip_qkv', [8], []],
  ['alibi', [true], [false]],
  ['position_embedding_type', ['alibi', 'absolute'], ['rope']],
  ['use_parallel_residual', [true], [false]],
  ['norm_type', ['layer_norm'], ['rms_norm']],
  ['num_local_experts', [8], [1, 0]],
  ['auto_map', [{ AutoModelForCausalLM: 'modeling_x.X' }], [{ AutoTokenizer: 'tokenization_x.X' }]],
  ['quantization_config', [{ quant_method: 'gptq' }, { load_in_4bit: true }], [{}]],
  ['quantization', [{ bits: 4, group_size: 64 }], []],
  ['rope_scaling', [{ type: 'yarn', factor: 4 }, { rope_type: 'linear', factor: 2 }, { type: 'mrope', mrope_section: [1] }, { rope_type: 'dynamic', factor: 2 }, { rope_type: 'default', partial_rotary_factor: 0.5 }, { full_attention: { rope_type: 'default' } }, { rope_type: 'llama3', factor: 8 }], [{ rope_type: 'default' }, { type: 'linear', factor: 1 }]],
  ['rope_parameters', [{ rope_type: 'longrope', factor: 4 }, { rope_type: 'default', rope_theta: -1 }], [{ rope_type: 'default', rope_theta: 500 }]],
  ['rms_norm_eps', [0, -1, 'small'], [1e-5]],
  ['head_dim', [0, 7, 2.5, '8'], [4]],
  ['num_key_value_heads', [3, 0, 1.5], [1, 4]],
]; // prettier-ignore

describe.each(ARCHITECTURES)('%s', (model_type) => {
  const plain = { ...SIZES, model_type };

  test.each(TABLE)('%s', (field, acting, neutral) => {
    for (const value of acting) {
      const what = field.startsWith('quantization')
        ? 'quantized ('
        : field.startsWith('rope_')
          ? 'config.json: '
          : field;
      refuses({ ...plain, [field]: value }, what);
    }
    for (const value of [undefined, null, ...neutral]) {
      if (field === 'head_dim' && value === null && model_type !== 'qwen3') continue; // 16 / 4, checked below
      expect(() => parseConfig({ ...plain, [field]: value }, 'config.json'), JSON.stringify(value)).not.toThrow();
    }
  });

  test('biases of attention', () => {
    const biased = { ...plain, attention_bias: true };
    if (model_type === 'qwen2')
      expect(() => parseConfig(biased, 'c')).not.toThrow(); // its biases are fixed
    else refuses(biased, 'attention_bias is true: biases of attention are not supported');
    expect(() => parseConfig({ ...plain, attention_bias: false }, 'c')).not.toThrow();
  });

  test('a sliding window, where it acts', () => {
    const window = { ...plain, sliding_window: 32 };
    const on = { ...window, use_sliding_window: true };
    expect(() => parseConfig({ ...window, use_sliding_window: false }, 'c')).not.toThrow();
    expect(() => parseConfig({ ...on, sliding_window: null }, 'c')).not.toThrow();
    expect(() => parseConfig({ ...on, sliding_window: 64 }, 'c')).not.toThrow(); // as long as the texts
    refuses({ ...on, max_window_layers: 1 }, 'sliding_window is 32: attention within a sliding window');
    refuses(
      { ...plain, use_sliding_window: true, max_position_embeddings: 8192, max_window_layers: 0 },
      'sliding_window',
    );
    if (model_type === 'llama') return refuses(window, 'sliding_window is 32');
    expect(() => parseConfig(window, 'c')).not.toThrow(); // Qwen's is off unless it is switched on
    expect(() => parseConfig({ ...on, max_window_layers: 2 }, 'c')).not.toThrow(); // no layer has it
    const full = { ...on, max_window_layers: 0, layer_types: ['full_attention', 'full_attention'] };
    expect(() => parseConfig(full, 'c')).not.toThrow();
  });

  test('every feature of the table is refused for an unlikely value, by the name of its field', () => {
    for (const { fields, ignoredBy = [] } of UNSUPPORTED_FEATURES) {
      for (const field of fields) {
        const config = { ...plain, [field]: field === 'auto_map' ? { AutoModelForCausalLM: 'x' } : 0.123 };
        if (field === 'use_sliding_window') continue; // of two values, and with a window beside it
        if (ignoredBy.includes(model_type) || (field === 'sliding_window' && model_type !== 'llama')) {
          expect(() => parseConfig(config, 'config.json')).not.toThrow();
        } else refuses(config, `config.json: ${field} is `);
      }
    }
  });

  test('defaults are those of transformers', () => {
    const bare = {
      model_type,
      ...{ vocab_size: 41, hidden_size: 16, num_hidden_layers: 2, num_attention_heads: 4, intermediate_size: 24 },
    };
    expect(parseConfig(bare, 'c')).toMatchObject({
      keyHeads: 4,
      headDim: model_type === 'qwen3' ? 128 : 4,
      normEpsilon: 1e-6,
      ropeTheta: 10_000,
      tied: false,
      maxPositions: model_type === 'llama' ? 2048 : 32_768,
      eosTokenId: -1,
    });
  });

  test('what is saved is read back, whatever it was', () => {
    fc.assert(
      fc.property(
        fc.record({
          rms_norm_eps: fc.constantFrom(1e-6, 1e-5, 0.1),
          rope_theta: fc.constantFrom(10_000, 1e6),
          tie_word_embeddings: fc.boolean(),
          eos_token_id: fc.oneof(
            fc.constant(null),
            fc.nat(40),
            fc.uniqueArray(fc.nat(40), { minLength: 1, maxLength: 3 }),
          ),
          rope_scaling: fc.constantFrom(null, {
            ...{ rope_type: 'llama3', factor: 8, low_freq_factor: 1, high_freq_factor: 4 },
            original_max_position_embeddings: 16,
          }),
        }),
        (fields) => {
          const config = parseConfig({ ...plain, ...fields }, 'c');
          expect(parseConfig(JSON.parse(JSON.stringify(toHfConfig(config))), 'c')).toEqual(config);
        },
      ),
    );
  });

  test('the epsilon of the norms is that of config.json: a plain decoder says the same', () => {
    const logits = [1e-6, 0.3].map((rms_norm_eps) => {
      const config = parseConfig({ ...plain, rms_norm_eps, tie_word_embeddings: true }, 'c');
      const model = { config, weights: randomWeights(config, 5) };
      for (const [name, weight] of model.weights) {
        // embeddings of 0.2, so that 0.3 counts beside their squares
        if (!name.endsWith('norm.weight')) tf.tidy(() => weight.assign(tf.mul(weight, 10)));
      }
      const ours = logitsOf(model, [3, 17, 29, 5]);
      plainLogits(model, [3, 17, 29, 5]).forEach((row, t) =>
        row.forEach((x, v) => expect(ours[t]![v]).toBeCloseTo(x, 4)),
      );
      return ours;
    });
    expect(Math.abs(logits[0]![3]![0]! - logits[1]![3]![0]!)).toBeGreaterThan(1e-2);
  });
});

test('nothing that is no configuration crashes', () => {
  for (const raw of [null, 3, 'x', [], {}, { model_type: 'gpt2' }]) refuses(raw as object, /^config\.json: expected /);
  for (const raw of [null, 3, 'x', []]) refuses(raw as object, `expected an object, got ${JSON.stringify(raw)}`);
  refuses({ model_type: 'gpt2' }, 'expected model_type to be one of qwen2, qwen3, llama, got gpt2');
  const plain = { ...SIZES, model_type: 'llama' };
  refuses({ ...plain, head_dim: undefined, hidden_size: 18 }, 'head_dim');
  refuses(
    { ...plain, rope_theta: 500, rope_scaling: { rope_type: 'default', rope_theta: 600 } },
    'rope_theta is 500, and 600',
  );
  refuses(
    { ...plain, rope_parameters: { rope_type: 'default' }, rope_scaling: { type: 'linear', factor: 1 } },
    'different things',
  );
  refuses({ ...plain, eos_token_id: 'x' }, 'expected eos_token_id to be token ids, got "x"');
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom(...TABLE.map(([field]) => field), 'hidden_size'), fc.jsonValue()),
      (fields) => {
        try {
          parseConfig({ ...plain, ...fields }, 'c');
        } catch (error) {
          expect(error).toBeInstanceOf(InputError);
        }
      },
    ),
    { numRuns: 500 },
  );
});

/** As they are on the hub (Qwen2.5-0.5B, Qwen3-0.6B, Llama-3.2-1B, SmolLM2-135M, TinyLlama-1.1B), shortened of nothing that counts. */
test.each([
  ['qwen2', { attention_dropout: 0.0, bos_token_id: 151643, eos_token_id: 151643, hidden_act: 'silu', initializer_range: 0.02, max_position_embeddings: 32768, max_window_layers: 24, rms_norm_eps: 1e-6, rope_theta: 1000000.0, sliding_window: 32768, tie_word_embeddings: true, torch_dtype: 'bfloat16', transformers_version: '4.40.1', use_cache: true, use_mrope: false, use_sliding_window: false }],
  ['qwen3', { attention_bias: false, attention_dropout: 0.0, hidden_act: 'silu', max_position_embeddings: 40960, max_window_layers: 28, rope_scaling: null, rope_theta: 1000000, sliding_window: null, use_cache: true, use_sliding_window: false }],
  ['llama', { attention_bias: false, mlp_bias: false, pretraining_tp: 1, rms_norm_eps: 1e-5, rope_scaling: { factor: 32.0, high_freq_factor: 4.0, low_freq_factor: 1.0, original_max_position_embeddings: 8192, rope_type: 'llama3' }, rope_theta: 500000.0 }],
  ['llama', { is_llama_config: true, rope_interleaved: false, rope_scaling: null, rope_theta: 100000, 'transformers.js_config': { dtype: 'q4' } }],
  ['llama', { pretraining_tp: 1, rope_scaling: null, _name_or_path: 'x', architectures: ['LlamaForCausalLM'] }],
] as const)('%s of the hub is read', (model_type, fields) => {
  expect(() => parseConfig({ ...SIZES, ...fields, model_type }, 'config.json')).not.toThrow();
}); // prettier-ignore

describe('all end tokens of a folder', () => {
  test.each([
    [7, undefined, [7]],
    [[7, 9], undefined, [7, 9]],
    [7, [7, 5, 3], [7, 5, 3]],
    [undefined, 4, [4]],
    [null, [4, 4], [4]],
    [[7, 7], null, [7]],
    [null, null, []],
  ])('config.json %j, generation_config.json %j: %j, and again after saving', (own, generation, expected) => {
    const folder = mkdtempSync(join(tmpdir(), 'sidlab-config-'));
    cpSync('test/golden/qwen2-tied', folder, { recursive: true });
    const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as object;
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...config, eos_token_id: own }));
    if (generation !== undefined) {
      const file = { eos_token_id: generation, temperature: 0.7, do_sample: true };
      writeFileSync(join(folder, 'generation_config.json'), JSON.stringify(file));
    }
    const model = loadModel(folder);
    expect(endTokensOf(model.config)).toEqual(expected);
    const saved = join(folder, 'saved');
    saveModel(saved, model);
    expect(endTokensOf(loadModel(saved).config)).toEqual(expected);
  });
});

function logitsOf({ config, weights }: LanguageModel, tokens: number[]): number[][] {
  return tf.tidy(() => {
    const hidden = forwardForest(config, weights, prepareForest(config, packTrees([chain(tokens)])));
    return tf.matMul(hidden, outputLayer(config, weights), false, true).arraySync() as number[][];
  });
}
