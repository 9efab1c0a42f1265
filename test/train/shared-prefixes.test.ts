/** Combs of texts that begin alike: nothing of a text is lost, and the gradient is that of the separate texts. */
import * as tf from '@tensorflow/tfjs';
import fc from '../fast-check.js';
import { expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { parseShape } from '../../lib/lm/config.js';
import { chain } from '../../lib/lm/forest.js';
import { disposeWeights, randomWeights } from '../../lib/lm/weights.js';
import type { Example } from '../../lib/tasks/examples.js';
import { forestLoss, forestLogProbs, type TreeTarget } from '../../lib/train/loop/forest-loss.js';
import { batchGradients } from '../../lib/train/loop/gradients.js';
import { sharePrefixes } from '../../lib/train/sft/shared-prefixes.js';

await useEngine();

/** Texts of few tokens, so that many begin alike; loss on the last ones. */
const example: fc.Arbitrary<Example> = fc
  .tuple(fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 9 }), fc.integer({ min: 1, max: 4 }))
  .map(([tokens, learnt]) => {
    const at = tokens.map((_, i) => i).slice(-learnt);
    return { tokens, labelPositions: at, labels: at.map((i) => tokens[i + 1] ?? 3) };
  });

test('every target hangs on a node whose path is its text', () => {
  fc.assert(
    fc.property(fc.array(example, { minLength: 1, maxLength: 12 }), (examples) => {
      const { trees, targets } = sharePrefixes(examples);
      const found = targets.map(({ tree, node, token }) => {
        const path: number[] = [];
        for (let a = node; a >= 0; a = trees[tree]!.parent[a]!) path.unshift(trees[tree]!.token[a]!);
        return JSON.stringify([path, token]);
      });
      const asked = examples.flatMap(({ tokens, labelPositions: at, labels: target }) =>
        at.map((i, k) => JSON.stringify([tokens.slice(0, i + 1), target[k]])),
      );
      expect(found.sort()).toEqual(asked.sort());
      const tokens = trees.reduce((sum, tree) => sum + tree.token.length, 0);
      expect(tokens).toBeLessThanOrEqual(examples.reduce((sum, { tokens }) => sum + tokens.length, 0));
    }),
  );
});

test('a prompt and eight endings become one prefix tree', () => {
  const wording = [5, 6, 7, 8, 9];
  const examples = Array.from({ length: 8 }, (_, i) => ({
    tokens: [...wording, 20 + i],
    labelPositions: [5],
    labels: [1],
  }));
  const { trees } = sharePrefixes(examples);
  expect(trees).toHaveLength(1);
  expect(trees[0]!.token).toHaveLength(5 + 8);
});

test('of divisions that save as many tokens, the one whose last run is the shortest', () => {
  const examples = [[1, 2, 3], [1, 2, 4], [1, 5]].map((tokens) => ({ tokens, labelPositions: [1], labels: [0] })); // prettier-ignore
  const { trees } = sharePrefixes(examples); // two tokens of two texts, or one of three
  expect(trees.map(({ token }) => [...token])).toEqual([
    [1, 2, 3, 4],
    [1, 5],
  ]);
});

test('the gradient is that of the separate texts', () => {
  const config = parseShape('qwen2:64x2', 8, 0);
  const model = { config, weights: randomWeights(config, 1) };
  const examples = fc.sample(example, { numRuns: 24, seed: 7 });
  const gradients = (trees: Parameters<typeof forestLogProbs>[1], targets: TreeTarget[]) =>
    batchGradients(model, [
      forestLoss(model, forestLogProbs(config, trees, targets), (logProbs) => tf.mul<tf.Scalar>(tf.mean(logProbs), -1)),
    ]);
  const { trees, targets } = sharePrefixes(examples);
  expect(trees.length).toBeLessThan(examples.length);
  const shared = gradients(trees, targets);
  const separate = gradients(
    examples.map(({ tokens }) => chain(tokens)),
    examples.flatMap(({ labelPositions: at, labels: target }, tree) =>
      at.map((node, i) => ({ tree, node, token: target[i]! })),
    ),
  );
  expect(shared.loss).toBeCloseTo(separate.loss, 5);
  for (const [name, gradient] of shared.gradients) {
    const other = separate.gradients.get(name)!;
    const [norm, off] = [tf.norm(other), tf.norm(tf.sub(gradient, other))].map((tensor) => tensor.dataSync()[0]!);
    expect(off! / norm!, name).toBeLessThan(1e-5);
  }
  tf.dispose([...shared.gradients.values(), ...separate.gradients.values()]);
  disposeWeights(model.weights);
});
