/** A language model in memory: its shape, its weights and which of them are trained. */
import type { ModelConfig } from './config.js';
import type { Lora } from './lora/lora-options.js';
import type { Weights } from './weights.js';

/** A decoder's shape and weights. */
export interface LanguageModel {
  /** Its shape. */
  config: ModelConfig;
  /** By Hugging Face's names. */
  weights: Weights;
  /** Names of the weights that are trained; default all. */
  trainable?: ReadonlySet<string>;
  /** Of the adapters beside its matrices, if it has any. */
  lora?: Lora;
  /** Folders that it was loaded from: what lies beside the tokenizer there goes with it when it is saved. */
  folders?: readonly string[];
}

/** The weights that are trained. */
export function trainableWeights({ weights, trainable }: LanguageModel): Weights {
  return trainable ? new Map([...weights].filter(([name]) => trainable.has(name))) : weights;
}
