/** Operations of convolutions over short sequences. Shapes: B sequences, T steps, F filters. */
import * as tf from '@tensorflow/tfjs';
import { oneHot } from '../basic.js';
import { customOp } from '../custom-op.js';

/**
 * The largest over time; where several are equal the gradient goes to the first, as PyTorch's `max_pool1d`.
 * @param x [B, T, F] @returns [B, F]
 */
export function maxOverTime(x: tf.Tensor3D): tf.Tensor2D {
  const [, steps] = x.shape;
  return customOp<tf.Rank.R2>(
    [x],
    (x) => ({ value: tf.max(x!, 1), saved: [tf.argMax(x!, 1)] }),
    (dy, _, [at]) => {
      if (steps === 1) return [tf.expandDims(dy, 1)]; // the engine has no one-hot vectors of one number
      const chosen = oneHot(tf.cast(at!, 'int32'), steps); // [B, F, T]
      return [tf.mul(tf.transpose(chosen, [0, 2, 1]), tf.expandDims(dy, 1))];
    },
    { keepsInputs: false },
  );
}

/** The axes in another order. @param order of the input's axes in the value */
export function transposed<R extends tf.Rank>(x: tf.Tensor<R>, order: readonly number[]): tf.Tensor<R> {
  const back = order.map((_, axis) => order.indexOf(axis));
  return customOp<R>(
    [x],
    (x) => ({ value: tf.transpose(x!, [...order]) }),
    (dy) => [tf.transpose(dy, back)],
    { keepsInputs: false },
  );
}

/** Side by side. @param parts of [N, D1], [N, D2], ... @returns [N, D1 + D2 + ...] */
export function beside(parts: readonly tf.Tensor2D[]): tf.Tensor2D {
  const widths = parts.map(({ shape }) => shape[1]);
  return customOp<tf.Rank.R2>(
    [...parts],
    (...parts) => ({ value: tf.concat(parts, 1) }),
    (dy) => tf.split(dy, widths, 1),
    { keepsInputs: false },
  );
}

/** Rows of a table; id -1 is a row of zeros. @param table [V, D] @param ids int32 [N] @returns [N, D] */
export function rowsOrZeros(table: tf.Tensor2D, ids: Int32Array): tf.Tensor2D {
  const rows = table.shape[0];
  const real = Float32Array.from(ids, (id) => (id < 0 ? 0 : 1));
  const at = ids.map((id) => Math.max(0, id));
  return customOp<tf.Rank.R2>(
    [table],
    (table) => {
      const mask = tf.tensor2d(real, [ids.length, 1]);
      const places = tf.tensor1d(at, 'int32');
      return { value: tf.mul(tf.gather(table!, places), mask), saved: [mask, places] };
    },
    (dy, _, [mask, places]) => [tf.scatterND(tf.reshape(places!, [-1, 1]), tf.mul(dy, mask!), [rows, dy.shape[1]!])],
    { keepsInputs: false },
  );
}
