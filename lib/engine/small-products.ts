/**
 * Products of two small matrices on the `tensorflow` engine, by an operation of ours that computes on the calling thread.
 * TensorFlow's own takes longer to spread such a product over its threads than to compute it: 100 x 64 x 256 in 115 us, of
 * which 80 are waiting; ours 35.
 */
import * as tf from '@tensorflow/tfjs';

const BACKEND = 'tensorflow';
/** Multiplications below which one thread is the faster: 100 us of it. */
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
      const { transposeA, transposeB } = params.attrs as unknown as { transposeA: boolean; transposeB: boolean };
      const columns = b.shape[transposeB ? 0 : 1]!;
      const isSmall = a.shape[0]! * a.shape[1]! * columns < SMALL;
      const areMatrices =
        a.shape.length === 2 && b.shape.length === 2 && a.dtype === 'float32' && b.dtype === 'float32';
      if (!areMatrices || !isSmall) return other.kernelFunc(params);
      return backend.executeSingleOutput(`SidlabMatMul${transposeA ? 'T' : 'N'}${transposeB ? 'T' : 'N'}`, [], [a, b]);
    },
  });
}
