/** A language model in memory: its shape, its weights and which of them are trained. */
import type { ModelConfig } from './config.js';
import type { Lora } from './lora/lora-options.js';
import type { Weights } from './weights.js';

/** Weights that can be trained, whatever model they are of. */
export interface TrainableModel {
  /** By name. */
  weights: Weights;
  /** Names of the weights that are trained; default all. */
  trainable?: ReadonlySet<string>;
}

/** A decoder's shape and weights, these by Hugging Face's names. */
export interface LanguageModel extends TrainableModel {
  /** Its shape. */
  config: ModelConfig;
  /** Of the adapters beside its matrices, if it has any. */
  lora?: Lora;
  /** Folders that it was loaded from: what lies beside the tokenizer there goes with it when it is saved. */
  folders?: readonly string[];
}

/** The weights that are trained. */
export function trainableWeights({ weights, trainable }: TrainableModel): Weights {
  return trainable ? new Map([...weights].filter(([name]) => trainable.has(name))) : weights;
}
