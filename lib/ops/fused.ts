/** Which implementation of an operation computes: a kernel that the engine has under its name, else the plain one. */
import * as tf from '@tensorflow/tfjs';

/**
 * @param name of the kernel, such as `SidlabRmsNorm`; its gradient's is the same with `Grad`
 * @returns `fused` where the engine that runs has the kernel
 */
export function chooseImplementation<Implementation>(
  name: string,
  plain: Implementation,
  fused: Implementation,
): Implementation {
  return hasFused(name) ? fused : plain;
}

/** Whether the engine that runs has a kernel of this name. */
export function hasFused(name: string): boolean {
  return tf.getKernel(name, tf.getBackend()) !== undefined;
}

/** Runs an engine's kernel of ours. @param inputs in the kernel's order */
export function runFused(name: string, inputs: readonly tf.Tensor[]): tf.Tensor[] {
  const named = Object.fromEntries(inputs.map((input, i) => [`input${i}`, input]));
  const outputs: tf.Tensor | tf.Tensor[] = tf.engine().runKernel(name, named);
  return Array.isArray(outputs) ? outputs : [outputs];
}

/**
 * An input for kernels that may write into the memory of an input which their caller gives up: 1 for each tensor that no
 * clone shares, so that TensorFlow.js has no other handle to it. Whether TensorFlow itself shares the memory further
 * (with a reshape, a slice, an array of JavaScript's) is the kernel's to ask; it then computes in a copy.
 * @returns int32 [tensors]
 */
export function givenUp(...tensors: readonly tf.Tensor[]): tf.Tensor1D {
  const backend = tf.backend() as tf.KernelBackend;
  return tf.tensor1d(
    tensors.map(({ dataId }) => Number(backend.refCount(dataId) === 1)),
    'int32',
  );
}
