/**
 * A trained sequence recommender's folder: `config.json` (its kind and size), `model.safetensors`, and the vectors of the
 * items by themselves, `item-vectors.npy`, row = item id, as the stages read them that take vectors.
 */
import { join } from 'node:path';
import { readJson, writeJson } from '../../files/files.js';
import { writeNpy } from '../../files/npy.js';
import { SafetensorsFile, writeSafetensors } from '../../files/safetensors.js';
import { toArrays, toVariable, type Weights } from '../../lm/weights.js';
import { InputError } from '../../support/errors.js';
import { Random } from '../../support/random.js';
import { sizeOf } from './initial-weights.js';
import { ITEM_TABLE, type ModelSize, type SequenceModel } from './sequence-model.js';

/** What a model is built from. */
export interface SequenceConfig {
  /** Of the baseline. */
  baseline: string;
  size: ModelSize;
  /** Options of the architecture, with their defaults. */
  settings: Record<string, unknown>;
}

/** A model's first weights. */
export function initialWeights(model: Pick<SequenceModel, 'shapes' | 'initial'>, seed: number): Weights {
  return new Map(
    [...model.shapes].map(([name, shape]) => {
      const data = model.initial(name, new Random(`${seed}/${name}`));
      return [name, toVariable({ data, shape: [...shape] })];
    }),
  );
}

/** Weights last: a folder with `model.safetensors` is whole. */
export function saveSequence(folder: string, config: SequenceConfig, weights: Weights): void {
  writeJson(join(folder, 'config.json'), config);
  const table = weights.get(ITEM_TABLE)!;
  writeNpy(join(folder, 'item-vectors.npy'), {
    rows: table.shape[0]!,
    width: table.shape[1]!,
    data: table.dataSync<'float32'>(),
  });
  writeSafetensors(join(folder, 'model.safetensors'), toArrays(weights));
}

/** @throws InputError if the folder is not of a trained baseline */
export function readSequenceConfig(folder: string): SequenceConfig {
  const file = join(folder, 'config.json');
  const config = readJson<Partial<SequenceConfig>>(file, 'expected the model folder of a trained baseline');
  if (typeof config.baseline !== 'string' || typeof config.size?.items !== 'number') {
    throw new InputError(`${file}: expected the model of a trained baseline; give the folder model/ of its run`);
  }
  return config as SequenceConfig;
}

/** @throws InputError if a weight is missing or of another shape */
export function readSequenceWeights(folder: string, { shapes }: Pick<SequenceModel, 'shapes'>): Weights {
  const path = join(folder, 'model.safetensors');
  const file = new SafetensorsFile(path);
  try {
    return new Map(
      [...shapes].map(([name, shape]) => {
        const { data, shape: got } = file.names.includes(name) ? file.read(name) : { data: undefined, shape: [] };
        if (!data || data.length !== sizeOf(shape) || got.join() !== shape.join()) {
          throw new InputError(
            `${path}: expected ${name} of [${shape.join(', ')}], got [${got.join(', ')}]; train again`,
          );
        }
        return [name, toVariable({ data, shape: [...shape] })];
      }),
    );
  } finally {
    file.close();
  }
}
