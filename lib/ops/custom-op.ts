/**
 * An operation with a gradient of its own: the plain implementation of what an engine may fuse under the same name.
 *
 * Why not the composition of TensorFlow.js's gradients: they keep every saved tensor, build `ones` in JavaScript for
 * the gradient of sums, and there are none for several kernels. A gradient written out costs what its mathematics
 * costs. On a tape of ours (`tape.ts`) it is recorded there, else on TensorFlow.js's.
 */
import * as tf from '@tensorflow/tfjs';
import { fromBfloat16 } from './bfloat16.js';
import { activeTape } from './tape.js';

/** What the forward pass of an operation gives. */
export interface Forward {
  /** The operation's result. */
  value: tf.Tensor;
  /** What the gradient needs besides the inputs. */
  saved?: tf.Tensor[];
}

/** Options of `customOp`. */
export interface CustomOpOptions {
  /** Whether the gradient looks at the inputs; where it does not, they may be freed before it is asked for. Default true. */
  keepsInputs?: boolean;
  /** Of an operation of one input: its gradient added to what that input has already, which is given up for it. */
  addTo?: ((sum: tf.Tensor, dy: tf.Tensor, saved: tf.Tensor[]) => tf.Tensor) | undefined;
}

/**
 * @param inputs differentiable inputs; everything else that the functions use was made before the gradient
 * @param forward value from inputs
 * @param backward gradient of each input from the value's gradient, in the order of the inputs, that of a weight in float32
 *   or bfloat16; those that `needs` tells are not asked for may be left out
 */
export function customOp<R extends tf.Rank>(
  inputs: tf.Tensor[],
  forward: (...inputs: tf.Tensor[]) => Forward,
  backward: (
    dy: tf.Tensor,
    inputs: tf.Tensor[],
    saved: tf.Tensor[],
    needs: readonly boolean[],
  ) => (tf.Tensor | undefined)[],
  { keepsInputs = true, addTo }: CustomOpOptions = {},
): tf.Tensor<R> {
  const tape = activeTape();
  if (tape) {
    const recorded = tape.run({
      inputs,
      forward() {
        const { value, saved = [] } = forward(...inputs);
        return { value, saved };
      },
      backward: (dy, saved, needs) => backward(dy, inputs, saved, needs),
      keepsInputs,
      addTo,
    });
    return recorded as tf.Tensor<R>;
  }
  const all = inputs.map((input) => !(input instanceof tf.Variable) || input.trainable);
  const op = tf.customGrad((...given) => {
    const save = given[given.length - 1] as unknown as (tensors: tf.Tensor[]) => void; // tfjs types it as a tensor
    const own = given.slice(0, inputs.length) as tf.Tensor[];
    const { value, saved = [] } = forward(...own);
    save([...own, ...saved]);
    const gradFunc = (dy: tf.Tensor, kept: tf.Tensor[]): tf.Tensor[] =>
      backward(dy, kept.slice(0, inputs.length), kept.slice(inputs.length), all).map(
        (gradient, i) => (gradient ? fromBfloat16(gradient) : tf.zeros(inputs[i]!.shape)), // of a frozen variable: nobody reads it
      );
    return { value, gradFunc };
  });
  return op(...inputs) as tf.Tensor<R>;
}
