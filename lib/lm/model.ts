/**
 * A model folder in Hugging Face's layout: `config.json`, `model.safetensors`, `tokenizer.json`. Python's transformers
 * loads what is saved here.
 */
import { copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { InputError, readJson, readSafetensors, writeAtomic, writeJson, writeSafetensors } from '../support/index.js';
import { parseConfig, toHfConfig } from './config.js';
import type { ModelConfig } from './config.js';
import { toArrays, weightsFrom } from './weights.js';
import type { Weights } from './weights.js';

export interface LanguageModel {
  config: ModelConfig;
  weights: Weights;
}

/** @throws InputError if a file of the folder is missing or damaged */
export function loadModel(folder: string): LanguageModel {
  const configFile = join(folder, 'config.json');
  const weightsFile = join(folder, 'model.safetensors');
  const config = parseConfig(readJson(configFile, '--model expects a folder in the Hugging Face layout'), configFile);
  if (!existsSync(weightsFile)) throw new InputError(`${weightsFile}: no such file; the folder holds no weights`);
  return { config, weights: weightsFrom(readSafetensors(weightsFile), config, weightsFile) };
}

/** Weights last: a folder with `model.safetensors` is whole. @param tokenizer file to copy, or its JSON text */
export function saveModel(folder: string, model: LanguageModel, tokenizer?: { file: string } | { json: string }): void {
  writeJson(join(folder, 'config.json'), toHfConfig(model.config));
  if (tokenizer && 'json' in tokenizer) writeAtomic(join(folder, 'tokenizer.json'), tokenizer.json);
  if (tokenizer && 'file' in tokenizer) copyFileSync(tokenizer.file, join(folder, 'tokenizer.json'));
  writeSafetensors(join(folder, 'model.safetensors'), toArrays(model.weights));
}
