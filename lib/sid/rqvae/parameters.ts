/**
 * The parameters of an RQ-VAE, under the names and shapes of the reference's `state_dict` (MiniOneRec's and LC-Rec's
 * `rq/`: two multilayer perceptrons and a codebook a level), so that its checkpoints and ours are one format.
 *
 * Shapes: D width of the vectors, E width of the latent, K codes of a level. Linear weights are [out, in].
 */
import * as tf from '@tensorflow/tfjs';
import type { Vectors } from '../../files/npy.js';
import type { NamedArray } from '../../files/safetensors.js';
import { InputError } from '../../support/errors.js';
import { Random } from '../../support/random.js';

/** The shape of an RQ-VAE. D input width, E latent width, K codes, L levels. */
export interface RqVaeShape {
  /** D */
  input: number;
  /** Widths of the encoder's hidden layers; the decoder has them in reverse. */
  hidden: readonly number[];
  /** E */
  latent: number;
  /** K of each level [L]. */
  sizes: readonly number[];
  /** Batch normalisation after every linear layer but the last. */
  batchNorm: boolean;
  /** Encoder and decoder add their input to their output (E = D): RQ-Kmeans+. */
  residual: boolean;
}

/** The two networks of an RQ-VAE. */
export type Part = 'encoder' | 'decoder';

/** Widths from input to output of a part. */
export function widths({ input, hidden, latent }: RqVaeShape, part: Part): number[] {
  const encoder = [input, ...hidden, latent];
  return part === 'encoder' ? encoder : encoder.reverse();
}

/** Name of layer `i`'s linear map (the reference's list holds dropout, linear, normalisation, activation a layer). */
export function linearName(shape: RqVaeShape, part: Part, i: number): string {
  return `${part}.mlp_layers.${i * (shape.batchNorm ? 4 : 3) + 1}`;
}

/** Name of the normalisation after a linear layer. @param i number of the layer, from 0 */
export function normName(part: Part, i: number): string {
  return `${part}.mlp_layers.${i * 4 + 2}`;
}

/** Name of a level's codebook. @param level from 0 */
export function codebookName(level: number): string {
  return `rq.vq_layers.${level}.embedding.weight`;
}

/** Names and shapes of what is trained, in the order of the file. */
export function parameterShapes(shape: RqVaeShape): Map<string, number[]> {
  const shapes = new Map<string, number[]>();
  for (const part of ['encoder', 'decoder'] as const) {
    const sizes = widths(shape, part);
    for (let i = 0; i + 1 < sizes.length; i++) {
      const name = linearName(shape, part, i);
      shapes.set(`${name}.weight`, [sizes[i + 1]!, sizes[i]!]);
      shapes.set(`${name}.bias`, [sizes[i + 1]!]);
      if (shape.batchNorm && i + 2 < sizes.length) {
        shapes.set(`${normName(part, i)}.weight`, [sizes[i + 1]!]);
        shapes.set(`${normName(part, i)}.bias`, [sizes[i + 1]!]);
      }
    }
  }
  shape.sizes.forEach((size, level) => shapes.set(codebookName(level), [size, shape.latent]));
  return shapes;
}

/** Running means and variances of batch normalisation: saved, not trained. */
export function bufferShapes(shape: RqVaeShape): Map<string, number[]> {
  const shapes = new Map<string, number[]>();
  if (!shape.batchNorm) return shapes;
  for (const part of ['encoder', 'decoder'] as const) {
    shape.hidden.forEach((_, i) => {
      const width = widths(shape, part)[i + 1]!;
      shapes.set(`${normName(part, i)}.running_mean`, [width]);
      shapes.set(`${normName(part, i)}.running_var`, [width]);
    });
  }
  return shapes;
}

/**
 * Xavier normal weights (Glorot & Bengio 2010), biases 0, codebooks 0 until k-means fills them. Of a residual shape the
 * last layer of either part is 0, so that both begin as the identity.
 */
export function initialArrays(shape: RqVaeShape, seed: number): Map<string, NamedArray> {
  const random = new Random(`${seed}/rqvae`);
  const last = new Set(
    shape.residual
      ? (['encoder', 'decoder'] as const).map((part) => `${linearName(shape, part, shape.hidden.length)}.weight`)
      : [],
  );
  const arrays = new Map<string, NamedArray>();
  for (const [name, dims] of [...parameterShapes(shape), ...bufferShapes(shape)]) {
    const data = new Float32Array(dims.reduce((product, n) => product * n, 1));
    const scale = /\.running_var$|mlp_layers\.\d+\.weight$/.test(name);
    if (dims.length === 1 && scale) data.fill(1);
    else if (dims.length === 2 && scale && !last.has(name)) {
      const deviation = Math.sqrt(2 / (dims[0]! + dims[1]!));
      for (let i = 0; i < data.length; i++) data[i] = deviation * random.normal();
    }
    arrays.set(name, { shape: dims, data });
  }
  return arrays;
}

/** @throws InputError if a parameter is missing or has another shape */
export function checkArrays(shape: RqVaeShape, arrays: ReadonlyMap<string, NamedArray>, where: string): void {
  for (const [name, dims] of [...parameterShapes(shape), ...bufferShapes(shape)]) {
    const array = arrays.get(name);
    if (array?.shape.join() !== dims.join()) {
      const got = array ? `[${array.shape.join(', ')}]` : 'none';
      throw new InputError(`${where}: expected ${name} of shape [${dims.join(', ')}], got ${got}; train it again`);
    }
  }
}

/** The codebooks among a model's arrays, one a level [K, E]. */
export function codebooksOf(shape: RqVaeShape, arrays: ReadonlyMap<string, NamedArray>): Vectors[] {
  return shape.sizes.map((rows, level) => ({
    rows,
    width: shape.latent,
    data: arrays.get(codebookName(level))!.data,
  }));
}

/** Arrays as variables; the caller disposes them. */
export function toVariables(arrays: ReadonlyMap<string, NamedArray>): Map<string, tf.Variable> {
  return new Map(
    [...arrays].map(([name, { data, shape }]) => [
      name,
      tf.tidy(() => tf.variable(tf.tensor(data.slice(), shape, 'float32'))),
    ]),
  );
}

/** Variables as arrays, each read from the engine once. */
export function fromVariables(variables: ReadonlyMap<string, tf.Tensor>): Map<string, NamedArray> {
  return new Map([...variables].map(([name, t]) => [name, { shape: t.shape, data: t.dataSync<'float32'>().slice() }]));
}
