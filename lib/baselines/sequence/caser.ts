/**
 * Caser (Tang & Wang, WSDM 2018, arXiv 1809.07426): convolutions over the matrix of the latest items, horizontal ones
 * for runs of items, vertical ones for weighted sums of them.
 *
 * Follows the authors' network: relu and the maximum over time for each horizontal filter, dropout, a dense layer with
 * relu, item vectors of input and output apart. A history lies at the right of the matrix, so that the latest item is
 * always in the last row; rows without an item are zeros. Departures: no user vectors, since the users of the test rows may
 * have no training row, and no bias of the output; one target a row.
 *
 * Shapes: B histories, L rows of the matrix, D width, F filters of each height, G vertical filters, V items.
 */
import * as tf from '@tensorflow/tfjs';
import type { Weights } from '../../lm/weights.js';
import { product, reshaped, withBias } from '../../ops/basic.js';
import { dropoutFrom } from '../../ops/dropout.js';
import { embedding } from '../../ops/embedding.js';
import { relu } from '../../ops/sequence/activations.js';
import { beside, maxOverTime, rowsOrZeros, transposed } from '../../ops/sequence/windows.js';
import { onTape } from '../../ops/tape.js';
import { normal, sizeOf, uniform } from './initial-weights.js';
import {
  ITEM_TABLE,
  type ModelSize,
  type PreparedHistories,
  type SequenceModel,
  type StepDropout,
} from './sequence-model.js';

/** Caser's size. */
export interface CaserSettings {
  /** D, of item vectors. */
  width: number;
  /** Items that a horizontal filter spans, each once; those above L are left out. */
  heights: readonly number[];
  /** F, horizontal filters of each height. */
  filters: number;
  /** G, vertical filters. */
  vertical: number;
}

/** Histories as rows of a matrix. */
interface Matrix extends PreparedHistories {
  /** Item of each place, -1 for none [B * L]. */
  items: Int32Array;
  /** B */
  rows: number;
}

/** Caser of a certain size. */
export function caser({ items, longest }: ModelSize, settings: CaserSettings): SequenceModel<Matrix> {
  const { width, filters, vertical } = settings;
  const heights = settings.heights.filter((height) => height <= longest);
  const shapes = new Map<string, number[]>([['input_emb.weight', [items, width]]]);
  for (const height of heights) {
    shapes.set(`horizontal.${height}.weight`, [filters, height * width]).set(`horizontal.${height}.bias`, [filters]);
  }
  shapes.set('vertical.weight', [vertical, longest]).set('vertical.bias', [vertical]);
  const joined = vertical * width + filters * heights.length;
  shapes.set('dense.weight', [width, joined]).set('dense.bias', [width]).set(ITEM_TABLE, [items, width]);
  return {
    shapes,
    longest,
    initial: (name, random) => {
      const shape = shapes.get(name)!;
      if (name.includes('_emb')) return normal(random, sizeOf(shape), 1 / width);
      const inputs = shapes.get(name.replace('bias', 'weight'))![1]!;
      return uniform(random, sizeOf(shape), 1 / Math.sqrt(inputs)); // PyTorch's start of a layer
    },
    prepare: (histories) => ({
      items: Int32Array.from(
        histories.flatMap((history) => [...Array<number>(longest - history.length).fill(-1), ...history]),
      ),
      rows: histories.length,
      tokens: histories.reduce((sum, { length }) => sum + length, 0),
      dispose: () => undefined,
    }),
    encode: (weights, prepared, dropout) => encode(weights, prepared, { ...settings, heights, longest }, dropout),
  };
}

/** @returns [B, D] */
function encode(
  weights: Weights,
  { items, rows }: Matrix,
  { width, heights, filters, vertical, longest }: CaserSettings & { longest: number },
  dropout?: StepDropout,
): tf.Tensor2D {
  const drop = (dropout && dropoutFrom(dropout.random, dropout.rate)) ?? ((x: tf.Tensor2D) => x);
  const matrix = (name: string): tf.Tensor2D => weights.get(name)! as tf.Tensor as tf.Tensor2D;
  const layer = (x: tf.Tensor2D, name: string): tf.Tensor2D =>
    withBias(product(x, matrix(`${name}.weight`)), weights.get(`${name}.bias`)! as tf.Tensor as tf.Tensor1D);
  return onTape([...weights.values()], () => {
    const images = rowsOrZeros(matrix('input_emb.weight'), items); // [B * L, D]
    const across = heights.map((height) => {
      const steps = longest - height + 1;
      const runs = embedding(images, tf.tensor1d(windowRows(rows, longest, height), 'int32'));
      const values = relu(layer(reshaped(runs, [rows * steps, height * width]), `horizontal.${height}`));
      return maxOverTime(reshaped(values, [rows, steps, filters])); // [B, F]
    });
    const byColumn = transposed(reshaped<tf.Rank.R3>(images, [rows, longest, width]), [0, 2, 1]); // [B, D, L]
    const sums = layer(reshaped(byColumn, [rows * width, longest]), 'vertical'); // [B * D, G]
    const down = transposed(reshaped<tf.Rank.R3>(sums, [rows, width, vertical]), [0, 2, 1]); // [B, G, D]
    const joined = beside([reshaped(down, [rows, vertical * width]), ...across]);
    return relu(layer(drop(joined), 'dense'));
  });
}

/** Rows of the images that each window covers, window by window. */
function windowRows(images: number, longest: number, height: number): Int32Array {
  const steps = longest - height + 1;
  return Int32Array.from({ length: images * steps * height }, (_, at) => {
    const [window, row] = [Math.floor(at / height), at % height];
    return Math.floor(window / steps) * longest + (window % steps) + row;
  });
}
