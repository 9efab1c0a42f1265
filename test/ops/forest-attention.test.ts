/** The plain attention over several blocks of trees, against one masked softmax over all nodes. */
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { registerNativeOps, unregisterNativeOps } from '../../lib/engine/native-ops.js';
import { disposePlan, planAttention } from '../../lib/lm/attention-plan.js';
import { chain, type Forest, packTrees, prefixTree } from '../../lib/lm/forest.js';
import { forestAttention } from '../../lib/ops/forest-attention.js';
import { hasFused } from '../../lib/ops/fused.js';
import { Random } from '../../lib/support/random.js';

let native = false;
beforeAll(async () => {
  await useEngine();
  native = hasFused('SidlabForestAttention');
});
afterEach(() => void (native && registerNativeOps()));

const random = new Random('forest-attention');
const normal = (...shape: number[]): tf.Tensor =>
  tf.tensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => random.normal()),
    shape as [number, number, number],
  );

/** 0 where a node (row) sees a node (column): itself and its ancestors. */
function maskOf({ parent }: Forest): tf.Tensor2D {
  const rows = [...parent.keys()].map((node) => {
    const row = new Array<number>(parent.length).fill(-1e9);
    for (let a = node; a >= 0; a = parent[a]!) row[a] = 0;
    return row;
  });
  return tf.tensor2d(rows);
}

/** A head after the other. */
function dense(q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, mask: tf.Tensor2D): tf.Tensor {
  const [, heads, width] = q.shape as [number, number, number];
  const group = heads / k.shape[1]!;
  const head = (x: tf.Tensor, h: number): tf.Tensor => tf.squeeze(tf.slice(x, [0, h, 0], [-1, 1, -1]), [1]);
  const outputs = Array.from({ length: heads }, (_, h) => {
    const own = Math.floor(h / group);
    const scores = tf.mul(tf.matMul(head(q, h), head(k, own), false, true), 1 / Math.sqrt(width));
    return tf.matMul(tf.softmax(tf.add(scores, mask)), head(v, own));
  });
  return tf.concat(outputs, 1);
}

const words = (length: number): number[] => new Array<number>(length).fill(0);
const largest = (a: tf.Tensor, b: tf.Tensor): number => tf.max(tf.abs(tf.sub(a, b))).dataSync()[0]!;

test.each([
  ['one', [chain(words(7)), chain(words(3))], 1, 4, 2],
  [
    'two, of prefix trees too',
    [prefixTree(words(3), [words(2), words(4)]), chain(words(210)), chain(words(2))],
    2,
    4,
    2,
  ],
  ['three', [chain(words(290)), chain(words(2)), chain(words(205)), chain(words(5))], 3, 2, 1],
  ['three, a head of keys for each', [chain(words(2)), chain(words(205)), chain(words(290))], 3, 2, 2],
])('blocks: %s', (_, trees, blocks, heads, keyHeads) => {
  if (native) unregisterNativeOps();
  tf.tidy(() => {
    const forest = packTrees(trees);
    const nodes = forest.token.length;
    const plan = planAttention(forest);
    expect(plan.spans ? 0 : plan.blocks.length).toBe(blocks);
    const mask = maskOf(forest);
    const inputs = [normal(nodes, heads, 5), normal(nodes, keyHeads, 5), normal(nodes, keyHeads, 5)];
    const ours = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor): tf.Tensor =>
      forestAttention(q as tf.Tensor3D, k as tf.Tensor3D, v as tf.Tensor3D, plan);
    const [q, k, v] = inputs as [tf.Tensor, tf.Tensor, tf.Tensor];
    const value = ours(q, k, v);
    expect(value.shape).toEqual([nodes, heads * 5]);
    expect(largest(value, dense(q, k, v, mask))).toBeLessThan(1e-5);
    const dy = normal(nodes, heads * 5);
    const wanted = tf.grads((q: tf.Tensor, k: tf.Tensor, v: tf.Tensor) => dense(q, k, v, mask))(inputs, dy);
    tf.grads(ours)(inputs, dy).forEach((gradient, i) => {
      expect(gradient.shape).toEqual(inputs[i]!.shape);
      expect(largest(gradient, wanted[i]!)).toBeLessThan(1e-4);
    });
    disposePlan(plan);
  });
});

const NUMBERS = [NaN, Infinity, -Infinity];
const SPOILT = ['q', 'k', 'v'].flatMap((input) => NUMBERS.map((number) => [input, number] as const));
test.each(SPOILT)('a node whose %s holds %d reaches those that see it, and nobody else', (input, number) => {
  tf.tidy(() => {
    const forest = packTrees([prefixTree(words(3), [words(2), words(4)]), chain(words(4)), chain(words(1))]);
    const nodes = forest.token.length;
    const inputs: Record<string, tf.Tensor> = {
      q: normal(nodes, 4, 5),
      k: normal(nodes, 2, 5),
      v: normal(nodes, 2, 5),
    };
    for (const face of native ? ['fused', 'plain'] : ['plain']) {
      if (native && face === 'plain') unregisterNativeOps();
      const plan = planAttention(forest);
      const attention = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor): Float32Array =>
        forestAttention(q as tf.Tensor3D, k as tf.Tensor3D, v as tf.Tensor3D, plan).dataSync<'float32'>();
      const whole = attention(inputs.q!, inputs.k!, inputs.v!);
      for (let bad = 0; bad < nodes; bad++) {
        const data = inputs[input]!.dataSync<'float32'>().slice();
        data.fill(number, bad * (data.length / nodes) + 1, (bad + 1) * (data.length / nodes)); // every head's
        const spoilt = tf.tensor(data, inputs[input]!.shape);
        const [q, k, v] = ['q', 'k', 'v'].map((name) => (name === input ? spoilt : inputs[name]!));
        const value = attention(q!, k!, v!);
        for (let node = 0; node < nodes; node++) {
          const [row, asWhole] = [value, whole].map((of) => [...of.subarray(node * 20, (node + 1) * 20)]);
          const sees = input === 'q' ? node === bad : ancestorsOf(forest, node).includes(bad);
          if (!sees) row!.forEach((x, i) => expect(x).toBeCloseTo(asWhole![i]!, 5));
          else if (Number.isNaN(number)) expect(heads(row!).every((head) => head.some(Number.isNaN))).toBe(true);
          else expect(row).not.toEqual(asWhole); // an infinity of a key may be a score of -Infinity
        }
      }
      disposePlan(plan);
    }
  });
});

const heads = (row: number[]): number[][] => [0, 5, 10, 15].map((at) => row.slice(at, at + 5));

function ancestorsOf({ parent }: Forest, node: number): number[] {
  const line: number[] = [];
  for (let a = node; a >= 0; a = parent[a]!) line.push(a);
  return line;
}
