/** Operations of sequence recommenders: the fused implementation beside the plain one, and both beside differences. */
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { registerNativeOps, unregisterNativeOps } from '../../lib/engine/native-ops.js';
import { hasFused } from '../../lib/ops/fused.js';
import { columns, relu, scaled, silu, tanh, times } from '../../lib/ops/sequence/activations.js';
import { gru } from '../../lib/ops/sequence/gru.js';
import { layerNorm } from '../../lib/ops/sequence/layer-norm.js';
import { sequencesOf } from '../../lib/ops/sequence/padded-rows.js';
import type { SequenceAttention } from '../../lib/ops/sequence/attention-options.js';
import { sequenceAttention } from '../../lib/ops/sequence/sequence-attention.js';
import { beside, maxOverTime, rowsOrZeros, transposed } from '../../lib/ops/sequence/windows.js';
import { Random } from '../../lib/support/random.js';

await useEngine();
const there = hasFused('SidlabSequenceAttention');
const implementations = there ? (['fused', 'plain'] as const) : (['plain'] as const);

beforeAll(() => registerNativeOps());
afterEach(() => registerNativeOps());

function use(implementation: 'fused' | 'plain'): void {
  if (implementation === 'plain') unregisterNativeOps();
  else registerNativeOps();
}

type Op = (...inputs: tf.Tensor[]) => tf.Tensor;

function normal(random: Random, shape: readonly number[]): tf.Tensor {
  const size = shape.reduce((product, n) => product * n, 1);
  return tf.tensor(
    Float32Array.from({ length: size }, () => random.normal()),
    [...shape],
  );
}

/** The value, and the gradients of its product with fixed numbers. */
function valueAndGradients(op: Op, shapes: readonly (readonly number[])[]): Float32Array[] {
  const random = new Random('sequence');
  const inputs = shapes.map((shape) => normal(random, shape));
  return tf.tidy(() => {
    const value = op(...inputs);
    const direction = normal(new Random('direction'), value.shape);
    const gradients = tf.grads((...given) => tf.sum(tf.mul(op(...given), direction)))(inputs);
    return [value, ...gradients].map((tensor) => tensor.dataSync<'float32'>().slice());
  });
}

/** Largest difference of the gradients to differences of the value along a few axes. */
function differenceError(op: Op, shapes: readonly (readonly number[])[]): number {
  const [, ...gradients] = valueAndGradients(op, shapes);
  const random = new Random('sequence');
  const inputs = shapes.map((shape) => normal(random, shape));
  const objective = (given: tf.Tensor[]): number =>
    tf.tidy(() => {
      const value = op(...given);
      return tf.sum(tf.mul(value, normal(new Random('direction'), value.shape))).dataSync()[0]!;
    });
  let most = 0;
  inputs.forEach((input, i) => {
    // three places of a small input may all be where a ReLU has no slope
    const few = [0, Math.floor(input.size / 2), input.size - 1];
    for (const at of input.size <= 30 ? Array.from({ length: input.size }, (_, at) => at) : few) {
      const moved = (by: number): tf.Tensor => {
        const data = input.dataSync().slice();
        data[at]! += by;
        return tf.tensor(data, input.shape);
      };
      const along = (by: number): number => objective(inputs.map((other, j) => (j === i ? moved(by) : other)));
      const slope = (along(1e-2) - along(-1e-2)) / 2e-2;
      most = Math.max(most, Math.abs(slope - gradients[i]![at]!));
    }
  });
  return most;
}

const chains = sequencesOf([3, 1, 4]);
const keys = sequencesOf([2, 5, 1]);

function attention(options: Partial<SequenceAttention>): Op {
  return (q, k, v, bias) =>
    sequenceAttention(q as tf.Tensor2D, k as tf.Tensor2D, v as tf.Tensor2D, {
      ...{ queries: chains, keys: chains, heads: 2, scale: 0.6, causal: true, weighting: 'softmax' },
      ...options,
      ...(bias && { bias: bias as tf.Tensor4D }),
      ...(options.dropout && { dropout: { random: new Random('mask'), rate: 0.4 } }), // the same mask each time
    });
}

const dropout = { random: new Random('mask'), rate: 0.4 };
const silus = { weighting: 'silu', divisor: 5 } as const;
const CASES: [name: string, op: Op, shapes: number[][]][] = [
  ['layer norm', (x, weight, bias) => layerNorm(x as tf.Tensor2D, 1e-5, { weight: weight as tf.Tensor1D, bias: bias as tf.Tensor1D }), [[9, 6], [6], [6]]], // prettier-ignore
  ['layer norm without weights', (x) => layerNorm(x as tf.Tensor2D, 1e-5), [[9, 6]]],
  ['gru', (x, weight, bias) => gru(x as tf.Tensor2D, weight as tf.Tensor2D, bias as tf.Tensor1D, [3, 3, 1]), [[7, 12], [12, 4], [12]]], // prettier-ignore
  ['gru of one step', (x, weight, bias) => gru(x as tf.Tensor2D, weight as tf.Tensor2D, bias as tf.Tensor1D, [3]), [[3, 12], [12, 4], [12]]], // prettier-ignore
  ['attention, causal', attention({}), [[8, 6], [8, 6], [8, 6]]],
  ['attention, causal, dropout', attention({ dropout }), [[8, 6], [8, 6], [8, 6]]],
  ['attention, to other sequences', attention({ keys, causal: false }), [[8, 6], [8, 6], [8, 6]]],
  ['attention, to other sequences, bias', attention({ keys, causal: false, dropout }), [[8, 6], [8, 6], [8, 6], [1, 2, 4, 5]]], // prettier-ignore
  ['attention, silu, one bias', attention({ ...silus, dropout }), [[8, 6], [8, 6], [8, 6], [1, 1, 4, 4]]],
  ['attention, silu, a bias a head', attention(silus), [[8, 6], [8, 6], [8, 6], [1, 2, 4, 4]]],
]; // prettier-ignore

describe.each(implementations)('%s', (implementation) => {
  test.each(CASES)('%s: gradients are the slopes of the value', (_, op, shapes) => {
    use(implementation);
    expect(differenceError(op, shapes)).toBeLessThan(5e-3);
  });
});

test.skipIf(!there).each(CASES)('%s: fused as plain', (name, op, shapes) => {
  use('fused');
  const fused = valueAndGradients(op, shapes);
  use('plain');
  const plain = valueAndGradients(op, shapes);
  let most = 0;
  fused.forEach((values, i) => values.forEach((x, j) => (most = Math.max(most, Math.abs(x - plain[i]![j]!)))));
  process.stderr.write(`${name}: largest difference ${most.toExponential(1)}\n`);
  expect(most).toBeLessThan(1e-5);
});

test.each<[string, Op, number[][]]>([
  ['relu', relu, [[4, 5]]],
  ['tanh', tanh, [[4, 5]]],
  ['silu', silu, [[4, 5]]],
  ['scaled', (x) => scaled(x, -3), [[4, 5]]],
  ['times', (a, b) => times(a, b), [[4, 5], [4, 5]]],
  ['columns', (x) => columns(x as tf.Tensor2D, 1, 3), [[4, 5]]],
  ['beside', (a, b) => beside([a as tf.Tensor2D, b as tf.Tensor2D]), [[4, 2], [4, 3]]],
  ['transposed', (x) => transposed(x, [2, 0, 1]), [[2, 3, 4]]],
  ['maxOverTime', (x) => maxOverTime(x as tf.Tensor3D), [[2, 5, 3]]],
  ['maxOverTime of one step', (x) => maxOverTime(x as tf.Tensor3D), [[2, 1, 3]]],
  ['rowsOrZeros', (x) => rowsOrZeros(x as tf.Tensor2D, Int32Array.of(1, -1, 3, 1)), [[4, 5]]],
])('%s: gradients are the slopes of the value', (_, op, shapes) => {
  expect(differenceError(op, shapes)).toBeLessThan(5e-3);
}); // prettier-ignore

test('a query sees no key of another sequence, and causally none behind it', () => {
  for (const implementation of implementations) {
    use(implementation);
    const random = new Random('sees');
    const [q, k, v] = [0, 1, 2].map(() => normal(random, [8, 6])) as [tf.Tensor, tf.Tensor, tf.Tensor];
    const before = attention({})(q, k, v).dataSync();
    const other = v.dataSync().slice();
    other.fill(100, 2 * 6, 3 * 6); // the last token of the first sequence
    const after = attention({})(q, k, tf.tensor(other, v.shape)).dataSync();
    const changed = [...Array(8).keys()].filter((token) => before[token * 6] !== after[token * 6]);
    expect(changed).toEqual([2]);
  }
});
