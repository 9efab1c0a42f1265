/**
 * Numbers out of the engine. `tf.tidy` looks for tensors inside whatever its function returns, element by element, so
 * returning a typed array of a million numbers from it takes a second; this hands the tensor out and reads it after.
 */
import * as tf from '@tensorflow/tfjs';

/** Runs `compute` in a scope of its own and returns its result's numbers, row-major; nothing stays allocated. */
export function compute(name: string, compute: () => tf.Tensor): Float32Array {
  const tensor = tf.tidy(name, compute);
  const numbers = tensor.dataSync<'float32'>();
  tensor.dispose();
  return numbers;
}
