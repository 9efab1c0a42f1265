/** Parameters of a decoder: their names and shapes, what random ones are, and that none is taken that does not fit. */
import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { ARCHITECTURES } from '../../lib/lm/choices.js';
import { type ModelConfig, parseConfig } from '../../lib/lm/config.js';
import { disposeWeights, randomWeights, weightsFrom, weightShapes } from '../../lib/lm/weights.js';

beforeAll(async () => void (await useEngine()));

const base = parseConfig(JSON.parse(readFileSync('test/golden/qwen3/config.json', 'utf8')), 'config.json');
const config: ModelConfig = {
  ...base,
  ...{ vocabSize: 50, width: 24, layers: 2, heads: 6, keyHeads: 3, headDim: 10, feedForward: 28, tied: false },
};

test.each(ARCHITECTURES)('%s: names and shapes, in the order of the file', (architecture) => {
  const own: Record<string, [string, number[]][]> = {
    qwen2: [['q_proj.bias', [60]], ['k_proj.bias', [30]], ['v_proj.bias', [30]]],
    qwen3: [['q_norm.weight', [10]], ['k_norm.weight', [10]]],
    llama: [],
  }; // prettier-ignore
  const layers = [0, 1].flatMap((layer) =>
    [
      ['input_layernorm.weight', [24]],
      ['self_attn.q_proj.weight', [60, 24]],
      ['self_attn.k_proj.weight', [30, 24]],
      ['self_attn.v_proj.weight', [30, 24]],
      ...own[architecture]!.map(([name, shape]) => [`self_attn.${name}`, shape]),
      ['self_attn.o_proj.weight', [24, 60]],
      ['post_attention_layernorm.weight', [24]],
      ['mlp.gate_proj.weight', [28, 24]],
      ['mlp.up_proj.weight', [28, 24]],
      ['mlp.down_proj.weight', [24, 28]],
    ].map(([name, shape]) => [`model.layers.${layer}.${name as string}`, shape]),
  );
  const ends = [['model.norm.weight', [24]], ['lm_head.weight', [50, 24]]]; // prettier-ignore
  const all = [['model.embed_tokens.weight', [50, 24]], ...layers, ...ends];
  expect([...weightShapes({ ...config, architecture })]).toEqual(all);
  expect([...weightShapes({ ...config, architecture, tied: true })]).toEqual(all.slice(0, -1));
});

test('random weights: normal with deviation 0.02, norms one, biases zero, each name and seed its own', () => {
  const weights = randomWeights({ ...config, architecture: 'qwen2', vocabSize: 400 }, 3);
  for (const [name, weight] of weights) {
    expect(weight.shape).toEqual(weightShapes({ ...config, architecture: 'qwen2', vocabSize: 400 }).get(name));
    const values = [...weight.dataSync()];
    if (name.endsWith('norm.weight')) expect(new Set(values)).toEqual(new Set([1]));
    else if (name.endsWith('bias')) expect(new Set(values)).toEqual(new Set([0]));
    else {
      const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
      const deviation = Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length);
      expect(Math.abs(mean)).toBeLessThan((5 * 0.02) / Math.sqrt(values.length));
      expect(Math.abs(deviation / 0.02 - 1)).toBeLessThan(5 / Math.sqrt(2 * values.length));
      expect(values).not.toContain(0);
    }
  }
  const first = (seed: number, name: string): number => randomWeights(config, seed).get(name)!.dataSync()[0]!;
  expect(first(3, 'lm_head.weight')).toBe(first(3, 'lm_head.weight'));
  expect(first(3, 'lm_head.weight')).not.toBe(first(4, 'lm_head.weight'));
  expect(first(3, 'lm_head.weight')).not.toBe(first(3, 'model.embed_tokens.weight'));
});

test('a parameter that is missing or of another shape is named, and nothing is left behind', () => {
  const random = randomWeights(config, 1);
  const before = tf.memory().numTensors;
  const from = (change: (name: string) => tf.Tensor | undefined) => () =>
    weightsFrom({ get: change }, config, 'model.safetensors');
  const whole = from((name) => random.get(name)!.clone())();
  expect([...whole.keys()]).toEqual([...random.keys()]);
  disposeWeights(whole);
  const without = from((name) => (name.endsWith('v_proj.weight') ? undefined : random.get(name)!.clone()));
  expect(without).toThrow('model.safetensors: model.layers.0.self_attn.v_proj.weight is missing');
  const turned = from((name) => (name === 'lm_head.weight' ? tf.zeros([24, 50]) : random.get(name)!.clone()));
  expect(turned).toThrow('expected lm_head.weight of [50, 24], got [24, 50]');
  expect(tf.memory().numTensors).toBe(before);
});
