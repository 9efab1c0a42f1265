/**
 * Every operation of lib/ops, plain and fused, against the same formula composed of TensorFlow.js's own operations, whose
 * gradients are TensorFlow.js's: values and the gradient of every input. Then what no composition can tell: constants
 * and bounds.
 */
import * as tf from '@tensorflow/tfjs';
import { afterEach, describe, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { registerNativeOps, unregisterNativeOps } from '../../lib/engine/native-ops.js';
import { adamw, type AdamWOptions, squareSum } from '../../lib/ops/adamw.js';
import { masked, product, reshaped, sum, withBias } from '../../lib/ops/basic.js';
import { chooseRows, embedding, scaleRows, sumRows } from '../../lib/ops/embedding.js';
import { givenUp, hasFused } from '../../lib/ops/fused.js';
import { lowRankLinear } from '../../lib/ops/low-rank-linear.js';
import { rmsNorm } from '../../lib/ops/rms-norm.js';
import { rotary, rotaryTable } from '../../lib/ops/rotary.js';
import {
  gatherRows,
  splitEmbedding,
  tableLogits,
  trainedRows,
  wholeTable,
  withTrainedRows,
} from '../../lib/ops/split-table.js';
import { swiglu } from '../../lib/ops/swiglu.js';
import { onTape } from '../../lib/ops/tape.js';
import { targetLogProbs } from '../../lib/ops/target-log-probs.js';
import { Random } from '../../lib/support/random.js';

await useEngine();
const implementations = hasFused('SidlabRmsNorm') ? (['fused', 'plain'] as const) : (['plain'] as const);
afterEach(() => implementations.length === 2 && registerNativeOps());

const random = new Random('composition');
function normal(...shape: number[]): tf.Tensor {
  const size = shape.reduce((product, n) => product * n, 1);
  return tf.tensor(Float32Array.from({ length: size }, () => random.normal()), shape); // prettier-ignore
}

type Op = (...inputs: tf.Tensor[]) => tf.Tensor;
type M = tf.Tensor2D;
type V = tf.Tensor1D;

const ids = tf.tensor1d([3, 0, 3, 5], 'int32');
const [chosen, inverse] = [tf.tensor1d([3, 0], 'int32'), tf.tensor1d([1, 2, 2, 0], 'int32')];
const keep = tf.tensor2d([0, 2, 2, 0, 2, 0, 0, 2, 2, 2, 2, 0], [4, 3]);
const W = normal(5, 3) as M;
const [row, token] = [Int32Array.of(0, 2, 2, 1), Int32Array.of(3, 6, 0, 3)];
/** Tokens of each row of [3, 7] but those at every fifth place, and the same as what is added to the logits. */
const isLegal = (place: number): boolean => place % 5 !== 2;
const legal = {
  start: Int32Array.of(0, 6, 11, 17),
  token: Int32Array.from({ length: 21 }, (_, i) => i).filter(isLegal).map((i) => i % 7),
}; // prettier-ignore
const illegal = tf.tensor2d(
  Array.from({ length: 21 }, (_, i) => (isLegal(i) ? 0 : -1e9)),
  [3, 7],
);
const angles = rotaryTable([0, 1, 5], Float32Array.of(1, 0.3));

const logProbs = (logits: tf.Tensor): tf.Tensor =>
  tf.sum(tf.mul(tf.gather(tf.logSoftmax(logits), [...row]), tf.oneHot([...token], 7)), 1);
/** A table whose rows `first` and `first` + 1 are `trained`. */
const whole = (trained: tf.Tensor, frozen: tf.Tensor, first: number): tf.Tensor =>
  tf.concat([tf.slice(frozen, 0, first), trained, tf.slice(frozen, first)], 0);
const rotate = (x: tf.Tensor): tf.Tensor => {
  const position = tf.tensor3d([0, 1, 5], [3, 1, 1]);
  const angle = tf.mul(position, tf.tensor3d([1, 0.3], [1, 1, 2]));
  const [re, im] = tf.split(x, 2, 2) as [tf.Tensor, tf.Tensor];
  const [c, s] = [tf.cos(angle), tf.sin(angle)];
  return tf.concat([tf.sub(tf.mul(re, c), tf.mul(im, s)), tf.add(tf.mul(im, c), tf.mul(re, s))], 2);
};
const frozen = normal(5, 4) as M;
const shares = tf.tensor2d([1, 0.5, 2, -3], [4, 1]);

/** Name, ours, the composition, shapes of the inputs. */
const operations: [string, Op, Op, number[][]][] = [
  ['product', (x, w) => product(x as M, w as M), (x, w) => tf.matMul(x!, w!, false, true), [[4, 3], [5, 3]]],
  ['sum', (a, b) => sum(a!, b!), (a, b) => tf.add(a!, b!), [[4, 3], [4, 3]]],
  ['withBias', (x, b) => withBias(x as M, b as V), (x, b) => tf.add(x!, b!), [[4, 3], [3]]],
  ['reshaped', (x) => reshaped(x!, [2, 6]), (x) => tf.reshape(x!, [2, 6]), [[4, 3]]],
  ['masked', (x) => masked(x as M, () => keep.clone()), (x) => tf.mul(x!, keep), [[4, 3]]],
  ['embedding', (t) => embedding(t as M, ids), (t) => tf.gather(t!, ids), [[6, 3]]],
  [
    'chooseRows',
    (x) => chooseRows(x as M, chosen, inverse),
    (x) => tf.gather(x!, chosen),
    [[4, 3]],
  ],
  ['scaleRows', (x) => scaleRows(x as M, shares), (x) => tf.mul(x!, shares), [[4, 3]]],
  [
    'lowRankLinear',
    (x, a, b) => lowRankLinear(x as M, W, { a: a as M, b: b as M, scale: 1.5 }),
    (x, a, b) =>
      tf.add(tf.matMul(x!, W, false, true), tf.mul(tf.matMul(tf.matMul(x!, a!, false, true), b!, false, true), 1.5)),
    [[4, 3], [2, 3], [5, 2]],
  ],
  [
    'lowRankLinear with dropout',
    (x, a, b) => lowRankLinear(x as M, W, { a: a as M, b: b as M, scale: 0.5, mask: () => keep.clone() as M }),
    (x, a, b) => {
      const low = tf.matMul(tf.mul(x!, keep), a!, false, true);
      return tf.add(tf.matMul(x!, W, false, true), tf.mul(tf.matMul(low, b!, false, true), 0.5));
    },
    [[4, 3], [2, 3], [5, 2]],
  ],
  [
    'rmsNorm',
    (x, w) => rmsNorm(x as M, w as V, 0.3),
    (x, w) => tf.mul(tf.div(x!, tf.sqrt(tf.add(tf.mean(tf.square(x!), 1, true), 0.3))), w!),
    [[4, 3], [3]],
  ],
  ['rotary', (x) => rotary(x as tf.Tensor3D, angles), (x) => rotate(x!), [[3, 2, 4]]],
  ['swiglu', (g, u) => swiglu(g as M, u as M), (g, u) => tf.mul(tf.mul(g!, tf.sigmoid(g!)), u!), [[4, 3], [4, 3]]],
  [
    'targetLogProbs',
    (h, o) => targetLogProbs(h as M, o as M, { row, token }),
    (h, o) => logProbs(tf.matMul(h!, o!, false, true)),
    [[3, 4], [7, 4]],
  ],
  [
    'targetLogProbs over legal tokens',
    (h, o) => targetLogProbs(h as M, o as M, { row, token }, legal),
    (h, o) => logProbs(tf.add(tf.matMul(h!, o!, false, true), illegal)),
    [[3, 4], [7, 4]],
  ],
  ...[0, 2, 5].map((first): [string, Op, Op, number[][]] => [
    `targetLogProbs over legal tokens, two rows from ${first} trained`,
    (h, t) => targetLogProbs(h as M, { frozen, trained: t as M, first }, { row, token }, legal),
    (h, t) => logProbs(tf.add(tf.matMul(h!, whole(t!, frozen, first), false, true), illegal)),
    [[3, 4], [2, 4]],
  ]),
  ...[0, 2, 4, 5].flatMap((first): [string, Op, Op, number[][]][] => [
    [
      `targetLogProbs of a table of which two rows from ${first} are trained`,
      (h, t) => targetLogProbs(h as M, { frozen, trained: t as M, first }, { row, token }),
      (h, t) => logProbs(tf.matMul(h!, whole(t!, frozen, first), false, true)),
      [[3, 4], [2, 4]],
    ],
    [
      `splitEmbedding, two rows from ${first}`,
      (t) => splitEmbedding({ frozen, trained: t as M, first }, tf.tensor1d([0, 1, 2, 3, 4, 5, 6, 3, 2, 6], 'int32')),
      (t) => tf.gather(whole(t!, frozen, first), tf.tensor1d([0, 1, 2, 3, 4, 5, 6, 3, 2, 6], 'int32')),
      [[2, 4]],
    ],
  ]),
]; // prettier-ignore

/** Largest difference, as a share of the largest number. */
function off(ours: tf.Tensor[], theirs: tf.Tensor[]): number {
  expect(ours.map(({ shape }) => shape)).toEqual(theirs.map(({ shape }) => shape));
  const shares = ours.map((tensor, i) => {
    const other = theirs[i]!.dataSync<'float32'>();
    const apart = tensor.dataSync<'float32'>().reduce((most, x, j) => Math.max(most, Math.abs(x - other[j]!)), 0);
    return apart / (other.reduce((most, x) => Math.max(most, Math.abs(x)), 0) + 1e-12);
  });
  return Math.max(...shares.map((share) => (Number.isNaN(share) ? Infinity : share)));
}

describe.each(implementations)('the composition of TensorFlow.js, %s', (implementation) => {
  test.each(operations)('%s', (_, ours, theirs, shapes) => {
    if (implementation === 'plain') unregisterNativeOps();
    tf.tidy(() => {
      const inputs = shapes.map((shape) => normal(...shape));
      const [value, wanted] = [ours(...inputs), theirs(...inputs)];
      expect(off([value], [wanted])).toBeLessThan(2e-6);
      const dy = normal(...value.shape);
      const gradients = (op: Op): tf.Tensor[] => tf.grads((...given: tf.Tensor[]) => op(...given))(inputs, dy);
      expect(off(gradients(ours), gradients(theirs))).toBeLessThan(4e-6);
      // On a tape of ours the same operations, the same gradients.
      const variables = inputs.map((input) => tf.variable(input));
      const loss = (): tf.Scalar => tf.sum(tf.mul(onTape(variables, () => ours(...variables)), dy)); // prettier-ignore
      const { grads } = tf.variableGrads(loss, variables);
      expect(off(variables.map(({ name }) => grads[name]!), gradients(theirs))).toBeLessThan(4e-6); // prettier-ignore
      tf.dispose(variables);
    });
  });

  const several = operations.filter(([, , , { length }]) => length > 1);
  test.each(several.flatMap(([name, ...rest]) => rest[2].map((_, i) => [name, i, ...rest] as const)))(
    '%s, input %i alone is trained',
    (_, learning, ours, theirs, shapes) => {
      if (implementation === 'plain') unregisterNativeOps();
      tf.tidy(() => {
        const variables = shapes.map((shape, i) => tf.variable(normal(...shape), i === learning));
        const own = variables[learning]!;
        const dy = normal(...theirs(...variables).shape);
        const wanted = tf.grad((x: tf.Tensor) => theirs(...variables.map((other) => (other === own ? x : other))))(
          own,
          dy,
        );
        for (const run of [(f: () => tf.Tensor) => f(), (f: () => tf.Tensor) => onTape([own], f)]) {
          const { grads } = tf.variableGrads(() => tf.sum(tf.mul(run(() => ours(...variables)), dy)), [own]); // prettier-ignore
          expect(off([grads[own.name]!], [wanted])).toBeLessThan(4e-6);
        }
        tf.dispose(variables);
      });
    },
  );

  test("adamw: the defaults are PyTorch's, without decay and scale", () => {
    if (implementation === 'plain') unregisterNativeOps();
    const gradients = [normal(5), normal(5), normal(5)];
    const run = (options: AdamWOptions): tf.Tensor => {
      const moments = { m: tf.variable(tf.zeros([5])), v: tf.variable(tf.zeros([5])) };
      return gradients.reduce<tf.Tensor>((x, dx, i) => adamw(x, dx, moments, i + 1, 0.1, options), tf.ones([5]));
    };
    const explicit = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, gradientScale: 1 };
    expect(run({}).arraySync()).toEqual(run(explicit).arraySync());
    for (const [name, value] of Object.entries({
      beta1: 0.8,
      beta2: 0.9,
      epsilon: 1,
      weightDecay: 1,
      gradientScale: 0,
    })) {
      expect(run({ [name]: value }).arraySync(), name).not.toEqual(run({}).arraySync());
    }
    const decayed = adamw(tf.ones([1]), tf.zeros([1]), { m: tf.variable(tf.zeros([1])), v: tf.variable(tf.zeros([1])) }, 1, 0.1, { weightDecay: 1 }); // prettier-ignore
    expect(decayed.dataSync()[0]).toBeCloseTo(0.9, 6);
  });

  test('adamw: the formula, number by number, epsilon and the gradient scale included', () => {
    if (implementation === 'plain') unregisterNativeOps();
    const [beta1, beta2, epsilon, rate, decay, scale] = [0.8, 0.9, 0.05, 0.1, 0.3, 0.25];
    const decays = [1, 0, 1];
    const gradients = [[0.4, -1, 0.001], [0.2, 0.5, -0.002], [-0.3, 0.1, 0]]; // prettier-ignore
    let [p, m, v] = [[1, -2, 0.5], [0, 0, 0], [0, 0, 0]]; // prettier-ignore
    const moments = { m: tf.variable(tf.zeros([3])), v: tf.variable(tf.zeros([3])) };
    let parameter: tf.Tensor = tf.tensor1d(p!);
    gradients.forEach((gradient, i) => {
      const step = i + 1;
      const options = { beta1, beta2, epsilon, weightDecay: decay, gradientScale: scale };
      const all = step === 2 ? undefined : tf.tensor1d(decays);
      parameter = adamw(parameter, tf.tensor1d(gradient), moments, step, rate, options, all);
      m = m!.map((x, j) => beta1 * x + (1 - beta1) * scale * gradient[j]!);
      v = v!.map((x, j) => beta2 * x + (1 - beta2) * (scale * gradient[j]!) ** 2);
      p = p!.map((x, j) => {
        const kept = 1 - rate * decay * (all ? decays[j]! : 1);
        const move = m![j]! / (1 - beta1 ** step) / (Math.sqrt(v![j]! / (1 - beta2 ** step)) + epsilon);
        return x * kept - rate * move;
      });
    });
    parameter.dataSync().forEach((x, j) => expect(x).toBeCloseTo(p![j]!, 5));
    moments.m.dataSync().forEach((x, j) => expect(x).toBeCloseTo(m![j]!, 6));
    moments.v.dataSync().forEach((x, j) => expect(x).toBeCloseTo(v![j]!, 6));
    const zero = { m: tf.variable(tf.zeros([1])), v: tf.variable(tf.zeros([1])) };
    const first = adamw(tf.zeros([1]), tf.tensor1d([1e-8]), zero, 1, 1); // as small as epsilon's default
    expect(first.dataSync()[0]).toBeCloseTo(-0.5, 5);
  });

  test('squareSum: of every number, once', () => {
    if (implementation === 'plain') unregisterNativeOps();
    expect([...squareSum(tf.tensor2d([[1, -2], [3, 0]])).dataSync()]).toEqual([14]); // prettier-ignore
    expect(squareSum(tf.fill([70000], 2)).dataSync()[0]).toBe(280000);
  });

  test('rmsNorm: the epsilon that it is given', () => {
    if (implementation === 'plain') unregisterNativeOps();
    const x = tf.tensor2d([[1e-3, -1e-3]]);
    expect(rmsNorm(x, tf.ones([2]), 1e-6).dataSync()[0]).toBeCloseTo(1 / Math.SQRT2, 5);
    expect(rmsNorm(x, tf.ones([2]), 3e-6).dataSync()[0]).toBeCloseTo(0.5, 5);
  });

  test('sumRows: what goes to one place is summed', () => {
    const x = normal(4, 3);
    expect(off([sumRows(x, ids, 7)], [tf.unsortedSegmentSum(x, ids, 7)])).toBeLessThan(1e-6);
  });

  test('targetLogProbs of no targets', () => {
    if (implementation === 'plain') unregisterNativeOps();
    const none = { row: new Int32Array(0), token: new Int32Array(0) };
    expect(targetLogProbs(tf.ones([2, 3]), tf.ones([4, 3]), none).shape).toEqual([0]);
  });
});

test.each([0, 2, 4, 5])('a split table is the whole table: two rows from %i', (first) => {
  const trained = normal(2, 4) as M;
  const table = { frozen, trained, first };
  const all = whole(trained, frozen, first);
  const some = tf.tensor1d([6, 0, 3], 'int32');
  const hidden = normal(3, 4) as M;
  expect(wholeTable(table).arraySync()).toEqual(all.arraySync());
  expect(gatherRows(table, some).arraySync()).toEqual(tf.gather(all, some).arraySync());
  expect(off([tableLogits(hidden, table)], [tf.matMul(hidden, all, false, true)])).toBeLessThan(2e-6);
});

test('a split table of one frozen row', () => {
  const [row, trained] = [normal(1, 4) as M, normal(2, 4) as M];
  for (const first of [0, 1]) {
    const all = whole(trained, row, first);
    const given = tf.tensor1d([2, 0, 1], 'int32');
    expect(gatherRows({ frozen: row, trained, first }, given).arraySync()).toEqual(tf.gather(all, given).arraySync());
  }
});

test('trained tensors of a table: itself unless it is frozen, of a split one its trained rows', () => {
  const [table, still] = [tf.variable(frozen), tf.variable(frozen, false)] as unknown as [M, M];
  const split = { frozen, trained: normal(2, 4) as M, first: 1 };
  expect(trainedRows(table)).toEqual([table]);
  expect(trainedRows(frozen)).toEqual([frozen]);
  expect(trainedRows(still)).toEqual([]);
  expect(trainedRows(split)).toEqual([split.trained]);
  const other = normal(2, 4) as M;
  expect(withTrainedRows(table, [other])).toBe(other);
  expect(withTrainedRows(still, [])).toBe(still);
  expect(withTrainedRows(split, [other])).toEqual({ ...split, trained: other });
  expect(wholeTable(table)).toBe(table);
});

test.runIf(tf.getBackend() === 'tensorflow')('what is given up: a tensor that no other handle shares', () => {
  const [alone, shared] = [normal(3), normal(3)];
  const clone = shared.clone();
  expect([...givenUp(alone, shared, clone).dataSync()]).toEqual([1, 0, 0]);
  clone.dispose();
  expect([...givenUp(shared).dataSync()]).toEqual([1]);
});

test('a frozen variable in an operation has a gradient of zeros, which nobody reads', () => {
  const [x, w] = [tf.variable(normal(4, 3)), tf.variable(normal(5, 3), false)];
  const { grads } = tf.variableGrads(() => tf.sum(product(x as unknown as M, w as unknown as M)), [x]);
  expect(off([grads[x.name]!], [tf.matMul(tf.ones([4, 5]), w as unknown as M)])).toBeLessThan(2e-6);
});
