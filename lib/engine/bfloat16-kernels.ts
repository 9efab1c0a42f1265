/**
 * bfloat16 on the `tensorflow` engine. Its addon computes in any of TensorFlow's types; the package's JavaScript knows a
 * few of them, and TensorFlow.js itself has no half precision.
 *
 * A bfloat16 tensor is a tensor of TensorFlow.js whose data TensorFlow alone can read. For TensorFlow.js its dtype is
 * `string`: the one that every operation on numbers refuses, so that none can take its bytes for something else.
 * `tf.memory()` counts it as a tensor, and its bytes not.
 */
import * as tf from '@tensorflow/tfjs';

const BACKEND = 'tensorflow';
/** TensorFlow's numbers of the types (`tensorflow/c/tf_datatype.h`). */
const TF_FLOAT = 1;
const TF_INT32 = 3;
const TF_BFLOAT16 = 14;

/** What a call of TensorFlow's returns of an output. */
interface Output {
  id: number;
  shape: number[];
  dtype: number;
}

interface Attribute {
  name: string;
  type: number;
  value: unknown;
}

/** What this needs of the package's backend. */
interface NodeBackend {
  binding: { TF_ATTR_TYPE: number; TF_ATTR_BOOL: number; TF_ATTR_INT: number };
  tensorMap: { get(dataId: object): { dtype: number }; set(dataId: object, info: object): void };
  createOutputTensor(output: Output): tf.Tensor;
  executeSingleOutput(name: string, attributes: Attribute[], inputs: tf.TensorInfo[]): tf.TensorInfo;
}

/** Registers what `lib/ops/bfloat16.ts` asks an engine for. Safe to call again. */
export function registerBfloat16(): void {
  if (tf.getKernel('SidlabToBfloat16', BACKEND)) return;
  const backend = tf.findBackend(BACKEND) as unknown as NodeBackend;
  acceptOutputs(backend);
  const { TF_ATTR_TYPE, TF_ATTR_BOOL, TF_ATTR_INT } = backend.binding;
  const type = (name: string, value: number): Attribute => ({ name, type: TF_ATTR_TYPE, value });
  const flag = (name: string, value: boolean): Attribute => ({ name, type: TF_ATTR_BOOL, value });
  const cast = (x: tf.TensorInfo, from: number, to: number): tf.TensorInfo =>
    backend.executeSingleOutput('Cast', [type('SrcT', from), type('DstT', to), flag('Truncate', false)], [x]);
  const kernels: Record<string, (inputs: tf.TensorInfo[], attributes: Record<string, boolean>) => tf.TensorInfo> = {
    SidlabToBfloat16: ([x]) => cast(x!, TF_FLOAT, TF_BFLOAT16),
    SidlabFromBfloat16: ([x]) => cast(x!, TF_BFLOAT16, TF_FLOAT),
    SidlabMatMulBfloat16: ([a, b], { transposeA, transposeB }) =>
      backend.executeSingleOutput(
        'MatMul',
        [flag('transpose_a', transposeA!), flag('transpose_b', transposeB!), type('T', TF_BFLOAT16)],
        [a!, b!],
      ),
    SidlabGatherBfloat16: ([table, ids]) => {
      const axis = tf.scalar(0, 'int32');
      const attributes = [
        { name: 'batch_dims', type: TF_ATTR_INT, value: 0 },
        ...[type('Tparams', TF_BFLOAT16), type('Tindices', TF_INT32), type('Taxis', TF_INT32)],
      ];
      const rows = backend.executeSingleOutput('GatherV2', attributes, [table!, ids!, axis]);
      axis.dispose();
      return rows;
    },
  };
  for (const [kernelName, compute] of Object.entries(kernels)) {
    tf.registerKernel({
      kernelName,
      backendName: BACKEND,
      kernelFunc: ({ inputs, attrs }) =>
        compute(Object.values(inputs) as tf.TensorInfo[], attrs as Record<string, boolean>),
    });
  }
}

/** The package throws for an output of a type that TensorFlow.js does not have. */
function acceptOutputs(backend: NodeBackend): void {
  const known = backend.createOutputTensor.bind(backend);
  backend.createOutputTensor = ({ id, shape, dtype }) => {
    if (dtype !== TF_BFLOAT16) return known({ id, shape, dtype });
    const dataId = {};
    backend.tensorMap.set(dataId, { id, shape, dtype, values: null, refCount: 1 });
    return tf.engine().makeTensorFromTensorInfo({ dataId, shape, dtype: 'string' });
  };
}
