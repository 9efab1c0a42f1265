/** PEFT's description of an adapter, field by field, and the options of our own. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseLora } from '../../lib/lm/lora/lora-options.js';
import { loraMatrices, loraScale } from '../../lib/lm/lora/lora.js';
import { readAdapterConfig, toPeftConfig } from '../../lib/lm/lora/peft-config.js';
import { InputError } from '../../lib/support/errors.js';

const folder = mkdtempSync(join(tmpdir(), 'sidlab-peft-'));
const base = join(folder, 'base');
mkdirSync(base);
writeFileSync(join(base, 'config.json'), '{}');

const LEAST = { peft_type: 'LORA', target_modules: ['q_proj'], base_model_name_or_path: base };

function read(fields: object, given?: string): ReturnType<typeof readAdapterConfig> {
  writeFileSync(join(folder, 'adapter_config.json'), JSON.stringify(fields));
  return readAdapterConfig(folder, given);
}

function refuses(fields: object, message: string): void {
  expect(() => read({ ...LEAST, ...fields })).toThrow(InputError);
  expect(() => read({ ...LEAST, ...fields })).toThrow(message);
}

test("what is left out is PEFT's default", () => {
  expect(read(LEAST)).toEqual({
    lora: { rank: 8, alpha: 8, dropout: 0, targets: ['q_proj'], modules: [], rslora: false, base, newTokens: false },
    rows: {},
  });
});

test('what is said is read', () => {
  const said = {
    ...{ r: 1, lora_alpha: 0.5, lora_dropout: 0.25, use_rslora: true, bias: 'none', use_dora: false },
    ...{ rank_pattern: {}, exclude_modules: [], layers_pattern: null, modules_to_save: ['model.embed_tokens', 'lm_head'] },
    ...{ target_modules: ['self_attn.q_proj', 'v_proj', 'q_proj'], trainable_token_indices: { embed_tokens: [0, 3], lm_head: [1] } },
  }; // prettier-ignore
  expect(read({ ...LEAST, ...said })).toEqual({
    lora: {
      ...{ rank: 1, alpha: 0.5, dropout: 0.25, rslora: true, base, newTokens: false },
      ...{ targets: ['q_proj', 'v_proj'], modules: ['embed_tokens', 'lm_head'] },
    },
    rows: { embed_tokens: [0, 3], lm_head: [1] },
  });
  expect(read({ ...LEAST, trainable_token_indices: [0, 2] }).rows).toEqual({ embed_tokens: [0, 2] });
  expect(read({ ...LEAST, trainable_token_indices: null }).rows).toEqual({});
  expect(read({ ...LEAST, target_modules: 'q_proj' }).lora.targets).toEqual(['q_proj']);
});

test('the base: the one that is given, else the one that is named, from here or from the folder', () => {
  expect(read(LEAST, 'other').lora.base).toBe('other');
  expect(read({ ...LEAST, base_model_name_or_path: relative('.', base) }).lora.base).toBe(base);
  expect(read({ ...LEAST, base_model_name_or_path: 'base' }).lora.base).toBe(base);
  for (const name of ['nowhere', '', null, undefined, 3]) {
    refuses(
      { base_model_name_or_path: name },
      `base_model_name_or_path ${JSON.stringify(name)} is no model folder here`,
    );
  }
});

test.each([
  [{ peft_type: 'IA3' }, 'expected peft_type LORA, got IA3'],
  [{ r: 0 }, 'expected r to be a positive number, got 0'],
  [{ r: -1 }, 'expected r to be a positive number, got -1'],
  [{ r: 2.5 }, 'expected r to be an integer, got 2.5'],
  [{ r: '8' }, 'expected r to be a positive number, got "8"'],
  [{ lora_alpha: 0 }, 'expected lora_alpha to be a positive number, got 0'],
  [{ bias: 'all' }, 'expected bias none, got all'],
  [{ use_dora: true }, 'use_dora is not supported; merge the adapter in Python'],
  [{ rank_pattern: { q_proj: 4 } }, 'rank_pattern is not supported'],
  [{ exclude_modules: ['k_proj', 'v_proj'] }, 'exclude_modules is not supported'],
  [{ layers_pattern: 'h' }, 'layers_pattern is not supported'],
  [{ target_modules: [] }, 'expected target_modules to name some, got none'],
  [{ target_modules: null }, 'expected target_modules to be some of q_proj, '],
  [{ target_modules: ['q_proj', 'x.y'] }, 'got y'],
  [{ target_modules: [3] }, 'got 3'],
  [{ target_modules: ['all-linear'] }, 'got all-linear'],
  [{ modules_to_save: ['score'] }, 'expected modules_to_save to be some of embed_tokens, lm_head, got score'],
  [{ trainable_token_indices: [-1] }, 'expected trainable_token_indices to be token ids'],
  [{ trainable_token_indices: [1.5] }, 'expected trainable_token_indices to be token ids'],
  [{ trainable_token_indices: { embed_tokens: 3 } }, 'expected trainable_token_indices to be token ids'],
  [{ trainable_token_indices: 'all' }, 'expected trainable_token_indices to be token ids'],
  [
    { trainable_token_indices: { score: [1] } },
    'expected trainable_token_indices to be some of embed_tokens, lm_head, got score',
  ],
])('%j is refused', (fields, message) => {
  refuses(fields, message);
});

test.each(['null', '3', '"x"', '[]'])('%s is no description', (text) => {
  writeFileSync(join(folder, 'adapter_config.json'), text);
  expect(() => readAdapterConfig(folder)).toThrow('adapter_config.json: expected an object');
});

test('what is written is read back', () => {
  const { lora } = read({ ...LEAST, r: 3, modules_to_save: ['lm_head'] });
  const write = (of: object, rows: object): object => toPeftConfig({ ...lora, ...of }, rows) as object;
  expect(read(write({}, {}))).toEqual({ lora, rows: {} });
  expect(write({ modules: [] }, {})).toMatchObject({ modules_to_save: null, trainable_token_indices: null });
  expect(write({}, {})).toMatchObject({ modules_to_save: ['lm_head'] });
  expect(write({}, { embed_tokens: [4] })).toMatchObject({ trainable_token_indices: [4] });
  const both = { embed_tokens: [4], lm_head: [5] };
  expect(read(write({}, both)).rows).toEqual(both);
});

describe('options of adapters', () => {
  const all = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'];

  test('defaults', () => {
    expect(parseLora({}, 'b', true)).toEqual({
      ...{ rank: 32, alpha: 32, dropout: 0.05, targets: all, modules: ['embed_tokens', 'lm_head'], rslora: false },
      ...{ base: 'b', newTokens: true },
    });
    expect(parseLora({ modules: [] }, resolve('b'), false)).toMatchObject({ modules: [], newTokens: false });
    expect(parseLora({ targets: ['q_proj'], rank: 1, alpha: 0.5, dropout: 0 }, 'b', false)).toMatchObject({
      ...{ targets: ['q_proj'], rank: 1, alpha: 0.5, dropout: 0 },
    });
  });

  test.each([
    [{ rank: 0 }, 'got 0'],
    [{ alpha: 0 }, 'got 0'],
    [{ dropout: 1 }, 'got 1'],
    [{ dropout: -0.1 }, 'got -0.1'],
    [{ targets: [] }, 'lora: expected targets to be some of q_proj, '],
  ])('%j is refused', (options, message) => {
    expect(() => parseLora(options, 'b', false)).toThrow(message);
  });

  test('the product is scaled by alpha / rank, or by its root; matrices layer by layer', () => {
    expect(loraScale({ alpha: 12, rank: 4, rslora: false })).toBe(3);
    expect(loraScale({ alpha: 12, rank: 4, rslora: true })).toBe(6);
    expect(loraMatrices(2, { targets: ['v_proj', 'up_proj'] })).toEqual(
      [0, 1].flatMap((layer) =>
        ['self_attn.v_proj', 'mlp.up_proj'].map((name) => `model.layers.${layer}.${name}.weight`),
      ),
    );
  });
});
