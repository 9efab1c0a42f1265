/**
 * Many tensors in few collectives: a call costs about a millisecond whatever it carries, and one of hundreds of
 * megabytes costs several times its size in memory. So tensors are joined, and large ones cut, to vectors of `SLICE`
 * numbers at most.
 */
import * as tf from '@tensorflow/tfjs';
import { SLICE, type TensorLike } from './collectives.js';

/** One collective on one tensor. */
export type Collective = (x: tf.Tensor) => tf.Tensor;

/**
 * @param tensors float32; given away, and disposed of as soon as they are packed
 * @param slice numbers of a vector at most
 * @returns the sums, shape for shape
 */
export function addPacked(tensors: readonly tf.Tensor[], allReduce: Collective, slice = SLICE): tf.Tensor[] {
  return runsOf(tensors, slice).flatMap((run) =>
    run.length === 1 ? [sumCut(run[0]!, allReduce, slice)] : sumJoined(run, allReduce),
  );
}

/**
 * A tensor of one process in all.
 * @param shape of it
 * @param own the tensor, in the process that sends it
 * @returns float32, the caller's
 */
export function broadcastWhole(
  shape: readonly number[],
  own: tf.Tensor | undefined,
  broadcast: (x: tf.Tensor | TensorLike) => tf.Tensor,
  slice = SLICE,
): tf.Tensor {
  return tf.tidy(() => {
    const size = shape.reduce((product, n) => product * n, 1);
    const expected = cutSizes(size, slice).map((n): TensorLike => ({ dtype: 'float32', shape: [n] }));
    const parts = (own ? cut(tf.reshape(own, [-1]), slice) : expected).map((part) => broadcast(part));
    return tf.reshape(parts.length === 1 ? parts[0]! : tf.concat(parts), [...shape]);
  });
}

/** Runs of tensors that fit into a slice together; a larger one is a run by itself. */
export function runsOf(tensors: readonly tf.Tensor[], slice: number): tf.Tensor[][] {
  const runs: tf.Tensor[][] = [];
  let used = Infinity;
  for (const tensor of tensors) {
    if (used + tensor.size > slice) {
      runs.push([]);
      used = 0;
    }
    runs.at(-1)!.push(tensor);
    used += tensor.size;
  }
  return runs;
}

function sumJoined(run: readonly tf.Tensor[], allReduce: Collective): tf.Tensor[] {
  const shapes = run.map(({ shape, size }) => ({ shape, size }));
  const joined = tf.tidy(() => tf.concat(run.map((tensor) => tf.reshape(tensor, [-1]))));
  tf.dispose([...run]);
  const whole = allReduce(joined) as tf.Tensor1D;
  joined.dispose();
  const sums = tf.tidy(() => {
    const sizes = shapes.map(({ size }) => size);
    return tf.split(whole, sizes).map((part, i) => tf.reshape(part, shapes[i]!.shape));
  });
  whole.dispose();
  return sums;
}

function sumCut(tensor: tf.Tensor, allReduce: Collective, slice: number): tf.Tensor {
  const { shape } = tensor;
  const parts = tf.tidy(() => cut(tf.reshape(tensor, [-1]), slice));
  tensor.dispose();
  const sums = parts.map((part) => {
    const sum = allReduce(part);
    part.dispose();
    return sum;
  });
  const whole = tf.tidy(() => tf.reshape(sums.length === 1 ? sums[0]! : tf.concat(sums), shape));
  tf.dispose(sums);
  return whole;
}

/** Vectors of `slice` numbers, the last one of what is left. */
function cut(vector: tf.Tensor, slice: number): tf.Tensor[] {
  if (vector.size <= slice) return [vector.clone()];
  return tf.split(vector as tf.Tensor1D, cutSizes(vector.size, slice));
}

function cutSizes(size: number, slice: number): number[] {
  return Array.from({ length: Math.max(1, Math.ceil(size / slice)) }, (_, i) => Math.min(slice, size - i * slice));
}
