/**
 * A model folder in Hugging Face's layout: `config.json`, `model.safetensors`, `tokenizer.json`. Python's transformers
 * loads what is saved here.
 */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { readJson, writeAtomic, writeJson, writeSafetensors } from '../support/index.js';
import { parseConfig, toHfConfig } from './config.js';
import type { ModelConfig } from './config.js';
import { readWeights } from './weight-files.js';
import { toArrays } from './weights.js';
import type { Weights } from './weights.js';

export interface LanguageModel {
  config: ModelConfig;
  weights: Weights;
  /** Names of the weights that learn; default all. */
  trainable?: ReadonlySet<string>;
}

/** The weights that learn. */
export function trainableWeights({ weights, trainable }: LanguageModel): Weights {
  return trainable ? new Map([...weights].filter(([name]) => trainable.has(name))) : weights;
}

/** @throws InputError if a file of the folder is missing or damaged */
export function loadModel(folder: string): LanguageModel {
  const file = join(folder, 'config.json');
  const config = parseConfig(readJson(file, '--model expects a folder in the Hugging Face layout'), file);
  return { config, weights: readWeights(folder, config) };
}

/** Weights last: a folder with `model.safetensors` is whole. @param tokenizer file to copy, or its JSON text */
export function saveModel(folder: string, model: LanguageModel, tokenizer?: { file: string } | { json: string }): void {
  writeJson(join(folder, 'config.json'), toHfConfig(model.config));
  if (tokenizer && 'json' in tokenizer) writeAtomic(join(folder, 'tokenizer.json'), tokenizer.json);
  if (tokenizer && 'file' in tokenizer) copyFileSync(tokenizer.file, join(folder, 'tokenizer.json'));
  writeSafetensors(join(folder, 'model.safetensors'), toArrays(model.weights));
}
