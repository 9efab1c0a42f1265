/** bfloat16: rounding, products and their gradients against PyTorch's (test/golden/make_bfloat16.py), and what really ran. */
import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import fc from '../fast-check.js';
import { describe, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { kernelCounts } from '../../lib/engine/kernel-counts.js';
import {
  fromBfloat16,
  gatherBfloat16,
  hasBfloat16,
  isBfloat16,
  matMulBfloat16,
  roundToBfloat16,
  toBfloat16,
} from '../../lib/ops/bfloat16.js';
import { dropHalves, halfOf } from '../../lib/ops/half-copies.js';
import { linear, operand } from '../../lib/ops/linear.js';
import { onTape } from '../../lib/ops/tape.js';

const golden = JSON.parse(readFileSync('test/golden/bfloat16.json', 'utf8')) as {
  rounding: { values: number[]; rounded: string[] };
  linear: Record<'x' | 'w' | 'dy' | 'y' | 'dx' | 'dw', number[]>;
};
const { x, w, dy, ...theirs } = golden.linear;
const [N, IN, OUT] = [24, 96, 40];

type Values = Record<'y' | 'dx' | 'dw', ArrayLike<number>>;

/** The layer in double precision. */
function exact(): Values {
  const sum = (count: number, term: (i: number) => number): number =>
    Array.from({ length: count }, (_, i) => term(i)).reduce((a, b) => a + b, 0);
  const all = (rows: number, columns: number, of: (r: number, c: number) => number): number[] =>
    Array.from({ length: rows * columns }, (_, i) => of(Math.floor(i / columns), i % columns));
  return {
    y: all(N, OUT, (n, o) => sum(IN, (i) => x[n * IN + i]! * w[o * IN + i]!)),
    dx: all(N, IN, (n, i) => sum(OUT, (o) => dy[n * OUT + o]! * w[o * IN + i]!)),
    dw: all(OUT, IN, (o, i) => sum(N, (n) => dy[n * OUT + o]! * x[n * IN + i]!)),
  };
}

/** Ours, with TensorFlow.js's tape or with our own. */
function layer(ours: boolean): Values {
  const [a, b] = [tf.variable(tf.tensor2d(x, [N, IN])), tf.variable(tf.tensor2d(w, [OUT, IN]))];
  const product = (): tf.Tensor2D => linear(operand(a, 'bfloat16'), b, 'bfloat16');
  const value = product();
  const { grads } = tf.variableGrads(() => {
    const y = ours ? onTape([a, b], product) : product();
    return tf.sum(tf.mul(y, tf.tensor2d(dy, [N, OUT]))).asScalar();
  }, [a, b]);
  const numbers = [value, grads[a.name]!, grads[b.name]!].map((tensor) => tensor.dataSync<'float32'>());
  dropHalves([a, b]);
  tf.dispose([a, b, value, ...Object.values(grads)]);
  return { y: numbers[0]!, dx: numbers[1]!, dw: numbers[2]! };
}

function apart(ours: ArrayLike<number>, truth: ArrayLike<number>): number {
  const square = (of: (i: number) => number): number =>
    Array.from(truth, (_, i) => of(i) ** 2).reduce((a, b) => a + b, 0);
  return Math.sqrt(square((i) => ours[i]! - truth[i]!) / square((i) => truth[i]!));
}

await useEngine();
const engines = hasBfloat16() ? ['tensorflow', 'cpu'] : ['cpu'];

test('rounds as PyTorch does: ties to even, the largest to infinity, the least to zero', () => {
  const { values, rounded } = golden.rounding;
  const expected = rounded.map((text) => (text.endsWith('inf') ? Number(`${text}inity`.replace('inf', 'Inf')) : +text));
  expect([...roundToBfloat16(Float32Array.from(values))]).toEqual(expected.map(Math.fround));
  expect([...roundToBfloat16(Float32Array.of(NaN, Infinity, -Infinity))]).toEqual([NaN, Infinity, -Infinity]);
});

describe.each(engines)('on %s', (engine) => {
  const on = async (work: () => void | Promise<void>): Promise<void> => {
    await useEngine(engine);
    try {
      await work();
    } finally {
      await useEngine();
    }
  };

  test('a tensor is rounded as the numbers are', () =>
    on(() => {
      fc.assert(
        fc.property(fc.array(fc.float({ noNaN: true }), { minLength: 1, maxLength: 30 }), (values) => {
          const ours = tf.tidy(() => fromBfloat16(toBfloat16(tf.tensor1d(values))).dataSync<'float32'>());
          const normal = (v: number): number => (Math.abs(v) < 2 ** -126 ? 0 : v); // TensorFlow flushes subnormal numbers
          expect([...ours].map(normal)).toEqual([...roundToBfloat16(Float32Array.from(values))].map(normal));
        }),
      );
    }));

  test.each([false, true])('a layer is as near to the exact one as under PyTorch (our tape: %s)', (ours) =>
    on(() => {
      const [mine, truth] = [layer(ours), exact()];
      for (const part of ['y', 'dx', 'dw'] as const) {
        expect(mine[part].length).toBe(theirs[part].length);
        expect(apart(mine[part], truth[part]), part).toBeLessThan(1.1 * apart(theirs[part], truth[part]));
        expect(apart(mine[part], theirs[part]), part).toBeLessThan(2 ** -8);
      }
    }),
  );

  test('transposed products and rows of a table', () =>
    on(() => {
      tf.tidy(() => {
        const [a, b] = [tf.tensor2d(x, [N, IN]), tf.tensor2d(dy, [N, OUT])];
        const half = [toBfloat16(a), toBfloat16(b)] as const;
        const ours = fromBfloat16(matMulBfloat16(...half, true)).dataSync<'float32'>();
        expect(apart(ours, tf.matMul(a, b, true).dataSync<'float32'>())).toBeLessThan(2 ** -7);
        const ids = tf.tensor1d([5, 0, 5], 'int32');
        const rows = fromBfloat16(gatherBfloat16(half[0], ids)).dataSync<'float32'>();
        expect([...rows]).toEqual([...roundToBfloat16(tf.gather(a, ids).dataSync<'float32'>())]);
      });
    }));

  test('a copy is made once for each value of a variable, and nothing is left behind', () =>
    on(() => {
      const weight = tf.variable(tf.tensor2d(w, [OUT, IN]));
      const input = tf.variable(tf.tensor2d(x, [N, IN]));
      const step = (): void =>
        tf.tidy(() => {
          const product = (): tf.Tensor2D => linear(operand(input, 'bfloat16'), weight, 'bfloat16');
          const { grads } = tf.variableGrads(() => tf.sum(onTape([weight], product)).asScalar(), [weight]);
          weight.assign(tf.sub(weight, tf.mul(grads[weight.name]!, 1e-3)));
        });
      const first = halfOf(weight);
      expect(halfOf(weight)).toBe(first);
      step();
      const second = halfOf(weight);
      expect(second).not.toBe(first);
      expect(first.isDisposed).toBe(true);
      const changed = fromBfloat16(second).dataSync<'float32'>();
      expect([...changed]).toEqual([...roundToBfloat16(weight.dataSync<'float32'>())]);
      step();
      const before = tf.memory().numTensors;
      for (let i = 0; i < 1000; i++) step();
      expect(tf.memory().numTensors).toBe(before);
      dropHalves([weight]);
      expect(tf.memory().numTensors).toBe(before - 1);
      tf.dispose([weight, input]);
    }));
});

test.runIf(hasBfloat16())('TensorFlow multiplies in bfloat16, and nothing else takes such a tensor', async () => {
  const { native, own } = await kernelCounts(() => layer(true));
  expect(native.MatMul).toBe(4); // the value twice, and two gradients
  expect(own.tensorflow!.SidlabMatMulBfloat16).toBe(4);
  expect(own.tensorflow!.BatchMatMul).toBeUndefined();
  const half = toBfloat16(tf.tensor2d(x, [N, IN]));
  expect(isBfloat16(half)).toBe(true);
  expect(() => tf.add(half, half)).toThrow();
  expect(() => tf.matMul(half, half, false, true)).toThrow();
  half.dispose();
});
