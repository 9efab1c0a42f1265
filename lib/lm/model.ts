/**
 * A model folder: Hugging Face's layout (`config.json`, `model.safetensors`, `tokenizer.json`), or an adapter's in
 * PEFT's (`peft-files.ts`). Python's transformers and peft load what is saved here.
 */
import { existsSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { readText } from '../files/files.js';
import { isGguf } from '../files/gguf/gguf-file.js';
import type { LanguageModel } from './language-model.js';
import { AdaptedWeights } from './lora/adapted-weights.js';
import { foldLora } from './lora/merge.js';
import { isAdapter, loadAdapter, saveAdapter } from './lora/peft-files.js';
import type { ModelConfig } from './config.js';
import { readAdapterConfig } from './lora/peft-config.js';
import { GENERATION, loadWholeModel, readConfig, type SaveOptions, saveWholeModel } from './model-files.js';
import { copyPromptCard, type PromptCard, writePromptCard } from './prompt-card.js';
import { isBfloat16, toBfloat16 } from '../ops/bfloat16.js';
import type { Precision } from '../ops/precision.js';
import { InputError } from '../support/errors.js';
import type { Weights } from './weights.js';
import { saveTokenizer } from './tokenizer/tokenizer-files.js';

/** How a model is loaded. */
export interface LoadOptions {
  /** In which its large products are computed. Default float32. */
  precision?: Precision;
  /** It will not be trained: in bfloat16 its matrices are kept in that alone, half the memory. Default false. */
  frozen?: boolean;
}

/** A folder's model; an adapter's is its base with the adapter merged. @throws InputError if a file is missing or damaged */
export function loadModel(folder: string, { precision = 'float32', frozen = false }: LoadOptions = {}): LanguageModel {
  const kept = frozen ? precision : 'float32';
  const model = isAdapter(folder) ? foldLora(loadAdapter(folder)) : loadWholeModel(folder, kept);
  if (precision === 'float32') return model;
  if (kept === 'bfloat16') halveMatrices(model.weights); // those of an adapter's base were needed as they were
  return { ...model, config: { ...model.config, precision } };
}

/** The shape of a folder's model, an adapter's base's; its weights are not read. */
export function modelConfig(folder: string): ModelConfig {
  return readConfig(isAdapter(folder) ? readAdapterConfig(folder).lora.base : folder);
}

/** In place, one at a time. */
function halveMatrices(weights: Weights): void {
  for (const [name, weight] of weights) {
    if (weight.rank !== 2 || isBfloat16(weight)) continue;
    const half = toBfloat16(weight as tf.Tensor2D);
    weight.dispose();
    weights.set(name, tf.variable(half));
    half.dispose();
  }
}

/** Whether a folder has a `config.json` but no weights: a shape to train from random weights. */
export function isBare(folder: string): boolean {
  return existsSync(join(folder, 'config.json')) && !existsSync(modelFile(folder)) && !isAdapter(folder);
}

/** The file that tells a model folder from another: its adapter, its weights, or the list of their files; a GGUF file itself. */
export function modelFile(folder: string): string {
  if (isGguf(folder)) return folder;
  const names = ['adapter_model.safetensors', 'model.safetensors', 'model.safetensors.index.json'];
  return join(folder, names.find((name) => existsSync(join(folder, name))) ?? 'model.safetensors');
}

/**
 * Weights last: a folder with `model.safetensors` (or `adapter_model.safetensors`) is whole. A model whose adapters are
 * not merged is saved as an adapter. What another model left in the folder goes, so that it is not read with this one.
 * @param tokenizer file to copy, or its JSON text
 * @param saving of the weights, an adapter's apart, which are few
 * @param prompt what the model was trained with; default that of the folder that it was loaded from, if it has one
 * @throws InputError for a whole model where an adapter lies, which would be read in its place; nothing is written then
 */
export function saveModel(
  folder: string,
  model: LanguageModel,
  tokenizer?: { file: string } | { json: string },
  prompt?: PromptCard,
  saving: SaveOptions = {},
): void {
  const { lora, weights, folders } = model;
  const adapter = lora !== undefined && weights instanceof AdaptedWeights && weights.adapters !== undefined;
  if (!adapter && isAdapter(folder)) {
    throw new InputError(`${folder}: holds an adapter, which would be read in place of the model; take another folder`);
  }
  if (tokenizer) saveTokenizer(folder, 'json' in tokenizer ? tokenizer.json : readText(tokenizer.file), folders);
  if (prompt) writePromptCard(folder, prompt);
  else copyPromptCard(folders?.[0], folder);
  if (adapter) return saveAdapter(folder, { ...model, lora });
  const own = folders?.some((from) => resolve(from) === resolve(folder)) ?? false;
  if (!own) rmSync(join(folder, GENERATION), { force: true }); // its end tokens would count
  saveWholeModel(folder, model, saving);
}
