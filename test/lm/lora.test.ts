/** Adapters against Python's peft (golden files: test/golden/make_lora.py), and what they promise by themselves. */
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { kernelCounts } from '../../lib/engine/kernel-counts.js';
import { forwardForest, outputLayer, prepareForest } from '../../lib/lm/decoder.js';
import { chain, type Forest, packTrees } from '../../lib/lm/forest.js';
import { factorName, outputTable } from '../../lib/lm/lora/adapted-weights.js';
import { type LoraOptions, parseLora } from '../../lib/lm/lora/lora-options.js';
import { addLora, loraMatrices, withLoraDropout } from '../../lib/lm/lora/lora.js';
import { foldLora, mergeLora, unmergeLora } from '../../lib/lm/lora/merge.js';
import { loadAdapter } from '../../lib/lm/lora/peft-files.js';
import { setTrainable } from '../../lib/lm/lora/set-trainable.js';
import { weightArray } from '../../lib/lm/model-files.js';
import { loadModel, saveModel } from '../../lib/lm/model.js';
import { trainableWeights } from '../../lib/lm/language-model.js';
import { type LanguageModel } from '../../lib/lm/language-model.js';
import { disposeWeights } from '../../lib/lm/weights.js';
import { targetLogProbs } from '../../lib/ops/target-log-probs.js';
import { Random } from '../../lib/support/random.js';

interface Golden {
  base: string;
  texts: { tokens: number[]; logits: number[] }[];
  loss: number;
  gradients: Record<string, number[]>;
}

const LORA = 'test/golden/lora';
const BASE = 'test/golden/qwen2-tied';
const TEXTS = [
  [3, 17, 29, 5, 11, 2, 40, 8, 9],
  [12, 0, 33, 21, 4, 6],
];

beforeAll(async () => void (await useEngine()));

describe.each(readdirSync(LORA))('an adapter that peft saved: %s', (name) => {
  const golden = JSON.parse(readFileSync(join(LORA, name, 'golden.json'), 'utf8')) as Golden;
  const expected = golden.texts.flatMap(({ logits }) => logits);
  const forest = packTrees(golden.texts.map(({ tokens }) => chain(tokens)));

  test('logits: beside the matrices, merged, and through a folder of ours', () => {
    const model = loadAdapter(join(LORA, name));
    expect(apart(logitsOf(model, forest), expected)).toBeLessThan(1e-4);
    const folder = mkdtempSync(join(tmpdir(), 'sidlab-lora-'));
    saveModel(folder, { ...model, lora: { ...model.lora!, newTokens: true } });
    expect(apart(logitsOf(loadModel(folder), forest), expected)).toBeLessThan(1e-4);
    const plain = foldLora(model);
    expect([...plain.weights.keys()].some((key) => key.includes('lora'))).toBe(false);
    expect(apart(logitsOf(plain, forest), expected)).toBeLessThan(1e-4);
    disposeWeights(plain.weights);
  });

  test("gradients of everything that is trained are PyTorch's", () => {
    const loaded = loadAdapter(join(LORA, name));
    const tables = Object.keys(golden.gradients).some((key) => /embed_tokens|lm_head/.test(key));
    const model = setTrainable(loaded, (key) => key.includes('lora_') || (tables && /embed_tokens|lm_head/.test(key)));
    const { value, gradients } = lossGradients(
      model,
      golden.texts.map(({ tokens }) => tokens),
    );
    expect(value).toBeCloseTo(golden.loss, 3);
    const raw = JSON.parse(readFileSync(join(LORA, name, 'adapter_config.json'), 'utf8')) as {
      trainable_token_indices: number[] | Record<string, number[]> | null;
    };
    for (const [key, theirs] of Object.entries(golden.gradients)) {
      const ours = gradients.get(
        key.replace('.modules_to_save', '').replace('token_adapter.trainable_tokens_delta', 'weight'),
      )!;
      const all = raw.trainable_token_indices;
      const rows =
        !key.includes('token_adapter') || !all ? undefined : Array.isArray(all) ? all : all[key.split('.').at(-3)!]!;
      const mine = rows ? tf.gather(ours, rows) : ours;
      expect(relative([...mine.dataSync()], theirs), key).toBeLessThan(1e-4);
    }
  });
});

test('a fresh adapter changes nothing; A is uniform within 1 / sqrt(in), B zero', () => {
  const base = loadModel(BASE);
  const forest = packTrees(TEXTS.map(chain));
  const before = logitsOf(base, forest);
  const model = withLora(base, { rank: 4 });
  expect(apart(logitsOf(model, forest), [...before])).toBe(0);
  const a = model.weights.get(factorName('model.layers.0.mlp.down_proj.weight', 'A'))!;
  const largest = Math.max(...a.dataSync().map(Math.abs));
  expect(largest).toBeLessThanOrEqual(1 / Math.sqrt(24));
  expect(largest).toBeGreaterThan(0.9 / Math.sqrt(24));
  expect(trainableWeights(model).size).toBe(2 * 7 * 2 + 1); // the one table of a tied model
});

test('unmerged weights are what they were, within a unit in the last place', () => {
  const model = loadAdapter(join(LORA, 'matrices'));
  const names = loraMatrices(model.config.layers, model.lora!);
  const read = (): Map<string, Float32Array> =>
    new Map(names.map((name) => [name, Float32Array.from(weightArray(model, name).data)]));
  const before = read();
  const merged = mergeLora(model);
  const between = read();
  expect(mergeLora(merged)).toBe(merged);
  const after = unmergeLora(merged);
  let moved = 0;
  for (const [name, weight] of read()) {
    const [was, withIt] = [before.get(name)!, between.get(name)!];
    weight.forEach((x, i) => {
      const ulp = 2 ** (Math.floor(Math.log2(Math.max(Math.abs(was[i]!), Math.abs(withIt[i]!)))) - 23);
      expect(Math.abs(x - was[i]!)).toBeLessThanOrEqual(ulp);
      if (withIt[i] !== was[i]) moved++;
    });
  }
  expect(moved).toBeGreaterThan(1000);
  expect(
    apart(logitsOf(after, packTrees([chain([3, 17])])), [
      ...logitsOf(loadAdapter(join(LORA, 'matrices')), packTrees([chain([3, 17])])),
    ]),
  ).toBeLessThan(1e-4);
});

test('no product is computed for the gradient of a frozen matrix', async () => {
  const products = async (model: LanguageModel): Promise<number> => {
    const { own } = await kernelCounts(() => lossGradients(model, TEXTS));
    return Object.values(own).reduce((sum, kernels) => sum + (kernels.BatchMatMul ?? 0), 0);
  };
  const whole = await products(loadModel(BASE));
  const one = await products(withLora(loadModel(BASE), { rank: 4, targets: ['q_proj'], modules: [] }));
  const [layers, matrices] = [2, 7];
  const ofTheirOwn = layers * matrices + 1; // dW of every matrix, and of the output layer
  const ofAdapters = layers * (2 + 4); // two products forward, four backward
  const belowTheFirst = 4; // dx of the first layer's k and v, and q's two: nothing under them learns
  expect(one).toBe(whole - ofTheirOwn + ofAdapters - belowTheFirst);
});

test('dropout: drawn anew each part, the same again in the same part, on average nothing', () => {
  const model = loadAdapter(join(LORA, 'matrices'));
  const lora = { ...model.lora!, dropout: 0.5 };
  const forest = packTrees([chain([3, 17, 29])]);
  const exact = logitsOf(model, forest);
  const random = new Random(1);
  const one = withLoraDropout({ ...model, lora }, random);
  const first = [...logitsOf(one, forest)];
  expect([...logitsOf(one, forest)]).toEqual(first);
  const second = [...logitsOf(withLoraDropout({ ...model, lora }, random), forest)];
  expect(second).not.toEqual(first);
  expect(first).not.toEqual([...exact]);
  const state = random.save();
  expect(withLoraDropout(model, random)).toBe(model); // no dropout: nothing is drawn
  expect(random.save()).toEqual(state);
});

test.each([
  [{ rank: 0 }, 'lora: expected rank to be a whole number of 1 or more, got 0'],
  [{ alpha: -1 }, 'lora: expected alpha to be a number above 0, got -1'],
  [{ dropout: 1 }, 'lora: expected dropout to be a number of 0 or more, below 1, got 1'],
  [{ targets: ['query'] as never }, 'lora: expected targets to be some of q_proj'],
  [{ modules: ['norm'] as never }, 'lora: expected modules to be some of embed_tokens, lm_head, got ["norm"]'],
])('%j is refused', (options, message) => {
  expect(() => parseLora(options, BASE, false)).toThrow(message);
});

function withLora(base: LanguageModel, options: LoraOptions): LanguageModel {
  return addLora(base, parseLora(options, BASE, false), 1);
}

function logitsOf({ config, weights }: LanguageModel, forest: Forest): Float32Array {
  const logits = tf.tidy(() => {
    const hidden = forwardForest(config, weights, prepareForest(config, forest));
    return tf.matMul(hidden, outputLayer(config, weights), false, true);
  });
  const values = logits.dataSync<'float32'>();
  logits.dispose();
  return values;
}

/** Of the sum of -log p of every token after the first. */
function lossGradients(model: LanguageModel, texts: number[][]): { value: number; gradients: Map<string, tf.Tensor> } {
  const { config, weights } = model;
  const long = texts.filter((text) => text.length > 1);
  const forest = packTrees(long.map(chain));
  const row = long.flatMap((text, t) => text.slice(1).map((_, i) => forest.starts[t]! + i));
  const targets = { row: Int32Array.from(row), token: Int32Array.from(long.flatMap((text) => text.slice(1))) };
  const prepared = prepareForest(config, forest);
  const learning = trainableWeights(model);
  const { value, grads } = tf.variableGrads(() => {
    const hidden = forwardForest(config, weights, prepared);
    return tf.neg(tf.sum(targetLogProbs(hidden, outputTable(config, weights), targets))).asScalar();
  }, [...learning.values()]);
  const gradients = new Map([...learning].map(([name, { name: id }]) => [name, grads[id]!] as const));
  return { value: value.dataSync()[0]!, gradients };
}

function apart(ours: ArrayLike<number>, theirs: readonly number[]): number {
  expect(ours.length).toBe(theirs.length);
  return theirs.reduce((largest, x, i) => Math.max(largest, Math.abs(x - ours[i]!)), 0);
}

function relative(ours: readonly number[], theirs: readonly number[]): number {
  expect(ours.length).toBe(theirs.length);
  const norm = (of: readonly number[]): number => Math.sqrt(of.reduce((sum, x) => sum + x * x, 0));
  return norm(theirs.map((x, i) => x - ours[i]!)) / Math.max(norm(theirs), 1e-6);
}
