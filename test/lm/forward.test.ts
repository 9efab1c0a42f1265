/** The forest forward pass against Hugging Face's decoders (golden files: test/golden/make_decoders.py). */
import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { forwardForest, outputLayer, prepareForest } from '../../lib/lm/decoder.js';
import { chain, prefixTree, type Forest, packTrees } from '../../lib/lm/forest.js';
import { loadModel } from '../../lib/lm/model.js';
import { type LanguageModel } from '../../lib/lm/language-model.js';
import { targetLogProbs } from '../../lib/ops/target-log-probs.js';

interface Golden {
  texts: { tokens: number[]; logits: number[] }[];
  chain: { loss: number; gradients: Record<string, number[]> };
  comb: {
    trunk: number[];
    branches: number[][];
    weights: number[];
    loss: number;
    logits: number[][];
    gradients: Record<string, number[]>;
  };
}

beforeAll(async () => void (await useEngine()));

describe.each(['qwen2-tied', 'qwen2-untied', 'qwen3', 'llama'])('%s', (name) => {
  const folder = `test/golden/${name}`;
  const golden = JSON.parse(readFileSync(`${folder}/golden.json`, 'utf8')) as Golden;
  let model: LanguageModel;
  beforeAll(() => {
    model = loadModel(folder);
  });

  test('logits of several texts in one forest', () => {
    const logits = allLogits(model, packTrees(golden.texts.map(({ tokens }) => chain(tokens))));
    const expected = golden.texts.flatMap((text) => text.logits);
    expect(largestDifference(logits, expected)).toBeLessThan(1e-4);
  });

  test('logits of a prompt shared by several branches', () => {
    const { trunk, branches, logits } = golden.comb;
    const tree = prefixTree(trunk, branches);
    const ours = allLogits(model, packTrees([chain([1, 2, 3]), tree]));
    const vocabulary = model.config.vocabSize;
    branches.forEach((_, b) => {
      const nodes = [...trunk.keys(), ...tree.nodes[b]!].map((node) => node + 3);
      const path = nodes.flatMap((node) => [...ours.subarray(node * vocabulary, (node + 1) * vocabulary)]);
      expect(largestDifference(path, logits[b]!)).toBeLessThan(1e-4);
    });
  });

  test('gradients of chains', () => {
    const texts = golden.texts.map(({ tokens }) => tokens).filter((tokens) => tokens.length > 1);
    const forest = packTrees(texts.map(chain));
    const row: number[] = [];
    const token: number[] = [];
    texts.forEach((text, t) =>
      text.slice(1).forEach((next, i) => {
        row.push(forest.starts[t]! + i);
        token.push(next);
      }),
    );
    compareGradients(
      model,
      forest,
      row,
      token,
      row.map(() => 1),
      golden.chain,
    );
  });

  test('gradients of a prefix tree equal those of its separate texts in PyTorch', () => {
    const { trunk, branches, weights } = golden.comb;
    const tree = prefixTree(trunk, branches);
    const forest = packTrees([tree]);
    const row: number[] = [];
    const token: number[] = [];
    const weight: number[] = [];
    branches.forEach((branch, b) =>
      branch.forEach((next, i) => {
        row.push(i === 0 ? trunk.length - 1 : tree.nodes[b]![i - 1]!);
        token.push(next);
        weight.push(weights[b]!);
      }),
    );
    compareGradients(model, forest, row, token, weight, golden.comb);
  });
});

function hidden({ config, weights }: LanguageModel, forest: Forest): tf.Tensor2D {
  return forwardForest(config, weights, prepareForest(config, forest));
}

function allLogits(model: LanguageModel, forest: Forest): Float32Array {
  return tf.tidy(() =>
    tf.matMul(hidden(model, forest), outputLayer(model.config, model.weights), false, true).dataSync<'float32'>(),
  );
}

function compareGradients(
  model: LanguageModel,
  forest: Forest,
  row: number[],
  token: number[],
  weight: number[],
  golden: { loss: number; gradients: Record<string, number[]> },
): void {
  const { config, weights } = model;
  const targets = { row: Int32Array.from(row), token: Int32Array.from(token) };
  const prepared = prepareForest(config, forest);
  const { value, grads } = tf.variableGrads(() => {
    const logProbs = targetLogProbs(forwardForest(config, weights, prepared), outputLayer(config, weights), targets);
    return tf.neg(tf.sum(tf.mul(logProbs, tf.tensor1d(weight)))).asScalar();
  }, [...weights.values()]);
  expect(value.dataSync()[0]).toBeCloseTo(golden.loss, 3);
  for (const [name, variable] of weights) {
    const ours = grads[variable.name]!.dataSync<'float32'>();
    const theirs = golden.gradients[name]!;
    const apart = Math.sqrt(theirs.reduce((sum, g, i) => sum + (g - ours[i]!) ** 2, 0));
    const size = Math.sqrt(theirs.reduce((sum, g) => sum + g * g, 0));
    expect(apart / Math.max(size, 1e-6), name).toBeLessThan(1e-4); // a key's bias has no gradient but rounding
  }
}

function largestDifference(ours: ArrayLike<number>, theirs: readonly number[]): number {
  expect(ours.length).toBe(theirs.length);
  return theirs.reduce((largest, x, i) => Math.max(largest, Math.abs(x - ours[i]!)), 0);
}
