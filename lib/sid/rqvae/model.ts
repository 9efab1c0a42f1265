/**
 * A trained RQ-VAE as a pair of functions: vectors -> latents, where its codebooks live, and sums of codes -> vectors.
 *
 * Shapes: N rows, D width of the vectors, E width of the latent.
 */
import * as tf from '@tensorflow/tfjs';
import type { Vectors } from '../../files/npy.js';
import type { NamedArray } from '../../files/safetensors.js';
import { mlpInfer } from './mlp.js';
import { type Part, type RqVaeShape, toVariables } from './parameters.js';

/** A trained RQ-VAE: its shape and its parameters. */
export interface RqVaeModel {
  /** Widths and codes. */
  shape: RqVaeShape;
  /** Under the names of the reference's `state_dict`. */
  arrays: Map<string, NamedArray>;
  /** What vectors are multiplied by before they are encoded, and divided by after they are decoded. */
  scale: number;
}

/** Rows of a chunk: 64 MiB in a hidden layer of 2,048. */
const CHUNK = 8192;

/** @param vectors [N, D] @returns latents [N, E] */
export function encodeVectors(model: RqVaeModel, vectors: Vectors): Vectors {
  return through(model, 'encoder', vectors, model.shape.latent, model.scale, 1);
}

/** @param sums of codes [N, E] @returns [N, D] */
export function decodeSums(model: RqVaeModel, sums: Vectors): Vectors {
  return through(model, 'decoder', sums, model.shape.input, 1, 1 / model.scale);
}

function through(
  { shape, arrays }: RqVaeModel,
  part: Part,
  { rows, width, data }: Vectors,
  out: number,
  before: number,
  after: number,
): Vectors {
  const parameters = toVariables(new Map([...arrays].filter(([name]) => name.startsWith(`${part}.`))));
  const result: Vectors = { rows, width: out, data: new Float32Array(rows * out) };
  for (let first = 0; first < rows; first += CHUNK) {
    const count = Math.min(CHUNK, rows - first);
    const y = tf.tidy(() => {
      const x = tf.tensor2d(data.subarray(first * width, (first + count) * width), [count, width]);
      return tf.mul(mlpInfer(shape, part, parameters, tf.mul(x, before)), after);
    });
    result.data.set(y.dataSync<'float32'>(), first * out);
    y.dispose();
  }
  tf.dispose([...parameters.values()]);
  return result;
}
