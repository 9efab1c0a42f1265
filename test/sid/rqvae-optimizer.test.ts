/** AdamW against PyTorch's formulas in plain numbers, over steps: each parameter's own count, clipping, decay, saving. */
import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { Optimizer, type StepOptions } from '../../lib/sid/rqvae/optimizer.js';
import { toVariables } from '../../lib/sid/rqvae/parameters.js';
import { Random } from '../../lib/support/random.js';

beforeAll(async () => void (await useEngine()));

type Numbers = Record<string, number[]>;

/** `torch.optim.AdamW` after `clip_grad_norm_`, one parameter tensor after another. */
class Plain {
  readonly m: Numbers = {};
  readonly v: Numbers = {};
  readonly counts: Record<string, number> = {};

  step(parameters: Numbers, gradients: Numbers, { rate, maxGradNorm, weightDecay }: StepOptions): void {
    const norm = Math.sqrt(Object.values(gradients).flat().reduce((sum, g) => sum + g * g, 0)); // prettier-ignore
    const scale = maxGradNorm > 0 ? Math.min(1, maxGradNorm / (norm + 1e-6)) : 1;
    for (const [name, gradient] of Object.entries(gradients)) {
      const t = (this.counts[name] = (this.counts[name] ?? 0) + 1);
      const m = (this.m[name] ??= gradient.map(() => 0));
      const v = (this.v[name] ??= gradient.map(() => 0));
      gradient.forEach((raw, i) => {
        const g = raw * scale;
        m[i] = 0.9 * m[i]! + 0.1 * g;
        v[i] = 0.999 * v[i]! + 0.001 * g * g;
        const decayed = parameters[name]![i]! * (1 - rate * weightDecay);
        const [unbiased, spread] = [m[i]! / (1 - 0.9 ** t), v[i]! / (1 - 0.999 ** t)];
        parameters[name]![i] = decayed - (rate * unbiased) / (Math.sqrt(spread) + 1e-8);
      });
    }
  }
}

const random = new Random(1);
const draw = (count: number, size = 1) => Array.from({ length: count }, () => size * random.normal());
/** `b` has a gradient from the third step on, some of `a`'s are so small that epsilon counts. */
const steps: Numbers[] = [1, 2, 3, 4, 5].map((step) => ({
  a: [...draw(3), ...draw(2, 1e-8)],
  ...(step >= 3 && { b: draw(4, 0.1) }),
}));
const start: Numbers = { a: draw(5), b: draw(4) };
const OPTIONS: StepOptions[] = [
  { rate: 0.1, maxGradNorm: 0, weightDecay: 0 },
  { rate: 0.1, maxGradNorm: 0.5, weightDecay: 0 },
  { rate: 0.03, maxGradNorm: 100, weightDecay: 0.2 },
];

function variables() {
  return toVariables(
    new Map(Object.entries(start).map(([name, of]) => [name, { shape: [of.length], data: Float32Array.from(of) }])),
  );
}

function apply(optimizer: Optimizer, gradients: Numbers, options: StepOptions): void {
  const tensors = new Map(Object.entries(gradients).map(([name, values]) => [name, tf.tensor1d(values)]));
  optimizer.apply(tensors, options);
  tf.dispose([...tensors.values()]);
}

function expectNear(of: ReadonlyMap<string, tf.Variable>, want: Numbers): void {
  for (const [name, values] of Object.entries(want)) {
    const got = of.get(name)!.dataSync();
    values.forEach((value, i) => expect(got[i], `${name} ${i}`).toBeCloseTo(value, 5));
  }
}

test.each(OPTIONS)('five steps as by hand: %o', (options) => {
  const before = tf.memory().numTensors;
  const [plain, want] = [new Plain(), structuredClone(start)];
  const parameters = variables();
  const optimizer = new Optimizer(parameters);
  for (const gradients of steps) {
    plain.step(want, gradients, options);
    apply(optimizer, gradients, options);
    expectNear(parameters, want);
  }
  optimizer.dispose();
  tf.dispose([...parameters.values()]);
  expect(tf.memory().numTensors).toBe(before);
});

test('a rate of 0 moves nothing, but the moments and counts go on', () => {
  const [plain, want] = [new Plain(), structuredClone(start)];
  const parameters = variables();
  const optimizer = new Optimizer(parameters);
  steps.forEach((gradients, i) => {
    const options = { rate: i === 1 ? 0 : 0.1, maxGradNorm: 0, weightDecay: 0.1 };
    plain.step(want, gradients, options);
    apply(optimizer, gradients, options);
    expectNear(parameters, want);
  });
  optimizer.dispose();
  tf.dispose([...parameters.values()]);
});

test.each([1, 2, 4])('saved after step %i and restored, it goes on as if it had not been', (stop) => {
  const options = OPTIONS[2]!;
  const [whole, parts] = [variables(), variables()];
  const [one, first] = [new Optimizer(whole), new Optimizer(parts)];
  for (const gradients of steps) apply(one, gradients, options);
  for (const gradients of steps.slice(0, stop)) apply(first, gradients, options);
  const saved = first.save();
  expect(saved.get('a.updates')).toEqual({ shape: [1], data: Float32Array.of(stop) });
  expect(saved.has('b.updates')).toBe(stop > 2);
  const second = new Optimizer(parts);
  second.restore(saved);
  expect(second.save().get('b.updates')!.data).toEqual(Float32Array.of(Math.max(0, stop - 2)));
  for (const gradients of steps.slice(stop)) apply(second, gradients, options);
  for (const name of ['a', 'b']) expect(parts.get(name)!.dataSync()).toEqual(whole.get(name)!.dataSync());
  expect(() => second.restore(new Map())).toThrow(
    'adamw: expected a.m in the checkpoint, got none; remove the checkpoint',
  );
  for (const optimizer of [one, first, second]) optimizer.dispose();
  tf.dispose([...whole.values(), ...parts.values()]);
});

test('clipping: a millionth is added to the norm', () => {
  const parameters = toVariables(new Map([['w', { shape: [2], data: new Float32Array(2) }]]));
  const optimizer = new Optimizer(parameters, 'sgd');
  apply(optimizer, { w: [3e-6, 4e-6] }, { rate: 1, maxGradNorm: 2e-6, weightDecay: 0 });
  const moved = parameters.get('w')!.dataSync();
  [3, 4].forEach((size, i) => expect(moved[i]! * 1e6).toBeCloseTo((-size * 2) / (5 + 1), 4));
  optimizer.dispose();
  tf.dispose([...parameters.values()]);
});
