/**
 * Prompts that share their beginnings, in one search, against each of them alone; in the fused and in the plain
 * implementation.
 */
import * as tf from '@tensorflow/tfjs';
import { afterEach, describe, expect, test } from 'vitest';
import { beamSearch } from '../../lib/decode/beam-search.js';
import { ForestCache } from '../../lib/decode/forest-cache.js';
import { freeBeams } from '../../lib/decode/free-beams.js';
import { generate } from '../../lib/decode/generate.js';
import { buildTrie } from '../../lib/decode/item-trie.js';
import { useEngine } from '../../lib/engine/engine.js';
import { registerNativeOps, unregisterNativeOps } from '../../lib/engine/native-ops.js';
import { forwardForest, prepareForest } from '../../lib/lm/decoder.js';
import { chain, packTrees } from '../../lib/lm/forest.js';
import type { LanguageModel } from '../../lib/lm/language-model.js';
import { loadModel } from '../../lib/lm/model.js';
import { hasFused } from '../../lib/ops/fused.js';
import { Random } from '../../lib/support/random.js';

const engine = await useEngine();
const faces = hasFused('SidlabForestAttention') ? ['fused', 'plain'] : ['plain'];
afterEach(() => void (engine === 'tensorflow' && registerNativeOps()));

/** Items of three codes and a forced tail; some codes are forced too, and some SIDs are shorter. */
function items(random: Random): number[][] {
  const sids = Array.from({ length: 40 }, () => [1 + random.int(4), 10 + random.int(4), 20 + random.int(5)]);
  return [...sids, [5, 14, 23], [6, 15], [7]].map((sid) => [...sid, 38, 0]);
}

/** A wording, then histories of which some begin others, and some are there twice. */
function prompts(random: Random): number[][] {
  const code = (): number => 1 + random.int(35);
  const wording = Array.from({ length: 6 }, code);
  const long = Array.from({ length: 2 }, () => [...wording, ...Array.from({ length: 9 }, code)]);
  const nested = Array.from({ length: 3 }, () => long[random.int(2)]!.slice(0, 1 + random.int(15)));
  return random.shuffle([...long, ...nested, nested[0]!, [...wording, 36], [37]]);
}

const hiddenOf = (model: LanguageModel, text: number[]): tf.Tensor1D =>
  tf.tidy(() => {
    const rows = forwardForest(model.config, model.weights, prepareForest(model.config, packTrees([chain(text)])));
    return tf.slice(rows, [text.length - 1, 0], [1, -1]).reshape([-1]) as tf.Tensor1D;
  });

describe.each(faces)('%s', (face) => {
  const model = loadModel('test/golden/qwen2-untied');
  const inFace = (): void => void (face === 'plain' && engine === 'tensorflow' && unregisterNativeOps());

  test.each(['full', 'legal'] as const)('beams over the %s set: items and scores of each prompt alone', (normalize) => {
    inFace();
    for (let seed = 0; seed < 2; seed++) {
      const random = new Random(`shared/${seed}`);
      const [trie, texts] = [buildTrie(items(random)), prompts(random)];
      for (const numBeams of [1, 4]) {
        const together = beamSearch(model, trie, texts, { numBeams, normalize });
        texts.forEach((text, u) => {
          const [alone] = beamSearch(model, trie, [text], { numBeams, normalize });
          expect(together[u]!.items).toEqual(alone!.items);
          together[u]!.scores.forEach((score, i) => expect(score).toBeCloseTo(alone!.scores[i]!, 4));
        });
      }
    }
  });

  test('free beams and free texts too', async () => {
    inFace();
    const texts = prompts(new Random('free'));
    const found = await freeBeams(model, texts, { numBeams: 3, maxTokens: 5, endTokens: [0, 3] });
    const written = await generate(model, texts, { maxTokens: 5 });
    for (const [u, text] of texts.entries()) {
      const [alone] = await freeBeams(model, [text], { numBeams: 3, maxTokens: 5, endTokens: [0, 3] });
      expect(found[u]!.map(({ tokens }) => tokens)).toEqual(alone!.map(({ tokens }) => tokens));
      expect(written.texts[u]).toEqual((await generate(model, [text], { maxTokens: 5 })).texts[0]);
    }
  });

  test('any nodes grown in any order, parents of the same step among them: the states of the texts', () => {
    inFace();
    const random = new Random('grow');
    const texts = prompts(random);
    const cache = new ForestCache(model, texts);
    const textOf = new Map<number, number[]>(texts.map((text, u) => [cache.ends[u]!, text]));
    texts.forEach((text, u) => {
      const expected = hiddenOf(model, text).dataSync();
      tf.slice(cache.last, [u, 0], [1, -1]).dataSync().forEach((x, i) => expect(x).toBeCloseTo(expected[i]!, 4)); // prettier-ignore
    });
    for (let step = 0; step < 3; step++) {
      const first = cache.size;
      const [tokens, parents]: number[][] = [[], []];
      for (let n = 0; n < 7; n++) {
        const known = [...textOf.keys()];
        const parent = known[random.int(known.length)]!;
        tokens!.push(random.int(38));
        parents!.push(parent);
        textOf.set(first + n, [...textOf.get(parent)!, tokens!.at(-1)!]);
      }
      const rows = cache.grow(Int32Array.from(tokens!), parents!);
      for (let n = 0; n < 7; n++) {
        const expected = hiddenOf(model, textOf.get(first + n)!).dataSync();
        tf.slice(rows, [n, 0], [1, -1]).dataSync().forEach((x, i) => expect(x).toBeCloseTo(expected[i]!, 4)); // prettier-ignore
      }
      rows.dispose();
    }
    const before = tf.memory().numTensors;
    cache.dispose();
    expect(tf.memory().numTensors).toBeLessThan(before);
  });
});
