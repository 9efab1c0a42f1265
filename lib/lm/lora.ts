/**
 * LoRA: matrices stand, and beside each of them a product of low rank learns.
 *
 * Follows Hu et al., "LoRA" (arXiv 2106.09685) and Hugging Face's PEFT, whose initialisation and names it has; defaults
 * are GRec's. Departures:
 *   1. where embeddings are tied, the one table learns for both uses, whichever of the two is named (PEFT makes two
 *      tables of it);
 *   2. a dropout mask is drawn from a seed of its matrix and step, so that it can be drawn again and not kept.
 */
import * as tf from '@tensorflow/tfjs';
import { dropoutMask } from '../ops/index.js';
import { InputError, Random } from '../support/index.js';
import { AdaptedWeights, factorName } from './adapted-weights.js';
import { learnOnly } from './learn-only.js';
import type { LanguageModel } from './model.js';
import { EMBEDDING, layerWeight, OUTPUT } from './weights.js';

/** The matrices of a layer, by the names that PEFT and GRec use. */
export const LORA_TARGETS = {
  q_proj: 'self_attn.q_proj.weight',
  k_proj: 'self_attn.k_proj.weight',
  v_proj: 'self_attn.v_proj.weight',
  o_proj: 'self_attn.o_proj.weight',
  gate_proj: 'mlp.gate_proj.weight',
  up_proj: 'mlp.up_proj.weight',
  down_proj: 'mlp.down_proj.weight',
} as const;
export type LoraTarget = keyof typeof LORA_TARGETS;

export const LORA_MODULES = { embed_tokens: EMBEDDING, lm_head: OUTPUT } as const;
export type LoraModule = keyof typeof LORA_MODULES;

export interface LoraOptions {
  /** r. Default 32. */
  rank?: number;
  /** The product is scaled by alpha / rank. Default 32. */
  alpha?: number;
  /** Of what an adapter sees while training, in [0, 1). Default 0.05. */
  dropout?: number;
  /** Matrices that get an adapter. Default all seven. */
  targets?: readonly LoraTarget[];
  /** Trained whole. Default both, but where `freeze` says that they stand or that their new rows learn alone. */
  modules?: readonly LoraModule[];
  /** Scale by alpha / sqrt(rank) (Kalajdzievski, arXiv 2312.03732). Default false. */
  rslora?: boolean;
}

/** The options with nothing left open, and what an adapter's file says of its base. */
export interface Lora extends Required<LoraOptions> {
  /** Folder of the model that the adapters are for. */
  base: string;
  /** Tokens were added to the base: its tables are not the ones that the adapter was trained with. */
  newTokens: boolean;
}

/** @throws InputError if one is out of range, or unknown */
export function parseLora(options: LoraOptions, base: string, newTokens: boolean): Lora {
  const { rank = 32, alpha = 32, dropout = 0.05, rslora = false } = options;
  const { targets = keys(LORA_TARGETS), modules = keys(LORA_MODULES) } = options;
  const check = (fits: boolean, flag: string, what: string, got: unknown): void => {
    if (!fits) throw new InputError(`--lora-${flag}: expected ${what}, got ${String(got)}`);
  };
  check(Number.isInteger(rank) && rank > 0, 'rank', 'a positive integer', rank);
  check(alpha > 0 && Number.isFinite(alpha), 'alpha', 'a positive number', alpha);
  check(dropout >= 0 && dropout < 1, 'dropout', 'a share in [0, 1)', dropout);
  check(targets.length > 0, 'targets', `at least one of ${keys(LORA_TARGETS).join(', ')}`, 'none');
  for (const name of targets) check(Object.hasOwn(LORA_TARGETS, name), 'targets', oneOf(LORA_TARGETS), name);
  for (const name of modules) check(Object.hasOwn(LORA_MODULES, name), 'modules', oneOf(LORA_MODULES), name);
  return { rank, alpha, dropout, targets, modules, rslora, base, newTokens };
}

function keys<T extends object>(object: T): (keyof T)[] {
  return Object.keys(object) as (keyof T)[];
}

function oneOf(names: object): string {
  return `some of ${Object.keys(names).join(', ')}`;
}

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
 * What learnt alone before (`freeze`'s new rows) goes on learning.
 * @returns the same variables and the adapters', which alone learn, with `modules`
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
  const learns = (name: string): boolean => /\.(lora_[AB]\.weight|new_rows)$/.test(name) || whole.has(name);
  return learnOnly({ ...model, weights, lora }, learns);
}

function newVariable(data: Float32Array, shape: [number, number]): tf.Variable {
  return tf.tidy(() => tf.variable(tf.tensor2d(data, shape)));
}

/** The model as one part of an update sees it: with its adapters' dropout, a new mask each time. */
export function withLoraDropout(model: LanguageModel, random: Random): LanguageModel {
  const { lora, weights } = model;
  if (!lora || lora.dropout === 0 || !(weights instanceof AdaptedWeights) || !weights.adapters) return model;
  const seed = random.next();
  const mask = (name: string, shape: [number, number]): tf.Tensor2D => {
    const entries = dropoutMask(new Random(`${seed}/${name}`), shape[0] * shape[1], lora.dropout);
    return tf.tensor2d(entries, shape);
  };
  return { ...model, weights: new AdaptedWeights(weights, { ...weights.adapters, mask }, weights.newRows) };
}
