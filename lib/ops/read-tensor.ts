/** Tensors out of safetensors files, into the engine's memory without a copy in JavaScript where the engine can. */
import * as tf from '@tensorflow/tfjs';
import type { SafetensorsFile } from '../files/safetensors.js';
import { toBfloat16 } from './bfloat16.js';
import { hasFused, runFused } from './fused.js';
import type { Precision } from './precision.js';

/** As the operation numbers them. */
const KINDS = { F32: 0, F16: 1, BF16: 2 } as const;

/**
 * One tensor of a file, float32 or rounded to bfloat16 (exactly, where the file holds it). What lies at a multiple of 64 bytes, as `writeSafetensors` puts it, is mapped:
 * it is read when it is looked at, and the file must not be changed in place (a new one under its name does no harm).
 * @throws InputError if the file has none of the name
 */
export function readTensor(file: SafetensorsFile, name: string, precision: Precision = 'float32'): tf.Tensor {
  if (precision === 'bfloat16') return readHalves(file, name);
  if (!hasFused('SidlabReadTensor')) {
    const { data, shape } = file.read(name);
    return uploaded(tf.tensor(data, shape));
  }
  return tf.tidy(() => runFused('SidlabReadTensor', [placeOf(file, name)])[0]!);
}

function readHalves(file: SafetensorsFile, name: string): tf.Tensor {
  const asItIs = hasFused('SidlabReadBfloat16') && file.place(name).dtype === 'BF16';
  return tf.tidy(() =>
    asItIs ? runFused('SidlabReadBfloat16', [placeOf(file, name)])[0]! : toBfloat16(readTensor(file, name)),
  );
}

/** Where a tensor lies, for the operations. */
function placeOf(file: SafetensorsFile, name: string): tf.Tensor1D {
  const { descriptor, offset, dtype, shape } = file.place(name);
  return tf.tensor1d([descriptor, KINDS[dtype], offset % 2 ** 30, Math.floor(offset / 2 ** 30), ...shape], 'int32');
}

/** The same tensor, of which the engine has taken its copy, so that the array in JavaScript can go. */
export function uploaded<R extends tf.Rank>(tensor: tf.Tensor<R>): tf.Tensor<R> {
  tf.tidy(() => void tf.slice(tf.reshape(tensor, [-1]), 0, Math.min(1, tensor.size)));
  return tensor;
}
