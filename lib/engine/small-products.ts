/**
 * Products of two small matrices on the `tensorflow` engine, by an operation of ours that computes on the calling thread.
 * TensorFlow's own takes longer to spread such a product over its threads than to compute it (`npm run bench --
 * small-products`).
 */
import * as tf from '@tensorflow/tfjs';

const BACKEND = 'tensorflow';
/** Multiplications from which on two threads are the faster. */
const SMALL = 2 ** 23;

/** What this needs of the package's backend. */
interface NodeBackend {
  executeSingleOutput(name: string, attributes: [], inputs: tf.TensorInfo[]): tf.TensorInfo;
}

let registered = false;

/** Takes the place of the package's kernel, which computes all others, once the operations are there. Safe to call again. */
export function registerSmallProducts(): void {
  if (registered || tf.getKernel('SidlabMatMulNN', BACKEND) === undefined) return;
  registered = true;
  const backend = tf.findBackend(BACKEND) as unknown as NodeBackend;
  const other = tf.getKernel(tf.BatchMatMul, BACKEND);
  tf.unregisterKernel(tf.BatchMatMul, BACKEND);
  tf.registerKernel({
    ...other,
    kernelFunc: (params) => {
      const { a, b } = params.inputs as { a: tf.TensorInfo; b: tf.TensorInfo };
      if (![a, b].every(({ shape, dtype }) => shape.length === 2 && dtype === 'float32'))
        return other.kernelFunc(params);
      const { transposeA, transposeB } = params.attrs as unknown as { transposeA: boolean; transposeB: boolean };
      const [rows, inner] = a.shape as [number, number]; // in either order
      if (rows * inner * b.shape[transposeB ? 0 : 1]! >= SMALL) return other.kernelFunc(params);
      return backend.executeSingleOutput(`SidlabMatMul${transposeA ? 'T' : 'N'}${transposeB ? 'T' : 'N'}`, [], [a, b]);
    },
  });
}
