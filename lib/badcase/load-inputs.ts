/** What detectors need beside rows and texts, read from files, and only where some detector needs it. */
import { existsSync } from 'node:fs';
import type { Dataset } from '../data/dataset.js';
import { indexOf } from '../data/load.js';
import { codeTokens, readIndex, type SidIndex } from '../data/sid-index.js';
import type { Recommender } from '../evaluate/recommender.js';
import { readItemVectors } from '../files/finite.js';
import { InputError } from '../support/errors.js';
import type { AnyDetector, DetectorInputs, Need } from './detector.js';

/** Where the inputs are; the index's default is the data set's own, where there is one. */
export interface InputFiles {
  /** Index file. */
  index?: string | undefined;
  /** .npy file of item vectors. */
  embeddings?: string | undefined;
  /** Model folder. */
  model?: string | undefined;
}

/**
 * The model's weights stay in memory until `disposeWeights`.
 * @throws InputError for a file that was named and is not there, or is damaged
 */
export async function loadInputs(
  detectors: readonly AnyDetector[],
  dataset: Dataset,
  { index, embeddings, model }: InputFiles,
): Promise<Partial<Pick<DetectorInputs, 'index' | 'vectors'> & { model: Recommender }>> {
  for (const path of [index, embeddings, model]) {
    if (path !== undefined && !existsSync(path)) throw new InputError(`${path}: no such file; check the path`);
  }
  const needed = (need: Need): boolean => detectors.some(({ needs }) => needs.includes(need));
  const file = index ?? indexOf(dataset);
  const asked = needed('model') && model !== undefined;
  const wanted = needed('index') && existsSync(file);
  const sids = wanted || asked ? readIndex(file, dataset.items.length) : undefined;
  return {
    ...(wanted && sids && { index: sids.map(codeTokens) }),
    ...(needed('vectors') &&
      embeddings !== undefined && {
        vectors: readItemVectors(embeddings, dataset.items.length, 'run sidlab embed first'),
      }),
    ...(asked && { model: await loadModel(model, sids!, dataset) }),
  };
}

async function loadModel(model: string, index: SidIndex, dataset: Dataset): Promise<Recommender> {
  const { ensureEngine } = await import('../engine/engine.js');
  const { loadAsTrained } = await import('../evaluate/load-as-trained.js'); // no tensors where no detector needs a model
  await ensureEngine();
  return loadAsTrained(model, index, dataset);
}
