/**
 * An adapter's folder in PEFT's format: `adapter_config.json`, `adapter_model.safetensors`; the tokenizer lies beside
 * them. Python's `PeftModel.from_pretrained` loads what is saved here, once the base's table is as long as the
 * tokenizer (`resize_token_embeddings`); what it saves is loaded here.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { writeJson } from '../../files/files.js';
import { type LazyArray, type NamedArray, SafetensorsFile, writeSafetensors } from '../../files/safetensors.js';
import { InputError } from '../../support/errors.js';
import { loadWholeModel, weightArray } from '../model-files.js';
import type { LanguageModel } from '../language-model.js';
import { EMBEDDING, OUTPUT } from '../weight-names.js';
import { disposeWeights, toArrays, toVariable } from '../weights.js';
import { AdaptedWeights, factorName, newRowsName } from './adapted-weights.js';
import { type Lora, LORA_MODULES, type LoraModule } from './lora-options.js';
import { loraMatrices, loraScale } from './lora.js';
import { type AdapterConfig, readAdapterConfig, toPeftConfig } from './peft-config.js';
import { isTableKey, readTables, tensorKey, tokenRowsKey } from './peft-tables.js';

const CONFIG = 'adapter_config.json';
const TENSORS = 'adapter_model.safetensors';

/** Whether a folder holds an adapter rather than a full model. */
export function isAdapter(folder: string): boolean {
  return existsSync(join(folder, CONFIG));
}

/** @param model whose adapters are not merged */
export function saveAdapter(folder: string, model: LanguageModel & { lora: Lora }): void {
  const { config, lora } = model;
  const names = loraMatrices(config.layers, lora).flatMap((name) => [factorName(name, 'A'), factorName(name, 'B')]);
  const factors = toArrays(new Map(names.map((name) => [name, model.weights.get(name)!])));
  const arrays = new Map<string, LazyArray | NamedArray>([...factors].map(([name, array]) => [tensorKey(name), array]));
  const newRows = model.weights instanceof AdaptedWeights ? model.weights.newRows : undefined;
  const tables = newRows ? trainedRows(model) : lora.modules.length > 0 || lora.newTokens ? wholeTables(model) : [];
  for (const [key, array] of tables) arrays.set(key, array);
  // of a tied table both names are saved, so both are said to be trained
  const modules = config.tied && lora.modules.length > 0 ? (Object.keys(LORA_MODULES) as LoraModule[]) : lora.modules;
  const rows = newRows ? Array.from({ length: newRows.count }, (_, i) => newRows.first + i) : undefined;
  const trained = rows ? { embed_tokens: rows, ...(!config.tied && { lm_head: rows }) } : {};
  writeJson(join(folder, CONFIG), toPeftConfig({ ...lora, modules }, trained));
  writeSafetensors(join(folder, TENSORS), arrays);
}

function trainedRows({ config, weights }: LanguageModel): [string, NamedArray][] {
  const modules: LoraModule[] = config.tied ? ['embed_tokens'] : ['embed_tokens', 'lm_head'];
  return modules.map((module) => {
    const rows = weights.get(newRowsName(LORA_MODULES[module]))!;
    return [tokenRowsKey(module), { shape: rows.shape, data: rows.dataSync<'float32'>() }];
  });
}

/** Both names; of a tied model the same array. */
function wholeTables(model: LanguageModel): [string, NamedArray][] {
  const embedding = weightArray(model, EMBEDDING);
  return [
    [tensorKey(EMBEDDING), embedding],
    [tensorKey(OUTPUT), model.config.tied ? embedding : weightArray(model, OUTPUT)],
  ];
}

/**
 * The base with the adapter beside its matrices (see `foldLora` for a plain model).
 * @param base folder of the model that the adapter is for; default the one that it names
 * @throws InputError if a file is missing or damaged, or a tensor is missing, unexpected or of another shape
 */
export function loadAdapter(folder: string, base?: string): LanguageModel {
  const config = readAdapterConfig(folder, base);
  const file = new SafetensorsFile(join(folder, TENSORS));
  try {
    const model = loadWholeModel(config.lora.base);
    try {
      return { ...adapted(model, file, config), folders: [folder, config.lora.base] };
    } catch (error) {
      disposeWeights(model.weights);
      throw error;
    }
  } finally {
    file.close();
  }
}

function adapted(base: LanguageModel, file: SafetensorsFile, config: AdapterConfig): LanguageModel {
  const factors = readFactors(file, base, config.lora);
  const tables = readTables(file, base, config);
  const weights = new AdaptedWeights(base.weights, { scale: loraScale(config.lora) });
  for (const [name, array] of [...factors, ...tables]) {
    weights.get(name)?.dispose();
    weights.set(name, toVariable(array));
  }
  const vocabSize = tables.get(EMBEDDING)?.shape[0] ?? base.config.vocabSize;
  const tied = base.config.tied && !tables.has(OUTPUT);
  return { config: { ...base.config, vocabSize, tied }, weights, lora: config.lora };
}

/** Both factors of every matrix; nothing else but tables may be in the file. */
function readFactors(file: SafetensorsFile, { config, weights }: LanguageModel, lora: Lora): Map<string, NamedArray> {
  const shapes = new Map<string, number[]>();
  for (const name of loraMatrices(config.layers, lora)) {
    const [out, width] = weights.get(name)!.shape as [number, number];
    shapes.set(factorName(name, 'A'), [lora.rank, width]);
    shapes.set(factorName(name, 'B'), [out, lora.rank]);
  }
  const known = new Set([...shapes.keys()].map(tensorKey));
  const odd = file.names.find((key) => !known.has(key) && !isTableKey(key));
  if (odd !== undefined) throw new InputError(`${file.path}: unexpected ${odd}; is ${CONFIG} of the same adapter?`);
  return new Map([...shapes].map(([name, shape]) => [name, readFactor(file, name, shape)]));
}

function readFactor(file: SafetensorsFile, name: string, shape: number[]): NamedArray {
  const key = tensorKey(name);
  if (!file.names.includes(key))
    throw new InputError(`${file.path}: ${key} is missing; is ${CONFIG} of the same adapter?`);
  const array = file.read(key);
  if (array.shape.join() === shape.join()) return array;
  throw new InputError(`${file.path}: expected ${key} of [${shape.join(', ')}], got [${array.shape.join(', ')}]`);
}
