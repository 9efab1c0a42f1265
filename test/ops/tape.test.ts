/** The tape by itself: a stretch that is computed again has the gradient of one that was kept. */
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { product, sum } from '../../lib/ops/basic.js';
import { dropoutFrom } from '../../lib/ops/dropout.js';
import { swiglu } from '../../lib/ops/swiglu.js';
import { activeTape, onTape, recomputed } from '../../lib/ops/tape.js';
import { Random } from '../../lib/support/random.js';

beforeAll(async () => void (await useEngine()));

const random = new Random('tape');
const matrix = (rows: number, columns: number): tf.Variable =>
  tf.tidy(() =>
    tf.variable(
      tf.tensor2d(
        Float32Array.from({ length: rows * columns }, () => random.normal()),
        [rows, columns],
      ),
    ),
  );

let variables: tf.Variable[] = [];
afterEach(() => tf.dispose(variables.splice(0)));

type Stretch = (x: tf.Tensor2D, f: () => tf.Tensor2D) => tf.Tensor2D;

/** Value and gradients of three steps `x + swiglu(x @ w, x @ v)`, each within `stretch`. */
function threeSteps(stretch: Stretch, learning: readonly tf.Variable[]): Float32Array[] {
  const [start, ...weights] = variables as unknown as tf.Tensor2D[] as [tf.Tensor2D, ...tf.Tensor2D[]];
  const forward = (): tf.Tensor2D => {
    let x = sum(start, start);
    for (let i = 0; i < weights.length; i += 2) {
      const input = x;
      x = stretch(input, () => sum(input, swiglu(product(input, weights[i]!), product(input, weights[i + 1]!))));
    }
    return x;
  };
  const { value, grads } = tf.variableGrads(
    () => tf.sum(tf.square(onTape(learning, forward))) as tf.Scalar,
    [...learning],
  );
  const numbers = [value, ...learning.map(({ name }) => grads[name]!)].map((tensor) =>
    tensor.dataSync<'float32'>().slice(),
  );
  tf.dispose([value, grads]);
  return numbers;
}

const kept: Stretch = (_, f) => f();

test.each([
  ['all', () => variables],
  ['the matrices', () => variables.slice(1)],
  ['those of the second step', () => variables.slice(3, 5)],
])('computed again, the same bits; what learns: %s', (_, learning) => {
  variables = [matrix(9, 4), ...Array.from({ length: 6 }, () => matrix(4, 4))];
  const before = tf.memory().numTensors;
  let runs = 0;
  const again = threeSteps((x, f) => recomputed(x, () => (runs++, f())), learning());
  expect(again).toEqual(threeSteps(kept, learning()));
  expect(runs).toBe(learning().length === 2 ? 5 : 6); // a step before what learns is not computed again
  expect(tf.memory().numTensors).toBe(before);
});

test('an input whose gradient comes from two sides gets both', () => {
  variables = [matrix(5, 3), matrix(3, 3)];
  const [x, w] = variables as unknown as [tf.Tensor2D, tf.Tensor2D];
  const of = (stretch: Stretch): Float32Array => {
    const { value, grads } = tf.variableGrads(
      () =>
        tf.sum(
          onTape(variables, () => {
            const input = sum(x, x);
            return sum(
              input,
              stretch(input, () => product(input, w)),
            );
          }),
        ) as tf.Scalar,
    );
    const gradient = grads[variables[0]!.name]!.dataSync<'float32'>().slice();
    tf.dispose([value, grads]);
    return gradient;
  };
  expect(of((input, f) => recomputed(input, f))).toEqual(of(kept));
});

test('a failure within leaves nothing behind', () => {
  variables = [matrix(5, 3)];
  const [x] = variables as unknown as [tf.Tensor2D];
  const before = tf.memory().numTensors;
  const fails = (): tf.Tensor =>
    tf.tidy(() => {
      const { value } = tf.variableGrads(
        () =>
          tf.sum(
            onTape(variables, () =>
              recomputed(x, (): tf.Tensor2D => {
                sum(x, x);
                throw new Error('within');
              }),
            ),
          ) as tf.Scalar,
      );
      return value;
    });
  expect(fails).toThrow('within');
  expect(tf.memory().numTensors).toBe(before);
  expect(tf.tidy(() => threeStepsLater())).toBe(true);
});

/** Whether a gradient can be taken still. */
function threeStepsLater(): boolean {
  const [x] = variables as unknown as [tf.Tensor2D];
  const { grads } = tf.variableGrads(() => tf.sum(onTape(variables, () => sum(x, x))) as tf.Scalar);
  return Object.values(grads).every((gradient) => gradient.dataSync()[0] === 2);
}

test('dropout once more: the same masks, and after them those that would have come', () => {
  const draw = new Random('masks');
  const dropout = dropoutFrom(draw, 0.5)!;
  const x = tf.ones<tf.Rank.R2>([4, 8]);
  const mask = (): number[] => [...tf.tidy(() => dropout(x).dataSync())];
  const replay = dropout.replay();
  const [first, second] = [mask(), mask()];
  expect(replay(() => [mask(), mask()])).toEqual([first, second]);
  const third = mask();
  const straight = dropoutFrom(new Random('masks'), 0.5)!;
  const three = [1, 2, 3].map(() => [...tf.tidy(() => straight(x).dataSync())]);
  expect([first, second, third]).toEqual(three);
  x.dispose();
});

test('a tape records while a gradient is taken, one for all that is within', () => {
  variables = [matrix(2, 2)];
  const [x] = variables as unknown as [tf.Tensor2D];
  const seen: ReturnType<typeof activeTape>[] = [];
  const f = (): tf.Tensor2D => {
    seen.push(activeTape());
    return onTape(variables, () => {
      seen.push(activeTape());
      return sum(x, x);
    });
  };
  tf.tidy(() => onTape(variables, f));
  expect(seen).toEqual([undefined, undefined]);
  tf.tidy(() => {
    const { grads } = tf.variableGrads(() => tf.sum(onTape(variables, f)) as tf.Scalar);
    expect([...grads[variables[0]!.name]!.dataSync()]).toEqual([2, 2, 2, 2]);
  });
  const [, , outer, inner] = seen;
  expect(outer).toBeDefined();
  expect(inner).toBe(outer);
  expect(activeTape()).toBeUndefined();
});

test('what no gradient looks at is freed on the way: a long sum takes no more than a short one', () => {
  variables = [matrix(2, 2)];
  const [x] = variables as unknown as [tf.Tensor2D];
  const held: number[] = [];
  const gradient = tf.tidy(() => {
    const { grads } = tf.variableGrads(
      () =>
        tf.sum(
          onTape(variables, () => {
            let y = sum(x, x);
            for (let i = 0; i < 5; i++) {
              y = sum(y, y);
              activeTape()!.sweep(y);
              held.push(tf.memory().numTensors);
            }
            return y;
          }),
        ) as tf.Scalar,
    );
    return [...grads[variables[0]!.name]!.dataSync()];
  });
  expect(gradient).toEqual([64, 64, 64, 64]);
  expect(held).toEqual(held.map(() => held[0]));
});

test('what a gradient looks at is kept: of a product both sides', () => {
  variables = [matrix(3, 3)];
  const [w] = variables as unknown as [tf.Tensor2D];
  const of = (f: () => tf.Tensor): Float32Array =>
    tf.tidy(() => {
      const { grads } = tf.variableGrads(() => tf.sum(f()) as tf.Scalar);
      return grads[variables[0]!.name]!.dataSync<'float32'>().slice();
    });
  const ours = of(() =>
    onTape(variables, () => {
      const doubled = sum(w, w);
      const squared = product(doubled, doubled);
      activeTape()!.sweep(squared);
      return product(squared, w);
    }),
  );
  const theirs = of(() => {
    const doubled = tf.add(w, w);
    return tf.matMul(tf.matMul(doubled, doubled, false, true), w, false, true);
  });
  ours.forEach((x, i) => expect(x).toBeCloseTo(theirs[i]!, 4));
});

test('an operation on what is neither a variable nor on the tape is an error', () => {
  variables = [matrix(2, 2)];
  const [x] = variables as unknown as [tf.Tensor2D];
  const stray = tf.ones<tf.Rank.R2>([2, 2]);
  const run = (): unknown =>
    tf.tidy(() => tf.variableGrads(() => tf.sum(onTape(variables, () => sum(x, stray))) as tf.Scalar));
  expect(run).toThrow('tape: expected every input to come from an operation on the tape or a variable');
  stray.dispose();
});

test('a source that nothing reaches has a gradient of zeros', () => {
  variables = [matrix(2, 2), matrix(2, 3)];
  const [x] = variables as unknown as [tf.Tensor2D];
  tf.tidy(() => {
    const { grads } = tf.variableGrads(() => tf.sum(onTape(variables, () => sum(x, x))) as tf.Scalar, variables);
    expect(grads[variables[1]!.name]!.arraySync()).toEqual([[0, 0, 0], [0, 0, 0]]); // prettier-ignore
  });
});
