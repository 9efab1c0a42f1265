/**
 * LoRA: matrices are frozen, and beside each of them a product of low rank is trained.
 *
 * Follows Hu et al., "LoRA" (arXiv 2106.09685) and Hugging Face's PEFT, whose initialisation and names it has; defaults
 * are GRec's. Departures:
 *   1. where embeddings are tied, the one table is trained for both uses, whichever of the two is named (PEFT makes two
 *      tables of it);
 *   2. a dropout mask is drawn from a seed of its matrix and step, so that it can be drawn again and not kept.
 */
import * as tf from '@tensorflow/tfjs';
import { maskTensor } from '../../ops/dropout.js';
import { Random } from '../../support/random.js';
import type { LanguageModel } from '../language-model.js';
import { EMBEDDING, layerWeight } from '../weight-names.js';
import { AdaptedWeights, factorName } from './adapted-weights.js';
import { type Lora, LORA_MODULES, LORA_TARGETS } from './lora-options.js';
import { setTrainable } from './set-trainable.js';

/** What the product B A is multiplied by. */
export function loraScale({ alpha, rank, rslora }: Pick<Lora, 'alpha' | 'rank' | 'rslora'>): number {
  return alpha / (rslora ? Math.sqrt(rank) : rank);
}

/** Names of the matrices that have an adapter. */
export function loraMatrices(layers: number, { targets }: Pick<Lora, 'targets'>): string[] {
  return Array.from({ length: layers }, (_, layer) =>
    targets.map((target) => layerWeight(layer, LORA_TARGETS[target])),
  ).flat();
}

/**
 * Puts adapters beside a model's matrices: A uniform within 1 / sqrt(in) (PEFT's), B zero, so that nothing changes yet.
 * What was trained alone before (`freeze`'s new rows) is trained as before.
 * @returns the same variables and the adapters', which alone are trained, with `modules`
 */
export function addLora(model: LanguageModel, lora: Lora, seed: number): LanguageModel {
  const { weights: base, config } = model;
  const newRows = base instanceof AdaptedWeights ? base.newRows : undefined;
  const weights = new AdaptedWeights(base, { scale: loraScale(lora) }, newRows);
  for (const name of loraMatrices(config.layers, lora)) {
    const [out, width] = weights.get(name)!.shape as [number, number];
    const random = new Random(`${seed}/lora/${name}`);
    const bound = 1 / Math.sqrt(width);
    const a = Float32Array.from({ length: lora.rank * width }, () => bound * (2 * random.next() - 1));
    weights.set(factorName(name, 'A'), newVariable(a, [lora.rank, width]));
    weights.set(factorName(name, 'B'), newVariable(new Float32Array(out * lora.rank), [out, lora.rank]));
  }
  const whole = new Set<string>(lora.modules.map((module) => (config.tied ? EMBEDDING : LORA_MODULES[module])));
  const isTrained = (name: string): boolean => /\.(lora_[AB]\.weight|new_rows)$/.test(name) || whole.has(name);
  return setTrainable({ ...model, weights, lora }, isTrained);
}

function newVariable(data: Float32Array, shape: [number, number]): tf.Variable {
  return tf.tidy(() => tf.variable(tf.tensor2d(data, shape)));
}

/** The model as one micro-batch of an update sees it: with its adapters' dropout, a new mask each time. */
export function withLoraDropout(model: LanguageModel, random: Random): LanguageModel {
  const { lora, weights } = model;
  if (!lora || lora.dropout === 0 || !(weights instanceof AdaptedWeights) || !weights.adapters) return model;
  const seed = random.next();
  const mask = (name: string, shape: [number, number]): tf.Tensor2D =>
    maskTensor(new Random(`${seed}/${name}`), shape, lora.dropout);
  return { ...model, weights: new AdaptedWeights(weights, { ...weights.adapters, mask }, weights.newRows) };
}
