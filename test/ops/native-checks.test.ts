/** What a native operation refuses, by its name; and that it writes into no memory that somebody else looks at. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { toBfloat16 } from '../../lib/ops/bfloat16.js';
import * as tf from '@tensorflow/tfjs';
import { describe, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { SafetensorsFile, writeSafetensors } from '../../lib/files/safetensors.js';
import { adamw } from '../../lib/ops/adamw.js';
import { addRows } from '../../lib/ops/embedding.js';
import { givenUp, hasFused, runFused } from '../../lib/ops/fused.js';
import { readTensor } from '../../lib/ops/read-tensor.js';
import { balancedKmeans } from '../../lib/sid/balanced/balanced-kmeans.js';
import { lloyd } from '../../lib/sid/kmeans/lloyd.js';

await useEngine();

const f = (...shape: number[]): tf.Tensor => tf.ones(shape);
const h = (...shape: number[]): tf.Tensor => toBfloat16(f(...shape));
const i = (values: number[], shape: number[] = [values.length]): tf.Tensor => tf.tensor(values, shape, 'int32');
const nan = (...shape: number[]): tf.Tensor => tf.mul(tf.ones(shape), NaN);
const bits = (...values: number[]): number[] => [...new Int32Array(Float64Array.from(values).buffer)];
/** What each node sees: its runs, begin and end of each. */
const runs = (...nodes: number[][]): tf.Tensor[] => {
  const start = [0];
  for (const own of nodes) start.push(start.at(-1)! + own.length / 2);
  return [i(start), i(nodes.flat(), [start.at(-1)!, 2])];
};
const attention = (...last: tf.Tensor[]): tf.Tensor[] => [f(2, 2, 3), f(2, 1, 3), f(2, 1, 3), ...last];
/** One row with two prompt nodes and a grown one. */
const path = (...last: tf.Tensor[]): tf.Tensor[] => [f(1, 2, 3), f(2, 1, 3), f(2, 1, 3), f(1, 1, 3), f(1, 1, 3), ...last]; // prettier-ignore
/** Two sequences of 1 and 2 tokens, 2 heads; others in place of the last inputs. */
const between = (starts: number[], options: number[], bias = f(0), mask = f(0)): tf.Tensor[] => [f(3, 4), f(3, 4), f(3, 4), i(starts), i([0, 1, 3]), i(options), f(2), bias, mask]; // prettier-ignore
const chain = runs([0, 1], [0, 2]);

/** Of each operation, what is wrong, the inputs, and what the error says. */
const refused: [op: string, what: string, inputs: () => tf.Tensor[], message: RegExp][] = [
  ['SidlabTargetLogProbs', 'a token beyond the table', () => [f(2, 5), i([0]), i([5])], /token in \[0, 5\), got 5 at 0/],
  ['SidlabTargetLogProbs', 'a negative token', () => [f(2, 5), i([0, 1]), i([0, -1])], /token in \[0, 5\), got -1 at 1/],
  ['SidlabTargetLogProbs', 'a row beyond', () => [f(2, 5), i([2]), i([0])], /row in \[0, 2\), got 2 at 0/],
  ['SidlabTargetLogProbs', 'fewer tokens than rows', () => [f(2, 5), i([0, 1]), i([0])], /token of shape \[K\] with K = 2, M = 2, V = 5, got \[1\]/], // prettier-ignore
  ['SidlabTargetLogProbs', 'no vocabulary', () => [f(2, 0), i([]), i([])], /logits of shape \[M, V>0\]/],
  ['SidlabTargetLogProbsGrad', 'a row beyond', () => [f(1), f(2, 5), i([2]), i([0]), f(2)], /row in \[0, 2\), got 2/],
  ['SidlabTargetLogProbsGrad', 'a token beyond', () => [f(1), f(2, 5), i([1]), i([9]), f(2)], /token in \[0, 5\), got 9/],
  ['SidlabTargetLogProbsGrad', 'totals of other rows', () => [f(1), f(2, 5), i([1]), i([1]), f(3)], /total of shape \[M\]/],
  ['SidlabAddRows', 'a place beyond', () => [f(4, 3), f(1, 3), i([4]), i([1])], /to in \[0, 4\), got 4 at 0/],
  ['SidlabAddRows', 'another width', () => [f(4, 3), f(1, 2), i([0]), i([1])], /rows of shape \[N, D\].*got \[1, 2\]/],
  ['SidlabAddRows', 'another rank', () => [f(4, 3), f(3), i([0]), i([1])], /rows of shape \[N, D\].*got \[3\]/],
  ['SidlabForestAttention', 'a run of another tree', () => attention(...runs([0, 1], [0, 2]), i([0, 1, 2])), /runs in \[1, 2\) of node 1, got 0 to 2/], // prettier-ignore
  ['SidlabForestAttention', 'a run of the future', () => attention(...runs([0, 2], [0, 2]), i([0, 2])), /runs in \[0, 1\) of node 0, got 0 to 2/], // prettier-ignore
  ['SidlabForestAttention', 'runs that overlap', () => attention(...runs([0, 1], [0, 1, 0, 2]), i([0, 2])), /runs in \[1, 2\) of node 1, got 0 to 2/], // prettier-ignore
  ['SidlabForestAttention', 'an empty run', () => attention(...runs([0, 1], [0, 0, 0, 2]), i([0, 2])), /of node 1, got 0 to 0/], // prettier-ignore
  ['SidlabForestAttention', 'a negative run', () => attention(...runs([-1, 1], [0, 2]), i([0, 2])), /of node 0, got -1 to 1/], // prettier-ignore
  ['SidlabForestAttention', 'a node that does not see itself', () => attention(...runs([0, 1], [0, 1]), i([0, 2])), /runs of node 1 to end with itself, got 1/], // prettier-ignore
  ['SidlabForestAttention', 'a node without runs', () => attention(...runs([0, 1], []), i([0, 2])), /runs of node 1 to end with itself, got 0/], // prettier-ignore
  ['SidlabForestAttention', 'runs of fewer nodes', () => attention(...runs([0, 1]), i([0, 2])), /runstart of 3 numbers, got 2/], // prettier-ignore
  ['SidlabForestAttention', 'runs beyond their list', () => attention(i([0, 1, 9]), i([0, 1, 0, 2], [2, 2]), i([0, 2])), /runstart from 0 to 2, got 0 to 9/], // prettier-ignore
  ['SidlabForestAttention', 'runs out of order', () => attention(i([0, 5, 2]), i([0, 1, 0, 2], [2, 2]), i([0, 2])), /runstart in ascending order, got 5 before 2/], // prettier-ignore
  ['SidlabForestAttention', 'nodes of no tree', () => attention(...chain, i([0, 1])), /starts from 0 to 2, got 0 to 1/],
  ['SidlabForestAttention', 'trees out of order', () => attention(...chain, i([0, 3, 2])), /starts in ascending order, got 0 before 3/], // prettier-ignore
  ['SidlabForestAttention', 'no trees', () => attention(...chain, i([])), /starts of shape \[T>0\]/],
  ['SidlabForestAttention', 'heads that are no groups', () => [f(2, 3, 4), f(2, 2, 4), f(2, 2, 4), ...chain, i([0, 2])], /a multiple of key heads, got 3 and 2/], // prettier-ignore
  ['SidlabForestAttention', 'no key heads', () => [f(2, 2, 3), f(2, 0, 3), f(2, 0, 3), ...chain, i([0, 2])], /k of shape/],
  ['SidlabForestAttentionGrad', 'a run of the future', () => [f(2, 6), ...attention(), f(2, 6), f(2, 2), ...runs([0, 2], [0, 2]), i([0, 2])], /of node 0, got 0 to 2/], // prettier-ignore
  ['SidlabForestAttentionGrad', 'a gradient too narrow', () => [f(2, 5), ...attention(), f(2, 6), f(2, 2), ...chain, i([0, 2])], /dout of shape \[N, H\*d\]/], // prettier-ignore
  ['SidlabLegalScores', 'a place beyond the table', () => [f(2, 3), f(4, 3), f(1, 3), i([0, 1, 2]), i([4, 5])], /at in \[0, 5\), got 5 at 1/], // prettier-ignore
  ['SidlabLegalScores', 'a negative place', () => [f(1, 3), f(4, 3), f(0, 3), i([0, 1]), i([-1])], /at in \[0, 4\), got -1 at 0/],
  ['SidlabLegalScores', 'fewer places than its rows say', () => [f(2, 3), f(4, 3), f(0, 3), i([0, 1, 2]), i([1])], /start from 0 to 1, got 0 to 2/], // prettier-ignore
  ['SidlabLegalScores', 'rows out of order', () => [f(2, 3), f(4, 3), f(0, 3), i([0, 2, 1]), i([1])], /start in ascending order, got 2 before 1/], // prettier-ignore
  ['SidlabLegalScores', 'starts of other rows', () => [f(2, 3), f(4, 3), f(0, 3), i([0, 1]), i([1])], /start of 3 numbers, got 2/],
  ['SidlabLegalScores', 'trained rows of another width', () => [f(2, 3), f(4, 3), f(1, 2), i([0, 0, 0]), i([])], /trained of shape \[W, D\]/], // prettier-ignore
  ['SidlabLegalScoresGrad', 'a place beyond the table', () => [f(1), f(1, 3), f(2, 3), f(0, 3), i([0, 1]), i([2])], /at in \[0, 2\), got 2 at 0/], // prettier-ignore
  ['SidlabLegalScoresGrad', 'gradients of other scores', () => [f(2), f(1, 3), f(2, 3), f(0, 3), i([0, 1]), i([1])], /at of shape \[E\] with.*got \[1\]/], // prettier-ignore
  ['SidlabPathAttention', 'a node beyond the forest', () => path(i([0, 1]), i([0, 4], [1, 2])), /runs in \[0, 3\) of row 0, got 0 to 4/],
  ['SidlabPathAttention', 'a negative node', () => path(i([0, 1]), i([-1, 2], [1, 2])), /runs in \[0, 3\) of row 0, got -1 to 2/],
  ['SidlabPathAttention', 'a node that is seen twice', () => path(i([0, 2]), i([0, 2, 1, 3], [2, 2])), /runs in \[2, 3\) of row 0, got 1 to 3/], // prettier-ignore
  ['SidlabPathAttention', 'a row that sees nothing', () => path(i([0, 0]), i([], [0, 2])), /a run or more of row 0, got none/],
  ['SidlabPathAttention', 'runs of other rows', () => path(i([0, 1, 1]), i([0, 1], [1, 2])), /runstart of 2 numbers, got 3/],
  ['SidlabPathAttention', 'heads that are no groups', () => [f(1, 3, 3), f(2, 2, 3), f(2, 2, 3), f(1, 2, 3), f(1, 2, 3), i([0, 1]), i([0, 1], [1, 2])], /a multiple of key heads, got 3 and 2/], // prettier-ignore
  ['SidlabPathAttention', 'fewer values than keys', () => [f(1, 2, 3), f(2, 1, 3), f(1, 1, 3), f(1, 1, 3), f(1, 1, 3), i([0, 1]), i([0, 1], [1, 2])], /promptvalues of shape/], // prettier-ignore
  ['SidlabKmeansRounds', 'NaN rows', () => [nan(5, 2), f(2, 2), i([3])], /finite numbers, got -?nan in row 0 of x/],
  ['SidlabKmeansRounds', 'an infinite centre', () => [f(5, 2), tf.div(f(2, 2), 0), i([3])], /got inf in row 0 of start/],
  ['SidlabKmeansRounds', 'no rows', () => [f(0, 2), f(2, 2), i([3])], /x of shape \[N>0, D>0\]/],
  ['SidlabKmeansRounds', 'no codes', () => [f(5, 2), f(0, 2), i([3])], /start of shape \[K>0, D\]/],
  ['SidlabKmeansRounds', 'rounds below nothing', () => [f(5, 2), f(2, 2), i([-1])], /rounds from 0 to 2147483647, got -1/],
  ['SidlabBalancedKmeans', 'NaN rows', () => [nan(4, 2), f(2, 2), i([2, 2, 3, ...bits(0)])], /finite numbers, got -?nan/],
  ['SidlabBalancedKmeans', 'limits too narrow', () => [f(5, 2), f(2, 2), i([2, 2, 3, ...bits(0)])], /limits that 5 rows can meet, got 4 to 4/], // prettier-ignore
  ['SidlabBalancedAssign', 'limits too narrow', () => [i([1, 2, 3, 4], [2, 2]), i([0, 0, 1, 0], [2, 2]), i(bits(0, 0)), i([1])], /limits that 2 items can meet, got 0 to 1/], // prettier-ignore
  ['SidlabBalancedAssign', 'NaN prices', () => [i([1, 2], [1, 2]), i([0, 0, 1, 1], [2, 2]), i(bits(0, NaN)), i([1])], /whole prices.*got -?nan/], // prettier-ignore
  ['SidlabBalancedAssign', 'sweeps without end', () => [i([1, 2], [1, 2]), i([0, 0, 1, 1], [2, 2]), i(bits(0, 0)), i([2 ** 31 - 1])], /sweeps from 0 to 10000, got 2147483647/], // prettier-ignore
  ['SidlabBalancedAssign', 'no clusters', () => [i([], [2, 0]), i([], [2, 0]), i([]), i([1])], /clusters from 1 to/],
  ['SidlabRmsNorm', 'a weight of another width', () => [f(3, 4), f(5), f(1)], /weight of shape \[D\] with D = 4, N = 3, got \[5\]/], // prettier-ignore
  ['SidlabRmsNormGrad', 'scales of other rows', () => [f(3, 4), f(3, 4), f(4), f(2, 1)], /scale of shape \[N, 1\]/],
  ['SidlabDropoutMask', 'a state of three', () => [i([1, 2, 3]), i([2, 2]), i([1]), f(1)], /state of shape \[4\]/],
  ['SidlabDropoutMask', 'rows below none', () => [i([1, 2, 3, 4]), i([2, -1]), i([1]), f(1)], /a size of the shape from 0/],
  ['SidlabDropoutMask', 'too many', () => [i([1, 2, 3, 4]), i([65536, 65536]), i([1]), f(1)], /numbers of the mask from 0/],
  ['SidlabDropoutMask', 'a share above one', () => [i([1, 2, 3, 4]), i([2]), i([65537]), f(1)], /limit from 0 to 65536/],
  ['SidlabLayerNorm', 'a weight of another width', () => [f(3, 4), f(3), f(3), f(1)], /weight of 4 or no numbers, got 3/],
  ['SidlabLayerNorm', 'no width', () => [f(3, 0), f(0), f(0), f(1)], /x of shape \[N, D>0\]/],
  ['SidlabLayerNormGrad', 'scales of other rows', () => [f(3, 4), f(3, 4), f(4), f(3, 1), f(2, 1)], /scale of shape \[N, 1\]/],
  ['SidlabGruCell', 'a state of another width', () => [f(3, 6), f(3, 6), f(6), f(3, 3)], /before of shape \[N, H\]|of shape \[N, 3\*H\]/],
  ['SidlabGruCellGrad', 'gates of another width', () => [f(3, 2), f(3, 2), f(3, 6)], /kept of shape \[N, 4\*H\]/],
  ['SidlabSequenceAttention', 'sequences beyond the tokens', () => between([0, 1, 4], [2, 0, 1, 0, 0, 0]), /querystarts from 0 to 3, got 0 to 4/],
  ['SidlabSequenceAttention', 'an empty sequence', () => between([0, 0, 3], [2, 0, 1, 0, 0, 0]), /got an empty sequence/],
  ['SidlabSequenceAttention', 'causal sequences of other keys', () => between([0, 2, 3], [2, 1, 1, 0, 0, 0]), /as many keys as queries.*got 1 and 2/],
  ['SidlabSequenceAttention', 'heads that do not divide', () => between([0, 1, 3], [3, 0, 1, 0, 0, 0]), /heads that divide 4, got 3/],
  ['SidlabSequenceAttention', 'no heads', () => between([0, 1, 3], [0, 0, 1, 0, 0, 0]), /heads that divide 4, got 0/],
  ['SidlabSequenceAttention', 'a bias of other places', () => between([0, 1, 3], [2, 0, 1, 1, 2, 3], f(6)), /bias of 1 or 2 heads, 2 rows and 2 columns, got 1, 2, 3/],
  ['SidlabSequenceAttention', 'a mask of other weights', () => between([0, 1, 3], [2, 0, 1, 0, 0, 0], f(0), f(9)), /mask of 10 numbers, got 9/],
  ['SidlabSequenceAttentionGrad', 'weights of another call', () => [f(3, 4), ...between([0, 1, 3], [2, 0, 1, 0, 0, 0]).toSpliced(3, 0, f(9), f(0))], /weights of 10 numbers, got 9/],
  ['SidlabSequenceAttentionGrad', 'slopes of another weighting', () => [f(3, 4), ...between([0, 1, 3], [2, 0, 0, 0, 0, 0]).toSpliced(3, 0, f(10), f(0))], /slopes of 10 numbers, got 0/],
  ['SidlabMatMulNN', 'factors that do not fit', () => [f(2, 3), f(2, 3)], /b of shape \[K, N\]/],
  ['SidlabMatMulNT', 'factors that do not fit', () => [f(2, 3), f(3, 2)], /b of shape \[N, K\]/],
  ['SidlabMatMulTN', 'a batch', () => [f(2, 3), f(1, 2, 3)], /b of shape \[K, N\]/],
  ['SidlabRotary', 'an odd head', () => [f(3, 2, 5), f(3, 1, 2), f(3, 1, 2), f(1)], /x of shape \[N, H, 2\*h\]/],
  ['SidlabRotary', 'angles of other tokens', () => [f(3, 2, 4), f(2, 1, 2), f(3, 1, 2), f(1)], /cos of shape \[N, 1, h\]/],
  ['SidlabSwiglu', 'two shapes', () => [f(3, 4), f(4, 3)], /up of shape \[3, 4\], got \[4, 3\]/],
  ['SidlabSwigluGrad', 'two shapes', () => [f(3, 4), f(3, 4), f(4, 3)], /up of shape \[3, 4\], got \[4, 3\]/],
  ['SidlabAdamW', 'moments too small', () => [f(4), f(4), f(3), f(4), f(1), f(7), h(0), i([0, 0, 0, 0])], /m of shape \[4\], got \[3\]/],
  ['SidlabAdamW', 'numbers too few', () => [f(4), f(4), f(4), f(4), f(1), f(6), h(0), i([0, 0, 0, 0])], /numbers of shape \[7\], got \[6\]/], // prettier-ignore
  ['SidlabAdamW', 'decays of another shape', () => [f(4), f(4), f(4), f(4), f(2), f(7), h(0), i([0, 0, 0, 0])], /decays of shape \[4\], got \[2\]/], // prettier-ignore
  ['SidlabAdamW', 'a copy of another shape', () => [f(4), f(4), f(4), f(4), f(1), f(7), h(3), i([0, 0, 0, 0])], /half of shape \[4\], got \[3\]/], // prettier-ignore
  ['SidlabAdamWBfloat16', 'a gradient of another shape', () => [f(4), h(3), f(4), f(4), f(1), f(7), h(0), i([0, 0, 0, 0])], /gradient of shape \[4\], got \[3\]/], // prettier-ignore
  ['SidlabAdamWBfloat16', 'float32', () => [f(4), f(4), f(4), f(4), f(1), f(7), h(0), i([0, 0, 0, 0])], /float/],
  ['SidlabSquareSumBfloat16', 'float32', () => [f(4)], /float/],
  ['SidlabSquareSum', 'whole numbers', () => [i([1, 2])], /int32|float/],
  ['SidlabReadTensor', 'no open file', () => [i([9999, 0, 0, 0, 4])], /descriptor of an open file, got 9999/],
  ['SidlabReadTensor', 'an unknown kind', () => [i([0, 3, 0, 0, 4])], /kind from 0 to 2, got 3/],
  ['SidlabReadBfloat16', 'another kind', () => [i([0, 1, 0, 0, 4])], /kind from 2 to 2, got 1/],
  ['SidlabReadBfloat16', 'no open file', () => [i([9999, 2, 0, 0, 4])], /descriptor of an open file, got 9999/],
  ['SidlabSwigluBfloat16', 'two shapes', () => [h(3, 4), h(4, 3)], /up of shape \[3, 4\], got \[4, 3\]/],
  ['SidlabSwigluBfloat16', 'float32', () => [f(3, 4), h(3, 4)], /float/],
  ['SidlabSwigluBfloat16Grad', 'two shapes', () => [f(3, 4), h(3, 4), h(4, 3)], /up of shape \[3, 4\]/],
  ['SidlabReadTensor', 'a negative axis', () => [i([0, 0, 0, 0, -4])], /a shape of 0 to 2\^48 elements, got \[-4\]/],
  ['SidlabReadTensor', 'more than there is', () => [i([0, 0, 0, 0, 2 ** 30, 2 ** 30])], /a shape of 0 to 2\^48/],
]; // prettier-ignore

describe.skipIf(!hasFused('SidlabRmsNorm'))('native operations', () => {
  test.each(refused)('%s refuses %s', (op, _, inputs, message) => {
    const run = (): void => void tf.tidy(() => void runFused(op, inputs()));
    expect(run).toThrow(message);
    expect(run).toThrow(new RegExp(`^${op}: [^\\n]*$`));
  });

  test('NaN rows are an error of k-means and of balanced k-means before native code sees them', () => {
    const x = { rows: 60, width: 3, data: new Float32Array(180).fill(1) };
    x.data[7] = NaN;
    const start = { rows: 20, width: 3, data: Float32Array.from({ length: 60 }, (_, n) => n) };
    expect(() => lloyd(x, start, 5)).toThrow('lloyd: row 2, column 1 is NaN; embed the items anew');
    expect(() => balancedKmeans(x, { codes: 20, init: start })).toThrow('row 2, column 1 is NaN');
  });

  test('k-means on distances beyond float32: every row has its nearest centre', () => {
    const x = { rows: 90, width: 2, data: Float32Array.from({ length: 180 }, (_, n) => (n % 31) * 1e30 - 1e31) };
    const start = { rows: 40, width: 2, data: x.data.slice(0, 80) };
    const { codes, data, width } = lloyd(x, start, 6);
    codes.forEach((code, row) => {
      const to = (k: number): number => Math.hypot(x.data[2 * row]! - data[2 * k]!, x.data[2 * row + 1]! - data[2 * k + 1]!);
      for (let k = 0; k < start.rows; k++) expect(to(code)).toBeLessThanOrEqual(to(k));
    }); // prettier-ignore
    expect(width).toBe(2);
  });

  test('NaN logits give NaN, not a number', () => {
    const [logProb, total] = runFused('SidlabTargetLogProbs', [tf.tensor2d([[1, NaN], [1, 2]]), i([0, 1]), i([0, 0])]); // prettier-ignore
    expect([...logProb!.dataSync(), ...total!.dataSync()].map(Number.isNaN)).toEqual([true, false, true, false]);
    const swish = runFused('SidlabSwiglu', [tf.tensor1d([NaN, 1]), tf.tensor1d([1, 1])])[0]!;
    expect([...swish.dataSync()].map(Number.isNaN)).toEqual([true, false]);
  });
});

/** Tensors whose memory somebody else looks at: the tensor, and how to read what the other sees. */
const shared: [string, () => { tensor: tf.Tensor; other: () => ArrayLike<number> }][] = [
  ['a reshape', () => {
    const tensor = tf.add(tf.zeros([6, 4]), 1);
    const view = tf.reshape(tensor, [24]);
    return { tensor, other: () => view.dataSync() };
  }],
  ['what it is a reshape of', () => {
    const of = tf.add(tf.zeros([24]), 1);
    return { tensor: tf.reshape(of, [6, 4]), other: () => of.dataSync() };
  }],
  ['a clone', () => {
    const tensor = tf.add(tf.zeros([6, 4]), 1);
    const clone = tensor.clone();
    return { tensor, other: () => clone.dataSync() };
  }],
  ['a slice', () => {
    const tensor = tf.add(tf.zeros([6, 4]), 1);
    const rows = tf.slice(tensor, [0, 0], [4, 4]);
    return { tensor, other: () => rows.dataSync() };
  }],
  ['what it is a slice of', () => {
    const whole = tf.add(tf.zeros([12, 4]), 1);
    return { tensor: tf.slice(whole, [0, 0], [6, 4]), other: () => whole.dataSync() };
  }],
  ['a variable', () => {
    const tensor = tf.add(tf.zeros([6, 4]), 1);
    const variable = tf.variable(tensor);
    return { tensor, other: () => variable.dataSync() };
  }],
  ['an array of JavaScript', () => {
    const array = new Float32Array(24).fill(1);
    return { tensor: tf.tensor2d(array, [6, 4]), other: () => array };
  }],
  ['a file', () => {
    const path = join(mkdtempSync(join(tmpdir(), 'sidlab-shared-')), 'ones.safetensors');
    writeSafetensors(path, new Map([['ones', { shape: [6, 4], data: new Float32Array(24).fill(1) }]]));
    const file = new SafetensorsFile(path);
    return { tensor: readTensor(file, 'ones'), other: () => file.read('ones').data };
  }],
]; // prettier-ignore

describe.skipIf(!hasFused('SidlabAddRows'))('memory that somebody else looks at', () => {
  test.each(shared)('%s keeps its numbers while rows are added', (_, make) => {
    const { tensor, other } = make();
    const sum = addRows(tensor, tf.ones([2, 4]), tf.tensor1d([0, 5], 'int32'));
    expect(Array.from(sum.dataSync())).toEqual(Array.from({ length: 24 }, (_, n) => (n < 4 || n >= 20 ? 2 : 1)));
    expect(new Set(Array.from(other()))).toEqual(new Set([1]));
  });

  test.each(shared)('%s keeps its numbers while AdamW moves', (_, make) => {
    const [m, v] = [make(), make()];
    const moments = { m: tf.variable(m.tensor), v: tf.variable(v.tensor) };
    tf.dispose([m.tensor, v.tensor]);
    for (const step of [1, 2]) adamw(tf.ones([6, 4]), tf.zeros([6, 4]), moments, step, 0.1, { beta1: 0.5, beta2: 0.5 });
    expect(new Set(moments.m.dataSync())).toEqual(new Set([0.25]));
    expect(new Set(moments.v.dataSync())).toEqual(new Set([0.25]));
    for (const { other } of [m, v]) expect(new Set(Array.from(other()))).toEqual(new Set([1]));
  });

  test('nobody else: the memory itself is taken', () => {
    const table = tf.add(tf.zeros([6, 4]), 1);
    expect([...givenUp(table).dataSync()]).toEqual([1]);
    addRows(table, tf.ones([1, 4]), tf.tensor1d([0], 'int32'));
    expect([...table.dataSync().slice(0, 5)]).toEqual([2, 2, 2, 2, 1]); // the old handle, which is given up
  });
});
