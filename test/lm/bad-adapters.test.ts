/** Adapters that are not what they say: one line, and what to do. */
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import fc from '../fast-check.js';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { type NamedArray, readSafetensors, writeSafetensors } from '../../lib/files/safetensors.js';
import { loadAdapter } from '../../lib/lm/lora/peft-files.js';
import { disposeWeights } from '../../lib/lm/weights.js';
import { InputError } from '../../lib/support/errors.js';

beforeAll(async () => void (await useEngine()));

const FACTOR = 'base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight';

type Change = (config: Record<string, unknown>, tensors: Map<string, NamedArray>) => void;

/** A copy of a golden adapter, changed. */
function changed(name: string, change: Change): string {
  const folder = mkdtempSync(join(tmpdir(), 'sidlab-adapter-'));
  cpSync(join('test/golden/lora', name), folder, { recursive: true });
  const [configFile, file] = [join(folder, 'adapter_config.json'), join(folder, 'adapter_model.safetensors')];
  const config = JSON.parse(readFileSync(configFile, 'utf8')) as Record<string, unknown>;
  const tensors = readSafetensors(file);
  change(config, tensors);
  writeFileSync(configFile, JSON.stringify(config));
  writeSafetensors(file, tensors);
  return folder;
}

const other = (...shape: number[]): NamedArray => ({ shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) });

const CHANGES: [string, string, Change, RegExp][] = [
  ['another kind of adapter', 'matrices', (c) => (c.peft_type = 'IA3'), /expected peft_type LORA, got IA3/],
  ['DoRA', 'matrices', (c) => (c.use_dora = true), /use_dora is not supported; merge the adapter in Python/],
  ['ranks by pattern', 'matrices', (c) => (c.rank_pattern = { q_proj: 2 }), /rank_pattern is not supported/],
  ['biases', 'matrices', (c) => (c.bias = 'all'), /expected bias none, got all/],
  ['no rank', 'matrices', (c) => (c.r = 0), /expected r to be a positive number, got 0/],
  ['half a rank', 'matrices', (c) => (c.r = 1.5), /expected r to be an integer, got 1.5/],
  [
    'a pattern of targets',
    'matrices',
    (c) => (c.target_modules = '.*proj'),
    /target_modules to be some of q_proj.*got \.\*proj/,
  ],
  ['no targets', 'matrices', (c) => (c.target_modules = []), /target_modules to name some, got none/],
  [
    'another module',
    'matrices',
    (c) => (c.modules_to_save = ['score']),
    /modules_to_save to be some of embed_tokens, lm_head, got score/,
  ],
  [
    'a base that is not here',
    'matrices',
    (c) => (c.base_model_name_or_path = 'someone/model'),
    /"someone\/model" is no model folder here/,
  ],
  ['no base', 'matrices', (c) => (c.base_model_name_or_path = null), /null is no model folder here/],
  [
    'a base of another shape',
    'matrices',
    (c) => (c.base_model_name_or_path = resolve('test/golden/qwen2-untied')),
    /expected .* of \[\d+, \d+\], got|is missing|unexpected/,
  ],
  [
    'another rank than the tensors',
    'matrices',
    (c) => (c.r = 3),
    /expected .*lora_A\.weight of \[3, 16\], got \[4, 16\]/,
  ],
  [
    'a target without tensors',
    'modules',
    (c) => (c.target_modules = ['q_proj', 'v_proj', 'k_proj']),
    /k_proj\.lora_A\.weight is missing/,
  ],
  ['tensors without a target', 'matrices', (c) => (c.target_modules = ['q_proj']), /unexpected .*lora_A\.weight/],
  [
    'a factor turned round',
    'matrices',
    (_, t) => t.set(FACTOR, other(16, 4)),
    /expected .*lora_A\.weight of \[4, 16\], got \[16, 4\]/,
  ],
  ['a factor lost', 'matrices', (_, t) => t.delete(FACTOR), /q_proj\.lora_A\.weight is missing/],
  [
    'a tensor more',
    'matrices',
    (_, t) => t.set('base_model.model.model.norm.weight', other(16)),
    /unexpected base_model\.model\.model\.norm\.weight/,
  ],
  [
    'a narrow table',
    'modules',
    (_, t) => t.set('base_model.model.lm_head.weight', other(41, 8)),
    /expected lm_head\.weight of at least \[41, 16\], got \[41, 8\]/,
  ],
  [
    'a short table',
    'modules',
    (_, t) => t.set('base_model.model.lm_head.weight', other(40, 16)),
    /at least \[41, 16\], got \[40, 16\]; is it an adapter of this base/,
  ],
  [
    'one table longer',
    'modules',
    (_, t) => t.set('base_model.model.lm_head.weight', other(50, 16)),
    /the embedding table has 41 rows, the output layer 50/,
  ],
  [
    'rows that are not told',
    'rows',
    (c) => (c.trainable_token_indices = [8]),
    /trainable_tokens_delta of \[1, 16\].*got \[3, 16\]/,
  ],
  [
    'rows of no number',
    'rows',
    (c) => (c.trainable_token_indices = ['a']),
    /expected trainable_token_indices to be token ids/,
  ],
];

test.each(CHANGES)('%s', (_, name, change, message) => {
  const before = tf.memory().numTensors;
  const folder = changed(name, change);
  expect(() => loadAdapter(folder)).toThrow(InputError);
  expect(() => loadAdapter(folder)).toThrow(message);
  expect(tf.memory().numTensors).toBe(before);
});

test('whatever the description says, it is an adapter or an error of one line', () => {
  const value = fc.oneof(fc.constant(null), fc.integer(), fc.double(), fc.string(), fc.array(fc.string()), fc.object());
  const names = [
    'peft_type',
    'r',
    'lora_alpha',
    'target_modules',
    'modules_to_save',
    'trainable_token_indices',
    'use_rslora',
  ];
  fc.assert(
    fc.property(fc.constantFrom(...names), value, (name, odd) => {
      const folder = changed('rows', (config) => (config[name] = odd));
      try {
        disposeWeights(loadAdapter(folder).weights);
      } catch (error) {
        expect(error).toBeInstanceOf(InputError);
        expect((error as Error).message).not.toContain('\n');
      }
    }),
    { numRuns: 60, seed: 1 },
  );
});

test.each(['null', '[]', '3', '{'])('a description that is %s', (text) => {
  const folder = changed('rows', () => {});
  writeFileSync(join(folder, 'adapter_config.json'), text);
  expect(() => loadAdapter(folder)).toThrow(InputError);
});
