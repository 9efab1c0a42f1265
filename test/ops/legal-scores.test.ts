/**
 * Scores of a few tokens a row against the whole logits, values and gradients, on random sets, in every implementation;
 * and the vocabulary's log-sum-exp by chunks against the plain one.
 */
import * as tf from '@tensorflow/tfjs';
import fc from '../fast-check.js';
import { afterEach, describe, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { registerNativeOps, unregisterNativeOps } from '../../lib/engine/native-ops.js';
import { reshaped } from '../../lib/ops/basic.js';
import { hasFused } from '../../lib/ops/fused.js';
import { legalScores, type LegalSets } from '../../lib/ops/legal-scores.js';
import { type SplitTable, type Table, wholeTable } from '../../lib/ops/split-table.js';
import { onTape } from '../../lib/ops/tape.js';
import { targetLogProbs } from '../../lib/ops/target-log-probs.js';
import { tableLogSumExp } from '../../lib/ops/table-log-sum-exp.js';
import { Random } from '../../lib/support/random.js';

const engine = await useEngine();
const faces = hasFused('SidlabLegalScores') ? ['fused', 'plain'] : ['plain'];
afterEach(() => void (engine === 'tensorflow' && registerNativeOps()));

const random = new Random('legal');
const normal = (...shape: [number, number]): tf.Tensor2D =>
  tf.tensor2d(
    Float32Array.from({ length: shape[0] * shape[1] }, () => random.normal()),
    shape,
  );

/** Tables of nine rows of width 5: whole and trained, whole and frozen, and three rows trained, in the middle and last. */
const TABLES: Record<string, (rows: tf.Tensor2D) => Table> = {
  trained: (rows) => rows,
  frozen: (rows) => tf.variable(rows, false) as tf.Tensor as tf.Tensor2D,
  'split in the middle': (rows) => split(rows, 2),
  'split at the end': (rows) => split(rows, 6),
};

function split(rows: tf.Tensor2D, first: number): SplitTable {
  const [before, trained, after] = tf.split(rows, [first, 3, 6 - first]) as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];
  return { frozen: tf.concat([before, after]), trained, first };
}

const setsOf = (rows: readonly (readonly number[])[]): LegalSets => {
  const start = new Int32Array(rows.length + 1);
  rows.forEach((own, r) => (start[r + 1] = start[r]! + own.length));
  return { start, token: Int32Array.from(rows.flat()) };
};

/** The same numbers out of the whole logits. */
function fromLogits(hidden: tf.Tensor2D, table: Table, { start, token }: LegalSets): tf.Tensor1D {
  const logits = tf.matMul(hidden, wholeTable(table), false, true);
  const place = token.map((id, e) => (start.findIndex((first) => first > e) - 1) * logits.shape[1]! + id);
  return tf.gather(tf.reshape(logits, [-1]), tf.tensor1d(place, 'int32')) as tf.Tensor1D;
}

function expectClose(a: tf.Tensor, b: tf.Tensor, tolerance = 1e-5): void {
  expect(a.shape).toEqual(b.shape);
  const other = b.dataSync();
  a.dataSync().forEach((x, i) => expect(Math.abs(x - other[i]!)).toBeLessThan(tolerance * (1 + Math.abs(other[i]!))));
}

describe.each(faces)('%s', (face) => {
  const inFace = (): void => void (face === 'plain' && engine === 'tensorflow' && unregisterNativeOps());

  test.each(Object.keys(TABLES))('a table that is %s: the logits, and their gradient', (kind) => {
    inFace();
    const sets = fc.array(fc.array(fc.nat({ max: 8 }), { maxLength: 6 }), { minLength: 1, maxLength: 7 });
    fc.assert(
      fc.property(sets, (rows) => {
        if (rows.flat().length === 0) return;
        tf.tidy(() => {
          const legal = setsOf(rows);
          const hidden = normal(rows.length, 5);
          const table = TABLES[kind]!(normal(9, 5));
          expectClose(legalScores(hidden, table, legal), fromLogits(hidden, table, legal));
          const trained = table instanceof tf.Variable ? [] : table instanceof tf.Tensor ? [table] : [table.trained];
          const withRows = (rows: tf.Tensor[]): Table =>
            rows.length === 0 ? table : table instanceof tf.Tensor ? (rows[0] as tf.Tensor2D) : { ...table, trained: rows[0] as tf.Tensor2D }; // prettier-ignore
          const direction = tf.randomNormal([legal.token.length], 0, 1, 'float32', 7);
          const gradients = (of: typeof legalScores): tf.Tensor[] =>
            tf.grads((h, ...rows) => of(h as tf.Tensor2D, withRows(rows), legal))([hidden, ...trained], direction);
          const [own, theirs] = [gradients(legalScores), gradients(fromLogits)];
          own.forEach((gradient, i) => expectClose(gradient, theirs[i]!));
        });
      }),
      {
        numRuns: 40,
        examples: [
          [[[2], [2]]],
          [
            [
              [4, 1],
              [4, 1],
              [4, 1],
            ],
          ],
        ],
      }, // shared tokens are one product
    );
  });

  test('rows that share their tokens are one product; a row may have none, and so may all', () => {
    inFace();
    const hidden = normal(3, 5);
    const table = normal(9, 5);
    for (const rows of [
      [
        [4, 1],
        [4, 1],
        [4, 1],
      ],
      [
        [4, 1],
        [1, 4],
        [4, 1],
      ],
      [[], [2], []],
    ]) {
      // prettier-ignore
      expectClose(legalScores(hidden, table, setsOf(rows)), fromLogits(hidden, table, setsOf(rows)));
    }
    expect(legalScores(hidden, table, setsOf([[], [], []])).shape).toEqual([0]);
  });

  test('sets of other rows are an error', () => {
    inFace();
    expect(() => legalScores(normal(3, 5), normal(9, 5), setsOf([[1], [2]]))).toThrow(
      'legalScores: expected the tokens of 3 rows, got those of 2',
    );
  });

  test('log-probabilities over legal tokens: finite differences on a tape, and a target that is not legal', () => {
    inFace();
    const legal = setsOf([[0, 3, 8], [], [4], [1, 2]]);
    const targets = { row: Int32Array.of(0, 3, 0, 2), token: Int32Array.of(8, 1, 0, 4) };
    const weights = [0.3, -1.1, 0.7, 2];
    const at = (hidden: number[], table: number[]): number => {
      const dot = (r: number, t: number): number => hidden.slice(5 * r, 5 * r + 5).reduce((sum, x, c) => sum + x * table[5 * t + c]!, 0); // prettier-ignore
      return weights.reduce((sum, weight, k) => {
        const [r, t] = [targets.row[k]!, targets.token[k]!];
        const own = [...legal.token.subarray(legal.start[r], legal.start[r + 1])];
        return sum + weight * (dot(r, t) - Math.log(own.reduce((total, t) => total + Math.exp(dot(r, t)), 0)));
      }, 0);
    };
    const [hidden, table] = [tf.variable(normal(4, 5)), tf.variable(normal(9, 5))];
    const { value, grads } = tf.variableGrads(() =>
      onTape([hidden, table], () => {
        const rows = reshaped<tf.Rank.R2>(hidden, [4, 5]);
        return targetLogProbs(rows, table as tf.Tensor as tf.Tensor2D, targets, legal);
      }).mul(tf.tensor1d(weights)).sum().asScalar(),
    ); // prettier-ignore
    const [h, t] = [[...hidden.dataSync()], [...table.dataSync()]];
    expect(value.dataSync()[0]).toBeCloseTo(at(h, t), 4);
    for (const [values, gradient] of [
      [h, grads[hidden.name]!],
      [t, grads[table.name]!],
    ] as const) {
      // prettier-ignore
      gradient.dataSync().forEach((slope, i) => {
        const before = values[i]!;
        const [more, less] = [1e-4, -1e-4].map((step) => {
          values[i] = before + step;
          return at(h, t);
        });
        values[i] = before;
        expect(slope).toBeCloseTo((more! - less!) / 2e-4, 4);
      });
    }
    const other = { row: Int32Array.of(0, 3), token: Int32Array.of(8, 4) };
    expect(() => targetLogProbs(normal(4, 5), normal(9, 5), other, legal)).toThrow(
      'targetLogProbs: expected target 1 to be legal in row 3, got token 4',
    );
  });

  test.each(Object.keys(TABLES))('the log-sum-exp over the vocabulary by chunks, %s', (kind) => {
    inFace();
    for (const [rows, height] of [
      [1, 9],
      [4, 9],
    ] as const) {
      // prettier-ignore
      const hidden = tf.mul(normal(rows, 5), 10) as tf.Tensor2D;
      const table = TABLES[kind]!(normal(height, 5));
      const whole = tf.logSumExp(tf.matMul(hidden, wholeTable(table), false, true), 1);
      for (const chunk of [1, 7, 1000]) expectClose(tableLogSumExp(hidden, table, 'float32', chunk), whole, 1e-6);
    }
  });

  test('more rows than a chunk: every chunk counts, once', () => {
    inFace();
    const [hidden, table] = [normal(5, 6), normal(103, 6)];
    const whole = tf.logSumExp(tf.matMul(hidden, table, false, true), 1);
    for (const chunk of [1, 100, 80, 103 * 5])
      expectClose(tableLogSumExp(hidden, table, 'float32', chunk), whole, 1e-6);
  });
});
