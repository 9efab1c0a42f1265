/** Tensors out of safetensors files, into the engine's memory without a copy in JavaScript where the engine can. */
import * as tf from '@tensorflow/tfjs';
import { checkStamp, type FileStamp, stampFile } from '../files/file-stamp.js';
import type { FloatDtype, SafetensorsFile } from '../files/safetensors.js';
import { toBfloat16 } from './bfloat16.js';
import { hasFused, runFused } from './fused.js';
import type { Precision } from './precision.js';

/** As the operation numbers them. */
const KINDS = { F32: 0, F16: 1, BF16: 2 } as const;

/** A tensor that begins at a multiple of it is mapped. */
const ALIGNMENT = 64;

/**
 * One tensor of a file, float32 or rounded to bfloat16 (exactly, where the file holds it). What lies at a multiple of 64
 * bytes, as `writeSafetensors` puts it, is mapped: it is read when it is looked at, and the file must not be changed in
 * place (a new one under its name does no harm), which `checkMappedFiles` finds out.
 * @throws InputError if the file has none of the name, or is shorter than it was when it was opened
 */
export function readTensor(file: SafetensorsFile, name: string, precision: Precision = 'float32'): tf.Tensor {
  if (precision === 'bfloat16') return readHalves(file, name);
  if (!hasFused('SidlabReadTensor')) {
    const { data, shape } = file.read(name);
    return uploaded(tf.tensor(data, shape));
  }
  return native('SidlabReadTensor', file, name, 'F32');
}

function readHalves(file: SafetensorsFile, name: string): tf.Tensor {
  const asItIs = hasFused('SidlabReadBfloat16') && file.place(name).dtype === 'BF16';
  return asItIs ? native('SidlabReadBfloat16', file, name, 'BF16') : tf.tidy(() => toBfloat16(readTensor(file, name)));
}

/** @param asItIs the type that the operation maps */
function native(operation: string, file: SafetensorsFile, name: string, asItIs: FloatDtype): tf.Tensor {
  const { descriptor, offset, dtype, shape } = file.place(name);
  const place = [descriptor, KINDS[dtype], offset % 2 ** 30, Math.floor(offset / 2 ** 30), ...shape];
  const tensor = tf.tidy(() => whole(file, () => runFused(operation, [tf.tensor1d(place, 'int32')])[0]!));
  if (dtype === asItIs && offset % ALIGNMENT === 0) rememberMapped(tensor, file, descriptor);
  return tensor;
}

/** Files by their readers, and by the data of what is mapped from them. */
const stamps = new WeakMap<object, FileStamp>();

function rememberMapped({ dataId }: tf.Tensor, file: SafetensorsFile, descriptor: number): void {
  const stamp = stamps.get(file) ?? stampFile(file.path, descriptor);
  stamps.set(file, stamp);
  stamps.set(dataId, stamp);
}

/**
 * Asked now and then by whoever computes with weights: of a file that is cut while its tensors are in use, the lost pages
 * are NaN (`kernels/tensorflow/ops/mapped.h`), but the rest of the page that it then ends in is zeros.
 * @param tensors mapped or not
 * @throws InputError if the file of one was cut or written over
 */
export function checkMappedFiles(tensors: Iterable<tf.Tensor>): void {
  const files = new Set<FileStamp>();
  for (const { dataId } of tensors) {
    const stamp = stamps.get(dataId);
    if (stamp) files.add(stamp);
  }
  files.forEach(checkStamp);
}

function whole<T>(file: SafetensorsFile, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof Error && error.message.endsWith('became shorter while it was read')) throw file.shortened();
    throw error;
  }
}

/** The same tensor, of which the engine has taken its copy, so that the array in JavaScript can go. */
export function uploaded<R extends tf.Rank>(tensor: tf.Tensor<R>): tf.Tensor<R> {
  tf.tidy(() => void tf.slice(tf.reshape(tensor, [-1]), 0, Math.min(1, tensor.size)));
  return tensor;
}
