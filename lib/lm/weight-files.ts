/**
 * The weights of a model folder: `model.safetensors`, or several files and `model.safetensors.index.json`. A tensor is
 * in memory once.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readJson } from '../files/files.js';
import { SafetensorsFile } from '../files/safetensors.js';
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
 */
export function readWeights(folder: string, config: ModelConfig): Weights {
  const one = join(folder, ONE);
  if (existsSync(one)) return readFiles([one], config, one);
  const index = join(folder, SHARDS);
  if (!existsSync(index)) throw new InputError(`${one}: no such file; the folder holds no weights`);
  const { weight_map: map } = readJson<{ weight_map?: Record<string, string> }>(index);
  if (typeof map !== 'object' || map === null) throw new InputError(`${index}: no weight_map; fetch the folder again`);
  const names = [...new Set(Object.values(map))];
  const outside = names.find((name) => typeof name !== 'string' || /[\\/]/.test(name));
  if (outside !== undefined) throw new InputError(`${index}: ${String(outside)} is no file of the folder`);
  return readFiles(
    names.map((name) => join(folder, name)),
    config,
    index,
  );
}

function readFiles(paths: string[], config: ModelConfig, source: string): Weights {
  const files: SafetensorsFile[] = [];
  try {
    for (const path of paths) files.push(new SafetensorsFile(path));
    const fileOf = new Map(files.flatMap((file) => file.names.map((name) => [name, file] as const)));
    refuseUnread(fileOf, new Set(weightShapes(config).keys()), config.tied, source);
    return weightsFrom(
      { get: (name) => (fileOf.has(name) ? readTensor(fileOf.get(name)!, name) : undefined) },
      config,
      source,
    );
  } finally {
    files.forEach((file) => file.close());
  }
}
