/**
 * Weights' gradients that stay in bfloat16, and updates that renew a weight's copy in it: the same numbers as in float32.
 */
import * as tf from '@tensorflow/tfjs';
import { afterEach, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { registerNativeOps, unregisterNativeOps } from '../../lib/engine/native-ops.js';
import { adamw, type HalfCopy, squareSum } from '../../lib/ops/adamw.js';
import { fromBfloat16, hasBfloat16, isBfloat16, roundToBfloat16, toBfloat16 } from '../../lib/ops/bfloat16.js';
import { hasFused } from '../../lib/ops/fused.js';
import { assignWithHalf, dropHalves, halfOf } from '../../lib/ops/half-copies.js';
import { linear, operand } from '../../lib/ops/linear.js';
import { lossAndGradients, onTape } from '../../lib/ops/tape.js';
import { Random } from '../../lib/support/random.js';

const engine = await useEngine();
const faces = hasFused('SidlabAdamW') ? ['fused', 'plain'] : ['plain'];
afterEach(() => void (engine === 'tensorflow' && registerNativeOps()));

const random = new Random('half-gradients');
const normal = (...shape: number[]): tf.Tensor =>
  tf.tensor(
    Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => random.normal()),
    shape,
  );
const valuesOf = (x: tf.Tensor): number[] => tf.tidy(() => [...fromBfloat16(x).dataSync<'float32'>()]);

test.each(faces)('%s: an update from a gradient in bfloat16 is that from the same numbers in float32', (face) => {
  if (face === 'plain' && engine === 'tensorflow') unregisterNativeOps();
  const shape = [51, 99]; // several runs of the native loop, the last of them short
  const [start, gradient, decays] = [normal(...shape), toBfloat16(normal(...shape)), tf.greater(normal(...shape), 0)];
  const update = (of: tf.Tensor): number[][] => {
    const [m, v] = [tf.variable(tf.ones(shape)), tf.variable(tf.ones(shape))];
    const options = { weightDecay: 0.3, gradientScale: 0.5 };
    const next = adamw(tf.mul(start, 1), of, { m, v }, 2, 0.1, options, tf.cast(decays, 'float32'));
    return [next, m, v].map(valuesOf);
  };
  expect(update(gradient)).toEqual(update(fromBfloat16(gradient)));
  const few = toBfloat16(normal(3, 5));
  const floats = valuesOf(few);
  expect(squareSum(few).dataSync()[0]).toBeCloseTo(
    floats.reduce((sum, x) => sum + x * x, 0),
    4,
  );
});

test.each(faces)('%s: a copy in bfloat16 is of the new value, or goes', (face) => {
  if (face === 'plain' && engine === 'tensorflow') unregisterNativeOps();
  const weight = tf.variable(normal(51, 99)) as tf.Variable<tf.Rank.R2>;
  const [m, v] = [tf.variable(tf.zeros([51, 99])), tf.variable(tf.zeros([51, 99]))];
  const before = tf.memory().numTensors;
  const old = halfOf(weight as tf.Tensor as tf.Tensor2D);
  for (let step = 1; step <= 3; step++) {
    tf.tidy(() =>
      assignWithHalf(weight, (copy) => adamw(weight, normal(51, 99), { m, v }, step, 0.1, {}, tf.tensor1d([1]), copy)),
    );
    const half = halfOf(weight as tf.Tensor as tf.Tensor2D);
    expect(valuesOf(half)).toEqual([...roundToBfloat16(weight.dataSync<'float32'>())]);
    expect(tf.memory().numTensors).toBe(before + 1);
  }
  expect(old.isDisposed).toBe(true);
  dropHalves([weight]);
  expect(tf.memory().numTensors).toBe(before);
});

test('a parameter that somebody else holds keeps its numbers', () => {
  const parameter = normal(40);
  const [clone, view] = [parameter.clone(), tf.reshape(parameter, [8, 5])];
  const numbers = valuesOf(clone);
  const copy: HalfCopy = { half: undefined };
  for (const held of [parameter, view]) {
    const [m, v] = [tf.variable(tf.zeros(held.shape)), tf.variable(tf.zeros(held.shape))];
    const next = adamw(held, tf.ones(held.shape), { m, v }, 1, 0.5, {}, undefined, copy);
    expect(valuesOf(next)[0]).toBeCloseTo(numbers[0]! - 0.5, 4);
  }
  expect(valuesOf(clone)).toEqual(numbers);
  expect(valuesOf(view)).toEqual(numbers);
  expect(copy.half).toBeUndefined();
});

test('gradients on tapes and off them, summed, and none for a variable that is not reached', () => {
  const [a, b, off, idle] = [normal(2, 3), normal(4, 3), normal(2, 2), normal(1, 1)].map((x) => tf.variable(x)) as [
    tf.Variable<tf.Rank.R2>,
    tf.Variable<tf.Rank.R2>,
    tf.Variable<tf.Rank.R2>,
    tf.Variable<tf.Rank.R2>,
  ];
  const x = toBfloat16(normal(5, 3) as tf.Tensor2D);
  const y = isBfloat16(x) ? fromBfloat16(x) : x;
  const direction = normal(5, 4);
  const onA = (): tf.Tensor =>
    onTape([a, b, idle], () => linear(operand(linear(operand(a as tf.Tensor as tf.Tensor2D, 'bfloat16'), a as tf.Tensor as tf.Tensor2D, 'bfloat16'), 'bfloat16'), off as tf.Tensor as tf.Tensor2D, 'bfloat16')); // prettier-ignore
  const onB = (): tf.Tensor => onTape([b], () => linear(operand(b as tf.Tensor as tf.Tensor2D, 'bfloat16'), b as tf.Tensor as tf.Tensor2D, 'bfloat16')); // prettier-ignore
  const loss = (): tf.Scalar =>
    tf.addN([tf.sum(onA()), tf.sum(onB()), tf.sum(tf.mul(tf.matMul(y, b as tf.Tensor as tf.Tensor2D, false, true), direction))]).asScalar(); // prettier-ignore
  const before = tf.memory().numTensors;
  const { value, gradients } = lossAndGradients([a, b, idle], loss);
  expect([...gradients.keys()]).toEqual(expect.arrayContaining([a, b]));
  expect(gradients.has(idle)).toBe(false);
  const { grads } = tf.variableGrads(loss, [a, b]);
  for (const variable of [a, b]) {
    const [own, plain] = [valuesOf(gradients.get(variable)!), valuesOf(grads[variable.name]!)];
    own.forEach((g, i) => expect(Math.abs(g - plain[i]!)).toBeLessThan(2e-2 * (1 + Math.abs(plain[i]!))));
  }
  tf.dispose([value, ...gradients.values()]);
  dropHalves([a, b, off]);
  expect(tf.memory().numTensors).toBeLessThan(before + 4); // what variableGrads gave
});

test.skipIf(!hasBfloat16())("a product's gradient comes in bfloat16 from a tape, in float32 from TensorFlow.js", () => {
  const weight = tf.variable(normal(4, 3)) as tf.Variable<tf.Rank.R2>;
  const x = normal(2, 3) as tf.Tensor2D;
  const f = (): tf.Tensor => {
    const given = tf.variable(x, false) as tf.Tensor as tf.Tensor2D;
    return linear(operand(given, 'bfloat16'), weight as tf.Tensor as tf.Tensor2D, 'bfloat16');
  };
  const { gradients } = lossAndGradients([weight], () => tf.sum(onTape([weight], f)).asScalar());
  expect(isBfloat16(gradients.get(weight)!)).toBe(true);
  const { grads } = tf.variableGrads(() => tf.sum(onTape([weight], f)).asScalar(), [weight]);
  expect(grads[weight.name]!.dtype).toBe('float32');
  expect(valuesOf(gradients.get(weight)!)).toEqual(valuesOf(grads[weight.name]!));
});
