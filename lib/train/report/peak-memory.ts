/**
 * The most that tensors hold at once while a piece of work runs. `tf.memory()` counts every clone and reshape with its
 * full size; here a buffer counts once. An engine that makes a buffer of its own for a reshape (TensorFlow's shares the
 * memory underneath) has it counted: the number errs on the high side.
 */
import * as tf from '@tensorflow/tfjs';
import { isBfloat16 } from '../../ops/bfloat16.js';

/** What TensorFlow.js's engine keeps of every tensor. */
interface Tracking {
  state: { numDataBuffers: number; tensorInfo: WeakMap<object, { bytes: number }> };
  trackTensor(tensor: tf.Tensor, backend?: object): void;
  removeDataId(dataId: object, backend: object): void;
}

/** A result, and the memory that it took while it was computed. */
export interface LiveBytes<T> {
  /** Of `work`. */
  result: T;
  /**
   * Bytes of buffers that were made by `work`, as they were after each that was made; what an operation uses within is
   * not seen. Work of the same operations makes as many.
   */
  timeline: number[];
  /** The most of them. */
  peak: number;
  /** Those that are still there. */
  left: number;
}

/** Runs `work` and follows the bytes of the tensors that it makes. */
export function liveBytes<T>(work: () => T): LiveBytes<T> {
  const engine = tf.engine() as object as Tracking;
  const { trackTensor, removeDataId } = engine;
  const own = new WeakMap<object, number>(); // bytes; what was there before may be freed without counting
  const timeline: number[] = [];
  let live = 0;
  engine.trackTensor = function (tensor, backend) {
    const before = this.state.numDataBuffers;
    trackTensor.call(this, tensor, backend);
    if (this.state.numDataBuffers === before) return;
    const { bytes } = this.state.tensorInfo.get(tensor.dataId)!;
    own.set(tensor.dataId, isBfloat16(tensor) ? 2 * tensor.size : bytes); // TensorFlow.js does not know its size
    live += own.get(tensor.dataId)!;
    timeline.push(live);
  };
  engine.removeDataId = function (dataId, backend) {
    removeDataId.call(this, dataId, backend);
    live -= own.get(dataId) ?? 0;
  };
  try {
    const result = work();
    return { result, timeline, peak: timeline.reduce((most, bytes) => Math.max(most, bytes), 0), left: live };
  } finally {
    Object.assign(engine, { trackTensor, removeDataId });
  }
}
