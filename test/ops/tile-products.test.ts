/**
 * Products of bfloat16 matrices in tile registers: the processor's (AMX), else the same packing and blocking with emulated
 * ones. Against sums in double precision and TensorFlow's own product; this file has a process of its own, since the
 * operations are chosen when the engine loads.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import fc from '../fast-check.js';
import { describe, expect, test } from 'vitest';
import { precisionRates } from '../../lib/engine/choose-precision.js';
import { useEngine } from '../../lib/engine/engine.js';
import { kernelCounts } from '../../lib/engine/kernel-counts.js';
import { tilesInUse } from '../../lib/engine/native-ops.js';
import { fromBfloat16, matMulBfloat16, roundToBfloat16, toBfloat16 } from '../../lib/ops/bfloat16.js';
import { runFused } from '../../lib/ops/fused.js';
import { Random } from '../../lib/support/random.js';

process.env.SIDLAB_AMX = 'emulated';
await useEngine();

const FORMS = [
  { op: 'SidlabTileProductNN', transposeA: false, transposeB: false },
  { op: 'SidlabTileProductNT', transposeA: false, transposeB: true },
  { op: 'SidlabTileProductTN', transposeA: true, transposeB: false },
] as const;
type Form = (typeof FORMS)[number];

/** A matrix by its element, in bfloat16, and as it lies in memory. */
interface Matrix {
  at: (row: number, column: number) => number;
  tensor: tf.Tensor2D;
}

function matrix(random: Random, rows: number, columns: number, transposed: boolean): Matrix {
  const values = roundToBfloat16(Float32Array.from({ length: rows * columns }, () => random.normal()));
  return {
    at: (row, column) => values[transposed ? column * rows + row : row * columns + column]!,
    tensor: toBfloat16(tf.tensor2d(values, transposed ? [columns, rows] : [rows, columns])),
  };
}

interface Case {
  a: Matrix;
  b: Matrix;
  truth: Float64Array;
  /** The sum of absolute products of each. */
  size: Float64Array;
}

function draw({ transposeA, transposeB }: Form, [m, k, n]: readonly [number, number, number], seed = 'product'): Case {
  const random = new Random(`${seed} ${m} ${k} ${n}`);
  const a = matrix(random, m, k, transposeA);
  const b = matrix(random, k, n, transposeB);
  const truth = new Float64Array(m * n);
  const size = new Float64Array(m * n);
  for (let l = 0; l < k; l++) {
    const row = Float64Array.from({ length: n }, (_, j) => b.at(l, j));
    for (let i = 0; i < m; i++) {
      const factor = a.at(i, l);
      for (let j = 0; j < n; j++) {
        truth[i * n + j]! += factor * row[j]!;
        size[i * n + j]! += Math.abs(factor * row[j]!);
      }
    }
  }
  return { a, b, truth, size };
}

function product({ op }: Form, { a, b }: Case): Float32Array {
  return fromBfloat16(runFused(op, [a.tensor, b.tensor])[0]!).dataSync<'float32'>();
}

/** Half of bfloat16's last place, and what float32 sums lose. */
function expectNear(values: Float32Array, { truth, size }: Case): void {
  expect(values.length).toBe(truth.length);
  const wrong = values.findIndex(
    (v, i) => !(Math.abs(v - truth[i]!) <= Math.abs(truth[i]!) * 2 ** -8 + size[i]! * 2 ** -20),
  );
  expect(wrong < 0 ? undefined : { place: wrong, got: values[wrong], expected: truth[wrong] }).toBeUndefined();
}

function squaredError(values: Float32Array, truth: Float64Array): number {
  return values.reduce((sum, v, i) => sum + (v - truth[i]!) ** 2, 0);
}

const registered = tilesInUse() !== 'none';

describe.runIf(registered).each(FORMS)('$op', (form) => {
  const on = (shape: readonly [number, number, number], check: (values: Float32Array, drawn: Case) => void): void =>
    tf.tidy(() => {
      const drawn = draw(form, shape);
      check(product(form, drawn), drawn);
    });

  test('any shape, about the edges of tiles and panels', () => {
    const side = fc.oneof(fc.integer({ min: 1, max: 70 }), fc.constantFrom(1, 15, 16, 17, 31, 32, 33, 64, 65));
    fc.assert(
      fc.property(side, side, side, (m, k, n) => on([m, k, n], expectNear)),
      { numRuns: 40 },
    );
  });

  test.each([
    [200, 100, 40], // more rows than stay
    [33, 300, 150], // sums wait between parts of k
    [150, 280, 33],
    [3, 40, 900], // columns on several threads
    [900, 40, 3],
  ] as const)('%d x %d x %d: several blocks', (m, k, n) => on([m, k, n], expectNear));

  test('nothing to sum is zero, and nothing to compute is nothing', () => {
    on([20, 0, 35], (values) => expect([...values]).toEqual(new Array(700).fill(0)));
    on([0, 7, 35], (values) => expect(values.length).toBe(0));
    on([20, 7, 0], (values) => expect(values.length).toBe(0));
  });

  test('as near to the exact product as TensorFlow is', () =>
    tf.tidy(() => {
      const drawn = draw(form, [64, 300, 48]);
      const theirs = fromBfloat16(tensorflowProduct(form, drawn)).dataSync<'float32'>();
      const ours = product(form, drawn);
      expect(squaredError(ours, drawn.truth)).toBeLessThan(1.1 ** 2 * squaredError(theirs, drawn.truth));
    }));

  test('what is not finite stays in its row or column', () =>
    tf.tidy(() => {
      const [m, k, n] = [50, 40, 70];
      const drawn = draw(form, [m, k, n]);
      const values = drawn.a.tensor;
      const place = form.transposeA ? [5, 20] : [20, 5]; // a[20][5]
      const broken = tf.tensor2d(fromBfloat16(values).dataSync<'float32'>(), values.shape).bufferSync();
      broken.set(NaN, place[0]!, place[1]!);
      const nan = product(form, { ...drawn, a: { ...drawn.a, tensor: toBfloat16(broken.toTensor() as tf.Tensor2D) } });
      nan.forEach((v, i) => expect(Number.isNaN(v)).toBe(Math.floor(i / n) === 20));
    }));

  test('what does not fit is refused', () =>
    tf.tidy(() => {
      const [x, y] = [tf.zeros<tf.Rank.R2>([3, 4]), tf.zeros<tf.Rank.R2>([5, 6])].map((t) => toBfloat16(t));
      expect(() => runFused(form.op, [x!, y!])).toThrow(/^SidlabTileProduct\w\w: expected \w+ of shape/);
    }));
});

function tensorflowProduct({ transposeA, transposeB }: Form, { a, b }: Case): tf.Tensor {
  const backend = tf.backend() as unknown as {
    binding: Record<'TF_ATTR_BOOL' | 'TF_ATTR_TYPE', number>;
    executeSingleOutput(name: string, attributes: object[], inputs: tf.Tensor[]): tf.Tensor;
  };
  const { TF_ATTR_BOOL: type, TF_ATTR_TYPE } = backend.binding;
  const attributes = [
    { name: 'transpose_a', type, value: transposeA },
    { name: 'transpose_b', type, value: transposeB },
    { name: 'T', type: TF_ATTR_TYPE, value: 14 },
  ];
  return backend.executeSingleOutput('MatMul', attributes, [a.tensor, b.tensor]);
}

test.runIf(registered)('are what products of the library run on', async () => {
  for (const { op, transposeA, transposeB } of FORMS) {
    const [a, b] = tf.tidy(() => [toBfloat16(tf.ones<tf.Rank.R2>([8, 8])), toBfloat16(tf.ones<tf.Rank.R2>([8, 8]))]);
    const { native, result } = await kernelCounts(() => matMulBfloat16(a!, b!, transposeA, transposeB));
    expect(native).toEqual({ [op]: 1 });
    tf.dispose([a!, b!, result]);
  }
});

test.runIf(registered)('a rate that was measured with other products is not theirs', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sidlab-tiles-'));
  const file = join(folder, 'precision.json');
  precisionRates({ width: 32, feedForward: 32 }, file);
  expect(Object.keys(JSON.parse(readFileSync(file, 'utf8')) as object)[0]).toContain(`${tilesInUse()} tiles`);
  rmSync(folder, { recursive: true });
});
