/** Freezing is exact: what is frozen keeps its bits, what is trained goes the way of a run whose other gradients are zero. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { forwardForest, outputLayer, prepareForest } from '../../lib/lm/decoder.js';
import { chain, packTrees } from '../../lib/lm/forest.js';
import { type NewRows, outputTable } from '../../lib/lm/lora/adapted-weights.js';
import { type Freeze } from '../../lib/lm/choices.js';
import { freeze, joinNewRows, tableNames } from '../../lib/lm/lora/freeze.js';
import { parseLora } from '../../lib/lm/lora/lora-options.js';
import { addLora } from '../../lib/lm/lora/lora.js';
import { foldLora } from '../../lib/lm/lora/merge.js';
import { weightArray } from '../../lib/lm/model-files.js';
import { loadModel, saveModel } from '../../lib/lm/model.js';
import { trainableWeights } from '../../lib/lm/language-model.js';
import { type LanguageModel } from '../../lib/lm/language-model.js';
import { extendVocabulary } from '../../lib/lm/tokenizer/extend-vocabulary.js';
import { wordTokenizer } from '../../lib/lm/tokenizer/tokenizer.js';
import { EMBEDDING, OUTPUT } from '../../lib/lm/weight-names.js';
import { weightShapes } from '../../lib/lm/weights.js';
import { targetLogProbs } from '../../lib/ops/target-log-probs.js';
import { Optimizer } from '../../lib/train/optim/optimizer.js';

beforeAll(async () => void (await useEngine()));

const INDEX = [
  ['<a_0>', '<b_0>'],
  ['<a_0>', '<b_1>'],
  ['<a_1>', '<b_2>'],
];
const STEPS = 6;
const OPTIONS = { weightDecay: 0.01, maxGradNorm: 1 };

/** A golden decoder whose tokenizer has `known` of its 41 rows; five SID tokens follow. */
function extended(name: string, known: number): { model: LanguageModel; newRows: NewRows } {
  const words = Array.from({ length: known - 2 }, (_, i) => `word${i}`);
  const { model, added } = extendVocabulary(loadModel(`test/golden/${name}`), wordTokenizer(words, []), INDEX, 3);
  return { model, newRows: { first: known, count: added.length } };
}

describe.each([
  ['qwen2-tied', 41],
  ['qwen2-untied', 41],
  ['qwen3', 30], // rows of padding stand behind the new ones
])('%s, new rows from %d', (name, known) => {
  test('all but the new rows: old rows keep their bits, new rows follow masked gradients', () => {
    const { model: plain, newRows } = extended(name, known);
    const start = arrays(plain);
    const frozen = freeze(extended(name, known).model, 'all-but-new-rows', newRows);
    const losses = trainFrozen(frozen, newRows);
    expect(trainMasked(plain, newRows).map((x) => x.toFixed(4))).toEqual(losses.map((x) => x.toFixed(4)));
    const { first, count } = newRows;
    for (const [key, value] of arrays(frozen)) {
      const before = start.get(key)!;
      if (key !== EMBEDDING && key !== OUTPUT) {
        expect(value, key).toEqual(before);
        continue;
      }
      const width = plain.config.width;
      const [from, to] = [first * width, (first + count) * width];
      expect(value.subarray(0, from)).toEqual(before.subarray(0, from));
      expect(value.subarray(to)).toEqual(before.subarray(to));
      const masked = weightArray(plain, key).data;
      value.subarray(from, to).forEach((x, i) => {
        expect(Math.abs(x - masked[from + i]!)).toBeLessThan(2e-5);
        expect(x).not.toBe(before[from + i]);
      });
    }
  });

  test('gradient and optimizer state are of the new rows alone', () => {
    const { model, newRows } = extended(name, known);
    const frozen = freeze(model, 'all-but-new-rows', newRows);
    const tables = tableNames(model).length;
    const size = newRows.count * model.config.width;
    expect([...trainableWeights(frozen).values()].map((weight) => weight.size)).toEqual(Array(tables).fill(size));
    const state = new Optimizer(trainableWeights(frozen), OPTIONS).save();
    expect([...state.values()].reduce((sum, { read }) => sum + read().length, 0)).toBe(2 * tables * size);
  });

  test('saved, joined and loaded it is one model', () => {
    const { model, newRows } = extended(name, known);
    const frozen = freeze(model, 'all-but-new-rows', newRows);
    trainFrozen(frozen, newRows);
    const folder = mkdtempSync(join(tmpdir(), 'sidlab-freeze-'));
    saveModel(folder, frozen);
    const expected = logits(frozen, [3, known, known + 4]);
    expect(logits(loadModel(folder), [3, known, known + 4])).toEqual(
      logits(joinNewRows(frozen), [3, known, known + 4]),
    );
    expect(logits(loadModel(folder), [3, known, known + 4]).map((x) => x.toFixed(3))).toEqual(
      expected.map((x) => x.toFixed(3)),
    );
  });

  test('with LoRA: adapters and new rows are trained, and an adapter is what is saved', () => {
    const { model, newRows } = extended(name, known);
    const base = `test/golden/${name}`;
    const lora = parseLora({ rank: 2, modules: [], dropout: 0 }, base, true);
    const tuned = addLora(freeze(model, 'all-but-new-rows', newRows), lora, 1);
    const before = arrays(tuned);
    trainFrozen(tuned, newRows);
    const folder = mkdtempSync(join(tmpdir(), 'sidlab-freeze-'));
    saveModel(folder, tuned);
    for (const [key, value] of arrays(tuned)) {
      if (key !== EMBEDDING && key !== OUTPUT) expect(value, key).toEqual(before.get(key));
    }
    const tokens = [3, known, known + 4];
    const expected = logits(tuned, tokens);
    const [loaded, folded] = [logits(loadModel(folder), tokens), logits(foldLora(tuned), tokens)];
    expected.forEach((x, i) => {
      expect(Math.abs(loaded[i]! - x)).toBeLessThan(1e-4);
      expect(Math.abs(folded[i]! - x)).toBeLessThan(1e-4);
    });
  });
});

test.each([
  ['none', 27],
  ['embeddings', 25],
  ['all-but-embeddings', 2],
] as const)('%s: %d weights learn', (what: Freeze, learning: number) => {
  const { model, newRows } = extended('qwen2-untied', 41);
  const start = arrays(model);
  const frozen = freeze(model, what, newRows);
  expect(trainableWeights(frozen).size).toBe(learning);
  trainFrozen(frozen, newRows);
  for (const [key, value] of arrays(frozen)) {
    const learns = what === 'none' || (key === EMBEDDING || key === OUTPUT) === (what === 'all-but-embeddings');
    if (learns) expect(value, key).not.toEqual(start.get(key));
    else expect(value, key).toEqual(start.get(key));
  }
});

test('nothing new, nothing to train', () => {
  expect(() => freeze(loadModel('test/golden/qwen2-tied'), 'all-but-new-rows', { first: 41, count: 0 })).toThrow(
    '--freeze all-but-new-rows: expected a --model folder to which the index adds tokens',
  );
});

/** Whole weights under Hugging Face's names, copied. */
function arrays(model: LanguageModel): Map<string, Float32Array> {
  const names = [...weightShapes(model.config).keys()];
  return new Map(names.map((name) => [name, Float32Array.from(weightArray(model, name).data)]));
}

/** Texts that read and write old and new tokens. */
function texts({ first }: NewRows): number[][] {
  return [
    [3, first, first + 2, 5, first + 1, first + 4],
    [7, first + 1, first + 3, 0],
  ];
}

function gradients(model: LanguageModel, newRows: NewRows): { loss: number; of: Map<string, tf.Tensor> } {
  const { config, weights } = model;
  const all = texts(newRows);
  const forest = packTrees(all.map((text) => chain(text.slice(0, -1))));
  const targets = {
    row: Int32Array.from(forest.token.keys()),
    token: Int32Array.from(all.flatMap((text) => text.slice(1))),
  };
  const prepared = prepareForest(config, forest);
  const learning = trainableWeights(model);
  const { value, grads } = tf.variableGrads(() => {
    const hidden = forwardForest(config, weights, prepared);
    return tf.neg(tf.mean(targetLogProbs(hidden, outputTable(config, weights), targets))).asScalar();
  }, [...learning.values()]);
  return { loss: value.dataSync()[0]!, of: new Map([...learning].map(([name, { name: id }]) => [name, grads[id]!])) };
}

function trainFrozen(model: LanguageModel, newRows: NewRows): number[] {
  const optimizer = new Optimizer(trainableWeights(model), OPTIONS);
  return Array.from({ length: STEPS }, (_, i) => {
    const { loss, of } = gradients(model, newRows);
    optimizer.apply(of, i + 1, 0.05);
    return loss;
  });
}

/** The same by a dense gradient whose old rows are zero, old rows put back after each step. */
function trainMasked(model: LanguageModel, newRows: NewRows): number[] {
  const { first, count } = newRows;
  const tables = new Map(tableNames(model).map((name) => [name as string, model.weights.get(name)!]));
  const optimizer = new Optimizer(tables, OPTIONS);
  const [rows] = [...tables.values()][0]!.shape as [number];
  const fresh = tf.tensor2d(Array.from({ length: rows }, (_, row) => [Number(row >= first && row < first + count)]));
  return Array.from({ length: STEPS }, (_, i) => {
    const { loss, of } = gradients(model, newRows);
    const before = new Map([...tables].map(([name, table]) => [name, table.clone()]));
    optimizer.apply(new Map([...tables.keys()].map((name) => [name, tf.mul(of.get(name)!, fresh)])), i + 1, 0.05);
    for (const [name, table] of tables) table.assign(tf.where(tf.equal(fresh, 1), table, before.get(name)!));
    return loss;
  });
}

function logits({ config, weights }: LanguageModel, tokens: number[]): number[] {
  return tf.tidy(() => {
    const hidden = forwardForest(config, weights, prepareForest(config, packTrees([chain(tokens)])));
    return (tf.matMul(hidden, outputLayer(config, weights), false, true).arraySync() as number[][]).flat();
  });
}
