/** Keys and values of growing texts: the hidden states of whole texts, computed anew, and how much is kept. */
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { ChainCache } from '../../lib/decode/generate-cache.js';
import { useEngine } from '../../lib/engine/engine.js';
import { forwardForest, prepareForest } from '../../lib/lm/decoder.js';
import { chain, packTrees } from '../../lib/lm/forest.js';
import type { LanguageModel } from '../../lib/lm/language-model.js';
import { loadModel } from '../../lib/lm/model.js';

beforeAll(async () => void (await useEngine()));

/** The token that text `u` grows by in a step. */
const tokenOf = (u: number, step: number): number => (7 * u + 5 * step + 3) % 41;

describe.each(['qwen3', 'llama'])('%s', (name) => {
  let model: LanguageModel;
  beforeAll(() => {
    model = loadModel(`test/golden/${name}`);
  });

  function lastHidden(text: readonly number[]): number[] {
    const rows = tf.tidy(
      () =>
        forwardForest(
          model.config,
          model.weights,
          prepareForest(model.config, packTrees([chain(text)])),
        ).arraySync() as number[][],
    );
    return rows.at(-1)!;
  }

  function expectRows(hidden: tf.Tensor2D, texts: readonly (readonly number[])[]): void {
    const rows = hidden.arraySync();
    expect(rows).toHaveLength(texts.length);
    texts.forEach((text, u) => {
      lastHidden(text).forEach((value, d) => expect(rows[u]![d]).toBeCloseTo(value, 4));
    });
  }

  test.each([
    ['of several lengths', [[3], [4, 5, 6, 7], [8, 9]]],
    ['one of one token', [[3]]],
  ])('texts %s, some of them dropped', (_, prompts) => {
    const cache = new ChainCache(model, prompts);
    let texts = prompts.map((prompt) => [...prompt]);
    expectRows(cache.last, texts);
    for (let step = 0; step < 9; step++) {
      if (step === 4 && texts.length > 1) {
        cache.keep([2, 0]);
        texts = [texts[2]!, texts[0]!];
      }
      texts.forEach((text, u) => text.push(tokenOf(u, step)));
      const hidden = cache.grow(texts.map((text) => text.at(-1)!));
      expectRows(hidden, texts);
      hidden.dispose();
    }
    cache.dispose();
  });

  test('pieces of powers of two: as many as the steps have ones in base 2, and none is left behind', () => {
    const before = tf.memory().numTensors;
    const cache = new ChainCache(model, [[3, 4], [5]]);
    const empty = tf.memory().numTensors;
    for (let step = 1; step <= 16; step++) {
      cache.grow([tokenOf(0, step), tokenOf(1, step)]).dispose();
      const ones = [...step.toString(2)].filter((digit) => digit === '1').length;
      expect(tf.memory().numTensors - empty).toBe(2 * model.config.layers * ones);
      if (step === 10) cache.keep([1, 0]);
    }
    cache.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});
