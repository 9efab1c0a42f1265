/**
 * TensorFlow's collective operations on tensors of TensorFlow.js: the runtime of `tf.distribute`'s
 * MultiWorkerMirroredStrategy, a ring over gRPC on processors and NCCL on GPUs.
 *
 * An operation meets its like in the other processes by an instance key. Keys are given out in the order in which
 * operations of a new kind, type and shape are first called, which is the same in all processes because all run the same
 * program; a key is used again for every later call of the same shape, which spares a round trip to the leader.
 */
import * as tf from '@tensorflow/tfjs';
import { announceMeeting } from '../engine/cluster.js';
import { InputError } from '../support/errors.js';

/** Numbers of an all-reduce at most: 16 MB. gRPC copies each several times, so memory grows with it. */
export const SLICE = 1 << 22;

/** Parts in which the ring works on a tensor at once, at most; TensorFlow's default is 2. */
const SUBDIVISIONS = 16;

/** TensorFlow's numbers of the types (`tensorflow/c/tf_datatype.h`); bfloat16 tensors have the dtype `string` here. */
const TYPES: Readonly<Partial<Record<tf.DataType, number>>> = { float32: 1, int32: 3, string: 14 };

const GROUP = 1;

interface Attribute {
  name: string;
  type: number;
  value: unknown;
}

/** What this needs of the package's backend. */
interface NodeBackend {
  binding: Readonly<Record<'TF_ATTR_TYPE' | 'TF_ATTR_STRING' | 'TF_ATTR_FLOAT' | 'TF_ATTR_INT', number>>;
  executeSingleOutput(name: string, attributes: Attribute[], inputs: tf.TensorInfo[]): tf.TensorInfo;
}

/** What is known of a tensor that is to come. */
export type TensorLike = Pick<tf.Tensor, 'dtype' | 'shape'>;

/** The operations of one process in a cluster. Every method is called by all processes, in the same order. */
export class Collectives {
  private readonly keys = new Map<string, number>();
  /** Whether all have taken part in a call. */
  private met = false;

  /** @param timeout seconds that a call waits for the others */
  constructor(
    private readonly rank: number,
    private readonly size: number,
    private readonly timeout: number,
  ) {}

  /** The sum over the processes; the same bits in all of them. @param x float32 or bfloat16, of the same shape in all */
  allReduce(x: tf.Tensor): tf.Tensor {
    const attributes = [
      ...[this.type('T', x.dtype), this.text('merge_op', 'Add'), this.text('final_op', 'Id')],
      { name: 'max_subdivs_per_device', type: this.backend().binding.TF_ATTR_INT, value: SUBDIVISIONS },
    ];
    return this.call('CollectiveReduceV2', x, attributes, { before: x });
  }

  /** Rows of all processes, one below the other. @param x [n, ...], of the same shape in all */
  gather(x: tf.Tensor): tf.Tensor {
    return this.call('CollectiveGatherV2', x, [this.type('T', x.dtype)], { before: x });
  }

  /**
   * One process's numbers in all.
   * @param x of the same shape in all; of the others only shape and type are looked at
   * @param root whose numbers
   */
  broadcast(x: tf.Tensor | TensorLike, root = 0): tf.Tensor {
    const type = this.type('T', x.dtype);
    const meet = `Bcast from ${root}`; // who sends is fixed with a key's first use
    if (this.rank === root) return this.call('CollectiveBcastSendV2', x, [type], { before: x as tf.Tensor, meet });
    const shape = tf.tensor1d(x.shape, 'int32');
    try {
      const attributes = [type, this.type('Tshape', 'int32')];
      return this.call('CollectiveBcastRecvV2', x, attributes, { after: shape, meet });
    } finally {
      shape.dispose();
    }
  }

  /** @param meet the name under which the processes meet, where sending and receiving are two operations */
  private call(
    name: string,
    { dtype, shape }: TensorLike,
    attributes: Attribute[],
    inputs: { before?: tf.Tensor; after?: tf.Tensor; meet?: string },
  ): tf.Tensor {
    const { before, after, meet = name } = inputs;
    const instance = this.instance(`${meet} ${dtype} ${shape.join()}`);
    const keys = [this.size, GROUP, instance].map((key) => tf.scalar(key, 'int32'));
    try {
      const all = [...(before ? [before] : []), ...keys, ...(after ? [after] : [])];
      const result = this.backend().executeSingleOutput(name, [...attributes, ...this.common()], all) as tf.Tensor;
      if (!this.met) announceMeeting();
      this.met = true;
      return result;
    } catch (error) {
      throw clusterError(error, this.timeout);
    } finally {
      tf.dispose(keys);
    }
  }

  private instance(kind: string): number {
    const known = this.keys.get(kind) ?? this.keys.size + 1;
    this.keys.set(kind, known);
    return known;
  }

  private backend(): NodeBackend {
    return tf.backend() as unknown as NodeBackend;
  }

  private type(name: string, dtype: tf.DataType): Attribute {
    return { name, type: this.backend().binding.TF_ATTR_TYPE, value: TYPES[dtype] };
  }

  private text(name: string, value: string): Attribute {
    return { name, type: this.backend().binding.TF_ATTR_STRING, value };
  }

  /** NCCL where the tensors are on GPUs; on processors the hint falls to the ring. */
  private common(): Attribute[] {
    const timeout = { name: 'timeout_seconds', type: this.backend().binding.TF_ATTR_FLOAT, value: this.timeout };
    return [this.text('communication_hint', 'nccl'), timeout];
  }
}

let broken = false;

/** Whether a collective failed: every later one would fail likewise, so the process can only end. */
export const isBroken = (): boolean => broken;

/** TensorFlow's page of an error in a line. */
function clusterError(error: unknown, timeout: number): InputError {
  broken = true;
  const message = error instanceof Error ? error.message : String(error);
  const line = message
    .replace(/^Invalid TF_Status: \d+\s*Message: /, '')
    .split('\n')[0]!
    .trim();
  const mend = 'end all, look at what the first one said, and start all again: a run resumes';
  if (/timed out/i.test(line)) {
    return new InputError(`cluster: expected all processes within ${timeout} s, got no answer (${line}); ${mend}`);
  }
  if (/mismatch|expected type|inconsistent/i.test(line)) {
    return new InputError(`cluster: expected the same call in all processes, got another (${line}); ${mend}`);
  }
  return new InputError(`cluster: expected all processes to live, got one that is gone (${line}); ${mend}`);
}
