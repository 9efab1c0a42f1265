/**
 * Numbers that leave the engine. `tf.tidy` looks for tensors in all that it returns, at every number of an array too:
 * half a microsecond each, and at 16.7 million different ones
 * it throws. So the tensor leaves it, and the array is read then.
 */
import * as tf from '@tensorflow/tfjs';

/** Values of a float32 tensor that is made for them, in a copy of their own. @param make runs within `tf.tidy` */
export function valuesOf(make: () => tf.Tensor): Float32Array {
  return numbersOf(make) as Float32Array;
}

/** Values of an int32 tensor that is made for them. @param make runs within `tf.tidy` */
export function wholeNumbersOf(make: () => tf.Tensor): Int32Array {
  return numbersOf(make) as Int32Array;
}

function numbersOf(make: () => tf.Tensor): Float32Array | Int32Array {
  const tensor = tf.tidy(make);
  try {
    return tensor.dataSync<'float32' | 'int32'>();
  } finally {
    tensor.dispose();
  }
}
