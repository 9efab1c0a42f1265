/** The fields of a `config.json`, number by number; what transformers reads of ours; shapes in words. */
import { describe, expect, test } from 'vitest';
import { ARCHITECTURES } from '../../lib/lm/choices.js';
import { endTokensOf, parseConfig, parseShape, toHfConfig } from '../../lib/lm/config.js';
import { InputError } from '../../lib/support/errors.js';

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

describe('a shape in words', () => {
  test.each([
    ['qwen2:32x1', { architecture: 'qwen2', width: 32, layers: 1, heads: 1, feedForward: 64 }],
    ['qwen3:64x2', { architecture: 'qwen3', width: 64, layers: 2, heads: 2, feedForward: 160 }],
    ['llama:128x4', { architecture: 'llama', width: 128, layers: 4, heads: 4, feedForward: 320 }],
    ['qwen2:768x12', { architecture: 'qwen2', width: 768, layers: 12, heads: 24, feedForward: 2048 }],
  ])('%s', (shape, expected) => {
    expect(parseShape(shape, 99, 7)).toEqual({
      ...{ ...expected, keyHeads: expected.heads, headDim: 32, vocabSize: 99, eosTokenId: 7 },
      ...{ normEpsilon: 1e-6, ropeTheta: 10_000, tied: true, maxPositions: 2048 },
    });
  });

  test.each([
    'qwen2:16x1',
    'qwen2:0x1',
    'qwen2:33x1',
    'qwen2:48x2',
    'qwen2:64x0',
    'gpt2:64x2',
    'qwen2:64',
    'x/qwen2:64x2',
  ])('%s is refused', (shape) => {
    expect(() => parseShape(shape, 9, 0)).toThrow(InputError);
    expect(() => parseShape(shape, 9, 0)).toThrow(`(width a multiple of 32), got ${shape}`);
  });
});

test.each(ARCHITECTURES)('what transformers reads of a %s', (model_type) => {
  const llama3 = { rope_type: 'llama3', factor: 8, low_freq_factor: 1, high_freq_factor: 4 };
  const scaled = { ...SIZES, model_type, rope_scaling: { ...llama3, original_max_position_embeddings: 16 } };
  const saved = toHfConfig(
    parseConfig({ ...scaled, rope_theta: 500, rms_norm_eps: 0.5, tie_word_embeddings: true }, 'c'),
  );
  const classes = { qwen2: 'Qwen2ForCausalLM', qwen3: 'Qwen3ForCausalLM', llama: 'LlamaForCausalLM' };
  expect(saved).toEqual({
    ...scaled,
    ...{ architectures: [classes[model_type]], rope_theta: 500, rms_norm_eps: 0.5, tie_word_embeddings: true },
    ...{ hidden_act: 'silu', bos_token_id: null, attention_dropout: 0, torch_dtype: 'float32' },
    ...(model_type === 'qwen2' ? { use_sliding_window: false } : { attention_bias: false }),
  });
  expect(toHfConfig(parseConfig({ ...SIZES, model_type }, 'c'))).not.toHaveProperty('rope_scaling');
});

describe('numbers and rotary fields', () => {
  const plain = { ...SIZES, model_type: 'llama' };
  const read = (fields: object) => parseConfig({ ...plain, ...fields }, 'config.json');

  test.each([
    ['vocab_size', 'a positive integer', [0, -1, 1.5, '3', null, undefined]],
    ['hidden_size', 'a positive integer', [0, 1.5]],
    ['num_hidden_layers', 'a positive integer', [0, 2.5]],
    ['num_attention_heads', 'a positive integer', [0, 2.5]],
    ['intermediate_size', 'a positive integer', [0, undefined]],
    ['max_position_embeddings', 'a positive integer', [0, 0.5]],
    ['rms_norm_eps', 'a positive number', [0, -1, 'x', Infinity]],
    ['rope_theta', 'a positive number', [0, -1, 'x']],
  ])('%s is %s', (field, what, wrong) => {
    for (const value of wrong)
      refuses({ ...plain, [field]: value }, `config.json: expected ${field} to be ${what}, got `);
  });

  test('one is enough, and little is positive', () => {
    const least = { vocab_size: 1, num_hidden_layers: 1, num_attention_heads: 1, num_key_value_heads: 1, intermediate_size: 1, max_position_embeddings: 1 }; // prettier-ignore
    expect(read({ ...least, rms_norm_eps: 0.5, rope_theta: 0.5 })).toMatchObject({
      ...{ vocabSize: 1, layers: 1, heads: 1, keyHeads: 1, feedForward: 1, maxPositions: 1 },
      ...{ normEpsilon: 0.5, ropeTheta: 0.5 },
    });
  });

  test('the base of the frequencies, under either name', () => {
    expect(read({ rope_theta: 500 }).ropeTheta).toBe(500);
    expect(read({ rope_theta: 500, rope_scaling: { rope_type: 'default', rope_theta: 500 } }).ropeTheta).toBe(500);
    expect(read({ rope_parameters: { rope_type: 'default', rope_theta: 600 } }).ropeTheta).toBe(600);
    expect(read({ rope_parameters: { rope_type: 'default' }, rope_theta: 700 }).ropeTheta).toBe(700);
    const same = { rope_type: 'default', rope_theta: 600 };
    expect(read({ rope_parameters: same, rope_scaling: { ...same } }).ropeTheta).toBe(600);
    refuses({ ...plain, rope_scaling: 3 }, 'expected rope_scaling to be an object');
    refuses({ ...plain, rope_parameters: [] }, 'expected rope_scaling to be an object');
  });

  test('stretched frequencies: all four numbers, each positive', () => {
    const whole = { type: 'llama3', factor: 0.5, low_freq_factor: 0.25, high_freq_factor: 0.75, original_max_position_embeddings: 0.9 }; // prettier-ignore
    expect(read({ rope_scaling: whole }).ropeScaling).toEqual({
      ...{ factor: 0.5, lowFreqFactor: 0.25, highFreqFactor: 0.75, originalMaxPositions: 0.9 },
    });
    for (const field of ['factor', 'low_freq_factor', 'high_freq_factor', 'original_max_position_embeddings']) {
      for (const value of [0, -1, 'x', undefined, null]) {
        refuses(
          { ...plain, rope_scaling: { ...whole, [field]: value } },
          `${field} of rope_type llama3 to be a positive number`,
        );
      }
    }
    expect(read({ rope_scaling: { type: 'default', factor: 3 } })).not.toHaveProperty('ropeScaling');
    expect(read({ rope_scaling: { type: 'linear', factor: 1, own: null } })).not.toHaveProperty('ropeScaling');
    refuses({ ...plain, rope_scaling: { type: 'linear', factor: 2 } }, 'got linear; take another model');
    refuses({ ...plain, rope_scaling: { type: 'default', own: 1 } }, "rotary embedding's own is not supported");
    refuses({ ...plain, rope_scaling: { partial_rotary_factor: 0.5 } }, 'partial_rotary_factor 0.5 is not supported');
    expect(() => read({ rope_scaling: { partial_rotary_factor: 1 } })).not.toThrow();
  });

  test('end tokens: any ids from 0 on, the first is the main one', () => {
    expect(read({ eos_token_id: [0, 5] })).toMatchObject({ eosTokenId: 0, eosTokenIds: [0, 5] });
    expect(read({ eos_token_id: [4] })).not.toHaveProperty('eosTokenIds');
    expect(endTokensOf(read({ eos_token_id: [0, 5] }))).toEqual([0, 5]);
    expect(endTokensOf(read({ eos_token_id: 0 }))).toEqual([0]);
    expect(endTokensOf(read({ eos_token_id: undefined }))).toEqual([]);
    for (const odd of [-1, 1.5, 'x', [3, -1]])
      refuses({ ...plain, eos_token_id: odd }, 'expected eos_token_id to be token ids');
    expect(toHfConfig(read({ eos_token_id: [4, 5] })).eos_token_id).toEqual([4, 5]);
    expect(toHfConfig(read({ eos_token_id: [4] })).eos_token_id).toBe(4);
    expect(toHfConfig(read({ eos_token_id: null })).eos_token_id).toBeNull();
  });
});
