/**
 * Decoders whose products are in bfloat16: as near to float32 as PyTorch's autocast (test/golden/make_bfloat16.py), with
 * our tape, layer checkpointing, adapters and split tables alike.
 */
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { kernelCounts } from '../../lib/engine/kernel-counts.js';
import { readSafetensors } from '../../lib/files/safetensors.js';
import { forwardForest, prepareForest } from '../../lib/lm/decoder.js';
import { chain, packTrees } from '../../lib/lm/forest.js';
import { outputTable } from '../../lib/lm/lora/adapted-weights.js';
import { freeze } from '../../lib/lm/lora/freeze.js';
import { parseLora } from '../../lib/lm/lora/lora-options.js';
import { addLora } from '../../lib/lm/lora/lora.js';
import { nonFiniteWeight } from '../../lib/decode/finite-scores.js';
import { weightArray } from '../../lib/lm/model-files.js';
import { loadModel, saveModel } from '../../lib/lm/model.js';
import { trainableWeights, type LanguageModel } from '../../lib/lm/language-model.js';
import { EMBEDDING } from '../../lib/lm/weight-names.js';
import { disposeWeights } from '../../lib/lm/weights.js';
import { hasBfloat16, isBfloat16, roundToBfloat16 } from '../../lib/ops/bfloat16.js';
import { hasFused } from '../../lib/ops/fused.js';
import type { Precision } from '../../lib/ops/precision.js';
import { tableLogits } from '../../lib/ops/split-table.js';
import { onTape } from '../../lib/ops/tape.js';
import { targetLogProbs } from '../../lib/ops/target-log-probs.js';

interface Golden {
  texts: { tokens: number[]; logits: number[] }[];
  chain: { gradients: Record<string, number[]> };
}

const { models } = JSON.parse(readFileSync('test/golden/bfloat16.json', 'utf8')) as {
  models: Record<string, { logits: number; gradients: number }>;
};

/** Sums of sixteen numbers: another order of the same sum moves the error by as much. */
const SPREAD = 1.3;

await useEngine();

const inPrecision = (model: LanguageModel, precision: Precision): LanguageModel => ({
  ...model,
  config: { ...model.config, precision },
});

function logitsOf({ config, weights }: LanguageModel, texts: readonly number[][]): number[] {
  const logits = tf.tidy(() => {
    const hidden = forwardForest(config, weights, prepareForest(config, packTrees(texts.map(chain))));
    return tableLogits(hidden, outputTable(config, weights), config.precision).dataSync<'float32'>();
  });
  return [...logits];
}

function gradientsOf(model: LanguageModel, texts: readonly number[][], layerCheckpointing = false) {
  const { config, weights } = model;
  const forest = packTrees(texts.map(chain));
  const prepared = prepareForest(config, forest);
  const at = texts.flatMap((text, t) => text.slice(1).map((token, i) => ({ row: forest.starts[t]! + i, token })));
  const targets = { row: Int32Array.from(at, ({ row }) => row), token: Int32Array.from(at, ({ token }) => token) };
  const learning = trainableWeights(model);
  const { grads, value } = tf.variableGrads(() => {
    const logProbs = onTape([...learning.values()], () => {
      const hidden = forwardForest(config, weights, prepared, { layerCheckpointing });
      return targetLogProbs(hidden, outputTable(config, weights), targets, undefined, config.precision);
    });
    return tf.neg(tf.sum(logProbs)).asScalar();
  }, [...learning.values()]);
  value.dispose();
  return new Map([...learning].map(([name, { name: id }]) => [name, [...grads[id]!.dataSync<'float32'>()]]));
}

function apart(ours: readonly number[], theirs: readonly number[]): number {
  const square = (values: readonly number[]): number => values.reduce((sum, x) => sum + x * x, 0);
  return Math.sqrt(square(theirs.map((x, i) => x - ours[i]!)) / square(theirs));
}

describe.each(['qwen2-tied', 'qwen2-untied', 'qwen3', 'llama'])('%s', (name) => {
  const golden = JSON.parse(readFileSync(`test/golden/${name}/golden.json`, 'utf8')) as Golden;
  const texts = golden.texts.map(({ tokens }) => tokens);
  const longer = texts.filter((text) => text.length > 1);
  let model: LanguageModel;
  beforeAll(() => {
    model = inPrecision(loadModel(`test/golden/${name}`), 'bfloat16');
    return () => disposeWeights(model.weights);
  });

  test('logits', () => {
    const error = apart(
      logitsOf(model, texts),
      golden.texts.flatMap(({ logits }) => logits),
    );
    expect(error).toBeLessThan(SPREAD * models[name]!.logits);
    expect(error).toBeGreaterThan(1e-4); // float32 would be nearer
  });

  test.each([false, true])('gradients (layer checkpointing: %s)', (layerCheckpointing) => {
    const ours = gradientsOf(model, longer, layerCheckpointing);
    const names = Object.keys(golden.chain.gradients);
    const [mine, theirs] = [names.map((n) => ours.get(n)!), names.map((n) => golden.chain.gradients[n]!)];
    const error = apart(mine.flat(), theirs.flat());
    expect(error).toBeLessThan(SPREAD * models[name]!.gradients);
    expect(error).toBeGreaterThan(1e-4);
  });

  test('adapters: near to float32, and their base gets no gradient', () => {
    const lora = parseLora({ rank: 4, dropout: 0 }, `test/golden/${name}`, false);
    const adapted = addLora(loadModel(`test/golden/${name}`), lora, 3);
    for (const [part, weight] of adapted.weights) {
      if (part.includes('lora_B')) weight.assign(tf.randomNormal(weight.shape, 0, 0.1, 'float32', 5)); // from zeros
    }
    const float = gradientsOf(inPrecision(adapted, 'float32'), longer);
    const half = gradientsOf(inPrecision(adapted, 'bfloat16'), longer);
    expect([...half.keys()]).toEqual([...float.keys()]);
    const error = apart([...half.values()].flat(), [...float.values()].flat());
    expect(error).toBeLessThan(0.03);
    expect(error).toBeGreaterThan(1e-4);
    disposeWeights(adapted.weights);
  });

  test('trained rows of frozen tables', () => {
    const frozen = freeze(loadModel(`test/golden/${name}`), 'all-but-new-rows', { first: 30, count: 5 });
    const float = gradientsOf(inPrecision(frozen, 'float32'), longer);
    const half = gradientsOf(inPrecision(frozen, 'bfloat16'), longer);
    expect(apart([...half.values()].flat(), [...float.values()].flat())).toBeLessThan(0.03);
    const [a, b] = (['bfloat16', 'float32'] as const).map((way) => logitsOf(inPrecision(frozen, way), texts));
    expect(apart(a!, b!)).toBeLessThan(SPREAD * models[name]!.logits);
    disposeWeights(frozen.weights);
  });

  test('a frozen model: its matrices in bfloat16 alone give the same numbers, and are saved as they are', () => {
    const frozen = loadModel(`test/golden/${name}`, { precision: 'bfloat16', frozen: true });
    const rounded = loadModel(`test/golden/${name}`, { precision: 'bfloat16' });
    const table = rounded.weights.get(EMBEDDING)!; // its rows are read, not only multiplied with
    table.assign(tf.tensor(roundToBfloat16(table.dataSync<'float32'>()), table.shape));
    expect(logitsOf(frozen, texts)).toEqual(logitsOf(rounded, texts));
    disposeWeights(rounded.weights);
    for (const [part, weight] of frozen.weights) {
      expect(isBfloat16(weight), part).toBe(hasBfloat16() && weight.rank === 2);
      const { data } = weightArray(frozen, part);
      const own = weightArray(model, part).data;
      expect([...data]).toEqual([...(weight.rank === 2 ? roundToBfloat16(own) : own)]);
    }
    expect(nonFiniteWeight(frozen)).toBeUndefined();
    disposeWeights(frozen.weights);
  });

  test('saved in bfloat16: half the bytes, the rounded numbers, and no second rounding', () => {
    const folder = mkdtempSync(join(tmpdir(), 'sidlab-bf16-'));
    try {
      for (const [at, dtype] of [
        ['a', 'float32'],
        ['b', 'bfloat16'],
        ['c', 'bfloat16'],
      ] as const) {
        const from = at === 'c' ? loadModel(join(folder, 'b'), { precision: 'bfloat16', frozen: true }) : model;
        saveModel(join(folder, at), from, undefined, undefined, { saveDtype: dtype });
        if (at === 'c') disposeWeights(from.weights);
      }
      const [a, b, c] = ['a', 'b', 'c'].map((at) => readSafetensors(join(folder, at, 'model.safetensors')));
      for (const [part, { data, shape }] of a!) {
        expect(b!.get(part)).toEqual({ shape, data: roundToBfloat16(data) });
        expect(c!.get(part)).toEqual(b!.get(part));
      }
      const bytes = (at: string): number => statSync(join(folder, at, 'model.safetensors')).size;
      expect(bytes('b')).toBeLessThan(0.65 * bytes('a')); // a small model's header is a good part of it
      const { torch_dtype: dtype } = JSON.parse(readFileSync(join(folder, 'b/config.json'), 'utf8')) as Record<
        string,
        string
      >;
      expect(dtype).toBe('bfloat16');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test.runIf(hasBfloat16())('no product of a layer or of the output is in float32', async () => {
    const { own } = await kernelCounts(() => gradientsOf(model, longer));
    expect(own.tensorflow!.SidlabMatMulBfloat16).toBe(3 * (7 * model.config.layers + 1));
    // Where attention is composed (on a GPU) its scores and sums are products too, in float32: of each group two, and
    // four gradients.
    const attention = hasFused('SidlabForestAttention') ? undefined : 6 * model.config.layers;
    expect(own.tensorflow!.BatchMatMul).toBe(attention);
  });
});
