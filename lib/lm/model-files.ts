/** A whole model's files in Hugging Face's layout, `config.json` and `model.safetensors`; a GGUF file is read in their place. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type * as tf from '@tensorflow/tfjs';
import { readJson, writeJson } from '../files/files.js';
import { isGguf, withGguf } from '../files/gguf/gguf-file.js';
import type { LazyArray, NamedArray } from '../files/safetensors.js';
import { fromBfloat16, isBfloat16 } from '../ops/bfloat16.js';
import type { Precision } from '../ops/precision.js';
import { wholeTable } from '../ops/split-table.js';
import { type ModelConfig, parseConfig, toHfConfig } from './config.js';
import { ggufConfig } from './gguf/gguf-config.js';
import { loadGgufModel } from './gguf/gguf-weights.js';
import { tableOf } from './lora/adapted-weights.js';
import type { LanguageModel } from './language-model.js';
import { lacksOutput, readWeights } from './weight-files.js';
import { writeWeightFiles } from './weight-shards.js';
import { EMBEDDING, OUTPUT } from './weight-names.js';
import { weightShapes } from './weights.js';

/** Name of the file whose end tokens count beside those of `config.json`. */
export const GENERATION = 'generation_config.json';

/** The shape of a folder's model, or of a GGUF file's. @throws InputError if `config.json` is missing, or asks for what is not computed here */
export function readConfig(folder: string): ModelConfig {
  if (isGguf(folder)) return withGguf(folder, ggufConfig);
  const file = join(folder, 'config.json');
  const generation = join(folder, GENERATION);
  return parseConfig(
    readJson(file, '--model expects a folder in the Hugging Face layout, or a GGUF file'),
    file,
    existsSync(generation) ? readJson(generation) : undefined,
  );
}

/**
 * @param folder or GGUF file
 * @param precision that its matrices are kept in
 * @throws InputError if a file of the folder is missing or damaged, or asks for what is not computed here
 */
export function loadWholeModel(folder: string, precision: Precision = 'float32'): LanguageModel {
  if (isGguf(folder)) return loadGgufModel(folder, precision);
  const read = readConfig(folder);
  const config = !read.tied && lacksOutput(folder) ? { ...read, tied: true } : read;
  return { config, weights: readWeights(folder, config, precision), folders: [folder] };
}

/** How weights are written. */
export interface SaveOptions {
  /** Default float32. */
  saveDtype?: Precision;
  /** Gigabytes of a file at most. Default: one file. */
  maxShardSize?: number;
}

/** Adapters are not looked at: merge them first. */
export function saveWholeModel(folder: string, model: LanguageModel, options: SaveOptions = {}): void {
  const { saveDtype = 'float32', maxShardSize = Infinity } = options;
  writeJson(join(folder, 'config.json'), toHfConfig(model.config, saveDtype));
  const names = [...weightShapes(model.config).keys()];
  const arrays = new Map(names.map((name) => [name, lazily(model, name)]));
  writeWeightFiles(folder, arrays, saveDtype === 'bfloat16' ? 'BF16' : 'F32', maxShardSize * 1e9);
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
  const table = name === EMBEDDING || name === OUTPUT;
  const tensor = table ? wholeTable(tableOf(weights, name)) : isBfloat16(weight) ? fromBfloat16(weight) : weight;
  const array = { shape: tensor.shape, data: tensor.dataSync<'float32'>() };
  if (tensor !== weight) tensor.dispose();
  return array;
}
