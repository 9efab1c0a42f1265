/**
 * An operation with a gradient of its own: the plain face of what an engine may later fuse under the same name.
 *
 * Why not the tape's composition: TensorFlow.js keeps every saved tensor as an Identity kernel, builds `ones` in
 * JavaScript for the gradient of sums, and has none for several kernels. A gradient written out costs what its
 * mathematics costs.
 */
import * as tf from '@tensorflow/tfjs';

export interface Forward {
  value: tf.Tensor;
  /** What the gradient needs besides the inputs. */
  saved?: tf.Tensor[];
}

/**
 * @param inputs differentiable inputs
 * @param forward value from inputs
 * @param backward gradient of each input, in the order of the inputs, from the value's gradient
 */
export function customOp<R extends tf.Rank>(
  inputs: tf.Tensor[],
  forward: (...inputs: tf.Tensor[]) => Forward,
  backward: (dy: tf.Tensor, inputs: tf.Tensor[], saved: tf.Tensor[]) => tf.Tensor[],
): tf.Tensor<R> {
  const op = tf.customGrad((...given) => {
    const save = given[given.length - 1] as unknown as (tensors: tf.Tensor[]) => void; // tfjs types it as a tensor
    const own = given.slice(0, inputs.length) as tf.Tensor[];
    const { value, saved = [] } = forward(...own);
    save([...own, ...saved]);
    const gradFunc = (dy: tf.Tensor, all: tf.Tensor[]): tf.Tensor[] =>
      backward(dy, all.slice(0, inputs.length), all.slice(inputs.length));
    return { value, gradFunc };
  });
  return op(...inputs) as tf.Tensor<R>;
}
