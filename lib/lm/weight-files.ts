/**
 * The weights of a model folder: `model.safetensors`, or several files and `model.safetensors.index.json`. A tensor is
 * in memory once.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type * as tf from '@tensorflow/tfjs';
import { readJson } from '../files/files.js';
import { SafetensorsFile } from '../files/safetensors.js';
import type { Precision } from '../ops/precision.js';
import { readTensor } from '../ops/read-tensor.js';
import { InputError } from '../support/errors.js';
import type { ModelConfig } from './config.js';
import { refuseUnread } from './unread-tensors.js';
import { type Weights, weightShapes, weightsFrom } from './weights.js';

const ONE = 'model.safetensors';
const SHARDS = 'model.safetensors.index.json';

/**
 * @throws InputError if files are missing or damaged, lack a parameter, are quantized, or hold a tensor of the decoder
 *   that nobody reads
 * @param precision of the matrices; everything else is float32
 */
export function readWeights(folder: string, config: ModelConfig, precision: Precision = 'float32'): Weights {
  const one = join(folder, ONE);
  return readFiles(weightPaths(folder), config, existsSync(one) ? one : join(folder, SHARDS), precision);
}

/** Files of a folder's weights. @throws InputError for a folder without them, or a list that names others */
function weightPaths(folder: string): string[] {
  const one = join(folder, ONE);
  if (existsSync(one)) return [one];
  const index = join(folder, SHARDS);
  if (!existsSync(index)) throw new InputError(`${one}: no such file; the folder holds no weights`);
  const { weight_map: map } = readJson<{ weight_map?: Record<string, string> }>(index);
  if (typeof map !== 'object' || map === null) throw new InputError(`${index}: no weight_map; fetch the folder again`);
  const names = [...new Set(Object.values(map))];
  const outside = names.find((name) => typeof name !== 'string' || /[\\/]/.test(name));
  if (outside !== undefined) throw new InputError(`${index}: ${String(outside)} is no file of the folder`);
  return names.map((name) => join(folder, name));
}

/** Whether a decoder was saved without its output layer, as an encoder is: its table then serves for both. */
export function lacksOutput(folder: string): boolean {
  const names = weightPaths(folder).flatMap((path) => {
    const file = new SafetensorsFile(path);
    file.close();
    return file.names;
  });
  return names.includes('norm.weight') && !names.includes('lm_head.weight');
}

function readFiles(paths: string[], config: ModelConfig, source: string, precision: Precision): Weights {
  const files: SafetensorsFile[] = [];
  try {
    for (const path of paths) files.push(new SafetensorsFile(path));
    // A decoder that was saved without its output layer (Qwen3-Embedding) has names without the prefix.
    if (files.some(({ names }) => names.includes('norm.weight'))) files.forEach((file) => file.prefixNames('model.'));
    const fileOf = new Map(files.flatMap((file) => file.names.map((name) => [name, file] as const)));
    refuseUnread(fileOf, new Set(weightShapes(config).keys()), config.tied, source);
    const shapes = weightShapes(config);
    const read = (name: string): tf.Tensor | undefined =>
      fileOf.has(name)
        ? readTensor(fileOf.get(name)!, name, shapes.get(name)!.length === 2 ? precision : 'float32')
        : undefined;
    return weightsFrom({ get: read }, config, source);
  } finally {
    files.forEach((file) => file.close());
  }
}
