/**
 * Products of two matrices on the `tensorflow` engine. The package computes all products by TensorFlow's BatchMatMulV2, which
 * breaks a small one up as if it were many; MatMul takes a third of the time at 100 x 64 x 256, and a tenth less at 1000 x
 * 4864 x 896 with the left factor transposed.
 */
import * as tf from '@tensorflow/tfjs';

const BACKEND = 'tensorflow';
const TF_FLOAT = 1;

interface Attribute {
  name: string;
  type: number;
  value: unknown;
}

/** What this needs of the package's backend. */
interface NodeBackend {
  binding: { TF_ATTR_TYPE: number; TF_ATTR_BOOL: number };
  executeSingleOutput(name: string, attributes: Attribute[], inputs: tf.TensorInfo[]): tf.TensorInfo;
}

const registered = new WeakSet<object>();

/** Takes the place of the package's own kernel, which computes what is no pair of float32 matrices. Safe to call again. */
export function registerMatMul(): void {
  const backend = tf.findBackend(BACKEND) as unknown as NodeBackend;
  if (registered.has(backend)) return;
  registered.add(backend);
  const batched = tf.getKernel(tf.BatchMatMul, BACKEND);
  const { TF_ATTR_TYPE, TF_ATTR_BOOL } = backend.binding;
  const type = { name: 'T', type: TF_ATTR_TYPE, value: TF_FLOAT };
  tf.unregisterKernel(tf.BatchMatMul, BACKEND);
  tf.registerKernel({
    ...batched,
    kernelFunc: (params) => {
      const { a, b } = params.inputs as { a: tf.TensorInfo; b: tf.TensorInfo };
      const matrices = a.shape.length === 2 && b.shape.length === 2;
      if (!matrices || a.dtype !== 'float32' || b.dtype !== 'float32') return batched.kernelFunc(params);
      const { transposeA, transposeB } = params.attrs as unknown as { transposeA: boolean; transposeB: boolean };
      const attributes = [
        { name: 'transpose_a', type: TF_ATTR_BOOL, value: transposeA },
        { name: 'transpose_b', type: TF_ATTR_BOOL, value: transposeB },
        type,
      ];
      return backend.executeSingleOutput('MatMul', attributes, [a, b]);
    },
  });
}
