/**
 * What one process found, in all of them: machines of different kinds differ in the last digits of a product, and
 * centres that differ in one digit can end as other codes.
 *
 * Shapes: N rows, D width.
 */
import * as tf from '@tensorflow/tfjs';
import type { Cluster } from '../cluster/cluster.js';
import type { Vectors } from '../files/npy.js';
import { valuesOf } from '../support/values-of.js';

/** @param vectors [N, D], of the same size in all processes @param root whose numbers. Default process 0's */
export function rowsOfOne(cluster: Cluster | undefined, vectors: Vectors, root = 0): Vectors {
  if (!cluster) return vectors;
  const { rows, width, data } = vectors;
  const whole = (): tf.Tensor => cluster.broadcast([rows, width], root, tf.tensor2d(data, [rows, width]));
  return { rows, width, data: valuesOf(whole) };
}

/** @param codes [N], below 2^24 (they are sent as float32), as many in all processes @param root as `rowsOfOne`'s */
export function codesOfOne(cluster: Cluster | undefined, codes: Int32Array, root = 0): Int32Array {
  if (!cluster) return codes;
  const vectors = { rows: codes.length, width: 1, data: Float32Array.from(codes) };
  return Int32Array.from(rowsOfOne(cluster, vectors, root).data);
}
