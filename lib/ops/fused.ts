/** Which face of an operation computes: a kernel that the engine has under its name, else the plain one. */
import * as tf from '@tensorflow/tfjs';

/**
 * @param name of the kernel, such as `SidlabRmsNorm`; its gradient's is the same with `Grad`
 * @returns `fused` where the engine that runs has the kernel
 */
export function chooseImplementation<Face>(name: string, plain: Face, fused: Face): Face {
  return hasFused(name) ? fused : plain;
}

export function hasFused(name: string): boolean {
  return tf.getKernel(name, tf.getBackend()) !== undefined;
}

/** Runs an engine's kernel of ours. @param inputs in the kernel's order */
export function runFused(name: string, inputs: readonly tf.Tensor[]): tf.Tensor[] {
  const named = Object.fromEntries(inputs.map((input, i) => [`input${i}`, input]));
  const outputs: tf.Tensor | tf.Tensor[] = tf.engine().runKernel(name, named);
  return Array.isArray(outputs) ? outputs : [outputs];
}
