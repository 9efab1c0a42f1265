/**
 * Matrices rounded to bfloat16 for products: of a variable once for each of its values, not once a product.
 *
 * A variable that is assigned has other data from then on, which is how a copy of an earlier value is told; it is freed
 * when the next is made. A weight that is in bfloat16 alone (frozen ones) needs no copy.
 */
import * as tf from '@tensorflow/tfjs';
import type { HalfCopy } from './adamw.js';
import { isBfloat16, toBfloat16 } from './bfloat16.js';

interface Copy {
  dataId: object;
  half: tf.Tensor2D;
}

const copies = new WeakMap<tf.Variable, Copy>();

/** `weight` in bfloat16: of a variable a copy that is kept, of another tensor one of the caller's scope. */
export function halfOf(weight: tf.Tensor2D): tf.Tensor2D {
  if (isBfloat16(weight)) return weight;
  if (!(weight instanceof tf.Variable)) return toBfloat16(weight);
  const known = copies.get(weight);
  if (known && known.dataId === weight.dataId && !known.half.isDisposed) return known.half;
  known?.half.dispose();
  const half = tf.keep(toBfloat16(weight as tf.Tensor2D));
  copies.set(weight, { dataId: weight.dataId, half });
  return half;
}

/** Assigns what `update` gives, which makes the variable's copy that of the new value, where there is one. */
export function assignWithHalf(weight: tf.Variable, update: (copy: HalfCopy) => tf.Tensor): void {
  const known = copies.get(weight);
  const current = known !== undefined && known.dataId === weight.dataId && !known.half.isDisposed;
  if (known && !current) known.half.dispose();
  copies.delete(weight);
  const copy: HalfCopy = { half: current ? known.half : undefined };
  weight.assign(update(copy));
  if (copy.half) copies.set(weight, { dataId: weight.dataId, half: copy.half as tf.Tensor2D });
}

/** Frees the copies of weights that nobody multiplies with any more. */
export function dropHalves(weights: Iterable<tf.Tensor>): void {
  for (const weight of weights) {
    if (!(weight instanceof tf.Variable)) continue;
    copies.get(weight)?.half.dispose();
    copies.delete(weight);
  }
}
