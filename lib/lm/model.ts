/**
 * A model folder: Hugging Face's layout (`config.json`, `model.safetensors`, `tokenizer.json`), or an adapter's in
 * PEFT's (`lora-files.ts`). Python's transformers and peft load what is saved here.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readText } from '../support/index.js';
import { AdaptedWeights } from './adapted-weights.js';
import type { ModelConfig } from './config.js';
import { isAdapter, loadAdapter, saveAdapter } from './lora-files.js';
import { foldLora } from './lora-merge.js';
import type { Lora } from './lora.js';
import { saveTokenizer } from './tokenizer-files.js';
import type { Weights } from './weights.js';
import { loadWholeModel, saveWholeModel } from './whole-model.js';

export interface LanguageModel {
  config: ModelConfig;
  weights: Weights;
  /** Names of the weights that learn; default all. */
  trainable?: ReadonlySet<string>;
  /** Of the adapters beside its matrices, if it has any. */
  lora?: Lora;
  /** Folders that it was loaded from: what lies beside the tokenizer there goes with it when it is saved. */
  folders?: readonly string[];
}

/** The weights that learn. */
export function trainableWeights({ weights, trainable }: LanguageModel): Weights {
  return trainable ? new Map([...weights].filter(([name]) => trainable.has(name))) : weights;
}

/** Numbers that learn, and all numbers of the model. */
export function countParameters(model: LanguageModel): { learning: number; all: number } {
  const count = (weights: Weights): number => [...weights.values()].reduce((sum, { size }) => sum + size, 0);
  return { learning: count(trainableWeights(model)), all: count(model.weights) };
}

/** A folder's model; an adapter's is its base with the adapter merged. @throws InputError if a file is missing or damaged */
export function loadModel(folder: string): LanguageModel {
  return isAdapter(folder) ? foldLora(loadAdapter(folder)) : loadWholeModel(folder);
}

/** The file that tells a model folder from another: its adapter, its weights, or the list of their files. */
export function modelFile(folder: string): string {
  const names = ['adapter_model.safetensors', 'model.safetensors', 'model.safetensors.index.json'];
  return join(folder, names.find((name) => existsSync(join(folder, name))) ?? 'model.safetensors');
}

/**
 * Weights last: a folder with `model.safetensors` (or `adapter_model.safetensors`) is whole. A model whose adapters are
 * not merged is saved as an adapter.
 * @param tokenizer file to copy, or its JSON text
 */
export function saveModel(folder: string, model: LanguageModel, tokenizer?: { file: string } | { json: string }): void {
  const { lora, weights, folders } = model;
  if (tokenizer) saveTokenizer(folder, 'json' in tokenizer ? tokenizer.json : readText(tokenizer.file), folders);
  if (lora && weights instanceof AdaptedWeights && weights.adapters) saveAdapter(folder, { ...model, lora });
  else saveWholeModel(folder, model);
}
