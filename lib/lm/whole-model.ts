/** A whole model's files in Hugging Face's layout: `config.json` and `model.safetensors`. */
import { join } from 'node:path';
import type * as tf from '@tensorflow/tfjs';
import { wholeTable } from '../ops/index.js';
import { readJson, writeJson, writeSafetensors } from '../support/index.js';
import type { LazyArray, NamedArray } from '../support/index.js';
import { tableOf } from './adapted-weights.js';
import { parseConfig, toHfConfig } from './config.js';
import type { LanguageModel } from './model.js';
import { readWeights } from './weight-files.js';
import { EMBEDDING, OUTPUT, weightShapes } from './weights.js';

/** @throws InputError if a file of the folder is missing or damaged */
export function loadWholeModel(folder: string): LanguageModel {
  const file = join(folder, 'config.json');
  const config = parseConfig(readJson(file, '--model expects a folder in the Hugging Face layout'), file);
  return { config, weights: readWeights(folder, config), folders: [folder] };
}

/** Adapters are not looked at: merge them first. */
export function saveWholeModel(folder: string, model: LanguageModel): void {
  writeJson(join(folder, 'config.json'), toHfConfig(model.config));
  const names = [...weightShapes(model.config).keys()];
  writeSafetensors(join(folder, 'model.safetensors'), new Map(names.map((name) => [name, lazily(model, name)])));
}

/** Read off the engine when it is written. */
function lazily(model: LanguageModel, name: string): LazyArray {
  const { vocabSize, width } = model.config;
  const table = name === EMBEDDING || name === OUTPUT;
  return {
    shape: table ? [vocabSize, width] : model.weights.get(name)!.shape,
    read: () => weightArray(model, name).data,
  };
}

/** A weight read off the engine; of a table the whole, new rows included. */
export function weightArray({ weights }: LanguageModel, name: string): NamedArray {
  const weight = weights.get(name)! as tf.Tensor;
  const tensor = name === EMBEDDING || name === OUTPUT ? wholeTable(tableOf(weights, name)) : weight;
  const array = { shape: tensor.shape, data: tensor.dataSync<'float32'>() };
  if (tensor !== weight) tensor.dispose();
  return array;
}
