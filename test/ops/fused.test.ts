/**
 * Fast against plain: every fused operation beside its plain implementation, values and gradients, on the same random inputs.
 * Skipped where the engine has no fused operations; that they ran is proved by TensorFlow.js's own list of kernels.
 */
import * as tf from '@tensorflow/tfjs';
import fc from '../fast-check.js';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { registerNativeOps, unregisterNativeOps } from '../../lib/engine/native-ops.js';
import { ancestorRuns, disposePlan, planAttention } from '../../lib/lm/attention-plan.js';
import { chain, prefixTree, packTrees, type Tree } from '../../lib/lm/forest.js';
import { adamw } from '../../lib/ops/adamw.js';
import { embedding } from '../../lib/ops/embedding.js';
import { forestAttention } from '../../lib/ops/forest-attention.js';
import { hasFused } from '../../lib/ops/fused.js';
import { rmsNorm } from '../../lib/ops/rms-norm.js';
import { rotary, rotaryTable } from '../../lib/ops/rotary.js';
import { swiglu } from '../../lib/ops/swiglu.js';
import { onTape } from '../../lib/ops/tape.js';
import { targetLogProbs } from '../../lib/ops/target-log-probs.js';
import { Random } from '../../lib/support/random.js';

const say = (line: string): boolean => process.stderr.write(`${line}\n`);

await useEngine();
const there = hasFused('SidlabRmsNorm');
if (!there) say(`fused operations: not on this engine, tests skipped`);
const random = new Random('fused');

beforeAll(() => registerNativeOps());
afterEach(() => registerNativeOps());

function normal(...shape: number[]): tf.Tensor {
  const size = shape.reduce((product, n) => product * n, 1);
  return tf.tensor(
    Float32Array.from({ length: size }, () => random.normal()),
    shape,
  );
}

type Op = (...inputs: tf.Tensor[]) => tf.Tensor;

/** Kernels that ran, values and gradients (of a random direction) of both faces. */
async function bothFaces(make: () => Op, inputs: tf.Tensor[]): Promise<{ kernels: string[]; off: number }> {
  const results: Float32Array[][] = [];
  let kernels: string[] = [];
  let direction: tf.Tensor | undefined;
  for (const fused of [true, false]) {
    if (fused) registerNativeOps();
    else unregisterNativeOps();
    const op = make();
    const profile = await tf.profile(() => {
      const value = op(...inputs);
      direction ??= normal(...value.shape);
      const grads = tf.grads((...given) => op(...given))(inputs, direction);
      results.push([value, ...grads].map((tensor) => tensor.dataSync<'float32'>()));
      return value;
    });
    if (fused) kernels = profile.kernelNames;
  }
  const off = results[0]!.map((values, i) => {
    const other = results[1]![i]!;
    const size = Math.sqrt(other.reduce((sum, x) => sum + x * x, 0)) + 1e-12;
    return Math.sqrt(values.reduce((sum, x, j) => sum + (x - other[j]!) ** 2, 0)) / size;
  });
  return { kernels, off: Math.max(...off) };
}

describe.skipIf(!there)('fused and plain', () => {
  test('a tied table on a tape: what its rows add, added in place', async () => {
    const ids = tf.tensor1d([3, 0, 3, 39, 7], 'int32');
    const tied: Op = (table) =>
      onTape([table as tf.Variable], () => {
        const rows = embedding(table as tf.Tensor2D, ids); // 3 is there twice
        return targetLogProbs(rows, table as tf.Tensor2D, {
          row: Int32Array.of(0, 4, 2),
          token: Int32Array.of(5, 0, 3),
        });
      });
    const { kernels, off } = await bothFaces(() => tied, [tf.variable(normal(40, 72))]);
    expect(kernels).toContain('SidlabAddRows');
    expect(off).toBeLessThan(1e-6);
  });

  test.each([
    [
      'SidlabRmsNorm',
      () => (x: tf.Tensor, w: tf.Tensor) => rmsNorm(x as tf.Tensor2D, w as tf.Tensor1D, 1e-6),
      [[301, 70], [70]],
    ],
    [
      'SidlabSwiglu',
      () => (a: tf.Tensor, b: tf.Tensor) => swiglu(a as tf.Tensor2D, b as tf.Tensor2D),
      [
        [301, 70],
        [301, 70],
      ],
    ],
    [
      'SidlabRotary',
      () => {
        const table = rotaryTable(
          Int32Array.from({ length: 50 }, (_, i) => i % 9),
          Float32Array.from([1, 0.3, 0.01]),
        );
        return (x: tf.Tensor) => rotary(x as tf.Tensor3D, table);
      },
      [[50, 3, 6]],
    ],
    [
      'SidlabTargetLogProbs',
      () => {
        const targets = { row: Int32Array.from([0, 2, 2, 1]), token: Int32Array.from([3, 76, 4, 0]) };
        return (hidden: tf.Tensor, output: tf.Tensor) =>
          targetLogProbs(hidden as tf.Tensor2D, output as tf.Tensor2D, targets);
      },
      [
        [3, 16],
        [77, 16],
      ],
    ],
  ] as [string, () => Op, number[][]][])('%s', async (name, make, shapes) => {
    const { kernels, off } = await bothFaces(
      make,
      shapes.map((shape) => normal(...shape)),
    );
    say(`${name}: relative difference ${off.toExponential(1)}`);
    expect(kernels).toContain(name);
    expect(kernels.some((kernel) => kernel === `${name}Grad` || kernel === 'SidlabRotary')).toBe(true);
    expect(off).toBeLessThan(1e-5);
  });

  const tokens = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
  test.each<[string, Tree[]]>([
    [
      'chains, prefix trees and trees of any number of runs',
      [chain(tokens(1)), prefixTree(tokens(7), [tokens(3), tokens(1), tokens(4)]), chain(tokens(33)), branching(50)],
    ],
    // more probabilities than the gradient holds at a time: the queries of a piece take several turns
    ['paths of hundreds of nodes', [chain(tokens(900)), prefixTree(tokens(700), [tokens(40), tokens(35)])]],
  ])('attention over %s, grouped keys', async (_, trees) => {
    const forest = packTrees(trees);
    const nodes = forest.token.length;
    const plans: ReturnType<typeof planAttention>[] = [];
    const make = (): Op => {
      const plan = planAttention(forest);
      plans.push(plan);
      return (q, k, v) => forestAttention(q as tf.Tensor3D, k as tf.Tensor3D, v as tf.Tensor3D, plan);
    };
    const { kernels, off } = await bothFaces(make, [normal(nodes, 6, 18), normal(nodes, 2, 18), normal(nodes, 2, 18)]);
    say(`attention: relative difference ${off.toExponential(1)}`);
    expect(kernels).toEqual(expect.arrayContaining(['SidlabForestAttention', 'SidlabForestAttentionGrad']));
    expect(plans.map(({ spans }) => spans === undefined)).toEqual([false, true]);
    expect(off).toBeLessThan(1e-5);
    plans.forEach(disposePlan);
  });

  test('AdamW, moments included, with and without decay by number', () => {
    const run = (): Float32Array[] => {
      const seeded = new Random('adamw');
      const draw = (): tf.Tensor1D => tf.tensor1d(Float32Array.from({ length: 5001 }, () => seeded.normal()));
      const [m, v] = [tf.variable(tf.zeros([5001])), tf.variable(tf.zeros([5001]))];
      const decays = tf.tensor1d(Float32Array.from({ length: 5001 }, () => seeded.int(2)));
      let parameter: tf.Tensor = draw();
      for (let step = 1; step <= 5; step++) {
        const given = step % 2 === 0 ? decays : undefined;
        parameter = adamw(parameter, draw(), { m, v }, step, 0.01, { weightDecay: 0.1 }, given);
      }
      return [parameter, m, v].map((tensor) => tensor.dataSync<'float32'>());
    };
    const fused = run();
    unregisterNativeOps();
    const plain = run();
    fused.forEach((values, i) => values.forEach((x, j) => expect(Math.abs(x - plain[i]![j]!)).toBeLessThan(1e-5)));
  });
});

/** A tree in which a path turns aside many times. */
function branching(nodes: number): Tree {
  const parent = Array.from({ length: nodes }, (_, i) => (i === 0 ? -1 : random.int(2) ? i - 1 : random.int(i)));
  return { token: parent.map(() => 0), parent };
}

test('runs are the ancestors, for every forest', () => {
  const steps = fc.array(fc.nat(), { maxLength: 30 });
  fc.assert(
    fc.property(fc.array(steps, { minLength: 1, maxLength: 4 }), (trees) => {
      const forest = packTrees(
        trees.map((own) => ({
          token: [0, ...own.map(() => 0)],
          parent: [-1, ...own.map((step, i) => (step % 2 === 0 ? i : Math.floor(step / 2) % (i + 1)))],
        })),
      );
      const { runStart, runs } = ancestorRuns(forest);
      forest.parent.forEach((_, node) => {
        const seen = [];
        for (let r = runStart[node]!; r < runStart[node + 1]!; r++) {
          for (let i = runs[2 * r]!; i < runs[2 * r + 1]!; i++) seen.push(i);
        }
        const ancestors = [];
        for (let a = node; a >= 0; a = forest.parent[a]!) ancestors.unshift(a);
        expect(seen).toEqual(ancestors);
      });
    }),
  );
});

test('a run for each turn of the path, and no more', () => {
  const tree = prefixTree([1, 2], [[3], [4, 5]]);
  tree.token.push(6, 7);
  tree.parent.push(3, 5); // a branch on the second branch's first token
  const { runStart, runs } = ancestorRuns(packTrees([tree]));
  expect([...runStart]).toEqual([0, 1, 2, 3, 5, 7, 10, 13]);
  expect([...runs.subarray(20)]).toEqual([0, 2, 3, 4, 5, 7]);
});
