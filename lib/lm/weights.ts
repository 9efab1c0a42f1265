/**
 * The decoder's parameters under Hugging Face's names, as TensorFlow.js variables.
 */
import * as tf from '@tensorflow/tfjs';
import type { LazyArray, NamedArray } from '../files/safetensors.js';
import { fromBfloat16 } from '../ops/bfloat16.js';
import { dropHalves } from '../ops/half-copies.js';
import { uploaded } from '../ops/read-tensor.js';
import { InputError } from '../support/errors.js';
import { Random } from '../support/random.js';
import { valuesOf } from '../support/values-of.js';
import type { ModelConfig } from './config.js';
import { EMBEDDING, OUTPUT, FINAL_NORM, layerWeight } from './weight-names.js';

/** Variables by Hugging Face's names. */
export type Weights = Map<string, tf.Variable>;

/** Every parameter's name and shape, in the order of the file. */
export function weightShapes(config: ModelConfig): Map<string, number[]> {
  const { width, feedForward, heads, keyHeads, headDim, vocabSize } = config;
  const shapes = new Map<string, number[]>([[EMBEDDING, [vocabSize, width]]]);
  const biases: [string, number[]][] = [
    ['self_attn.q_proj.bias', [heads * headDim]],
    ['self_attn.k_proj.bias', [keyHeads * headDim]],
    ['self_attn.v_proj.bias', [keyHeads * headDim]],
  ];
  const headNorms: [string, number[]][] = [
    ['self_attn.q_norm.weight', [headDim]],
    ['self_attn.k_norm.weight', [headDim]],
  ];
  for (let layer = 0; layer < config.layers; layer++) {
    const parts: [string, number[]][] = [
      ['input_layernorm.weight', [width]],
      ['self_attn.q_proj.weight', [heads * headDim, width]],
      ['self_attn.k_proj.weight', [keyHeads * headDim, width]],
      ['self_attn.v_proj.weight', [keyHeads * headDim, width]],
      ...(config.architecture === 'qwen2' ? biases : config.architecture === 'qwen3' ? headNorms : []),
      ['self_attn.o_proj.weight', [width, heads * headDim]],
      ['post_attention_layernorm.weight', [width]],
      ['mlp.gate_proj.weight', [feedForward, width]],
      ['mlp.up_proj.weight', [feedForward, width]],
      ['mlp.down_proj.weight', [width, feedForward]],
    ];
    for (const [part, shape] of parts) shapes.set(layerWeight(layer, part), shape);
  }
  shapes.set(FINAL_NORM, [width]);
  if (!config.tied) shapes.set(OUTPUT, [vocabSize, width]);
  return shapes;
}

/** Random initial weights as transformers' Qwen2: normal with deviation 0.02, norms one, biases zero. */
export function randomWeights(config: ModelConfig, seed: number): Weights {
  const weights: Weights = new Map();
  for (const [name, shape] of weightShapes(config)) {
    const random = new Random(`${seed}/${name}`);
    const data = new Float32Array(shape.reduce((product, n) => product * n, 1));
    if (name.endsWith('norm.weight')) data.fill(1);
    else if (!name.endsWith('bias')) for (let i = 0; i < data.length; i++) data[i] = 0.02 * random.normal();
    weights.set(name, toVariable({ data, shape }));
  }
  return weights;
}

/** Where parameters come from, one at a time; each is the caller's. */
export interface WeightSource {
  get(name: string): tf.Tensor | undefined;
}

/** @param source the file, for the error's text @throws InputError if a parameter is missing or of another shape */
export function weightsFrom(tensors: WeightSource, config: ModelConfig, source: string): Weights {
  const weights: Weights = new Map();
  try {
    for (const [name, shape] of weightShapes(config)) {
      const tensor = tensors.get(name);
      if (!tensor) throw new InputError(`${source}: ${name} is missing; is config.json of the same model?`);
      weights.set(name, tf.variable(tensor));
      tensor.dispose();
      if (tensor.shape.join() !== shape.join()) {
        throw new InputError(`${source}: expected ${name} of [${shape.join(', ')}], got [${tensor.shape.join(', ')}]`);
      }
    }
    return weights;
  } catch (error) {
    disposeWeights(weights);
    throw error;
  }
}

/** Every parameter, read off the engine when it is written. */
export function toArrays(weights: ReadonlyMap<string, tf.Tensor>): Map<string, LazyArray> {
  return new Map(
    [...weights].map(([name, tensor]) => [
      name,
      { shape: tensor.shape, read: () => valuesOf(() => fromBfloat16(tensor)) },
    ]),
  );
}

/** A parameter from JavaScript's memory, whose array can go then. */
export function toVariable({ data, shape }: NamedArray): tf.Variable {
  return tf.tidy(() => tf.variable(uploaded(tf.tensor(data, shape))));
}

/** Frees all variables, and what was rounded of them. */
export function disposeWeights(weights: Weights): void {
  dropHalves(weights.values());
  for (const variable of weights.values()) variable.dispose();
}
