/** Two data sets and their joined folder, with SIDs of all items and a model of all rows. */
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { filterStage } from '../../../lib/data/filter/filter-stage.js';
import { joinDatasets } from '../../../lib/data/join/join-datasets.js';
import { loadDataset } from '../../../lib/data/load.js';
import { writeSample } from '../../../lib/data/sample/sample.js';
import { readIndex, writeIndex } from '../../../lib/data/sid-index.js';
import { embedItems } from '../../../lib/embed/embed-items.js';
import { useEngine } from '../../../lib/engine/engine.js';
import { sidStage } from '../../../lib/sid/sid-stage.js';
import { sft } from '../../../lib/train/sft/sft.js';

export const bytes = (file: string): string => readFileSync(file, 'utf8');
export const names = ['one', 'two'];

/** @returns the folder that all of it is in, paths in there, and the model's */
export async function joinedShop(): Promise<{ root: string; at: (...names: string[]) => string; model: string }> {
  const root = mkdtempSync(join(tmpdir(), 'sidlab-apart-'));
  const at = (...path: string[]): string => join(root, ...path);
  await useEngine();
  for (const [i, dataset] of names.entries()) {
    const { reviews, meta } = writeSample({ out: at(dataset, 'raw'), size: 'tiny', seed: i + 1 });
    await filterStage({ reviews, meta, out: at(dataset), dataset });
  }
  await joinDatasets({ data: names.map((name) => at(name)), out: at('both'), dataset: 'both' });
  await embedItems({ data: at('both') });
  await sidStage({
    embeddings: at('both', 'both.emb-lsa.npy'),
    codebookSize: 4,
    collisions: 'keep',
    method: 'rqkmeans',
  });
  const index = readIndex(at('both', 'both.index.json'));
  const { parts } = await loadDataset(at('both'));
  writeIndex(at('one', 'of-both.json'), index.slice(0, parts![0]!.items));
  writeIndex(at('two', 'of-both.json'), index.slice(parts![0]!.items));
  const run = { data: at('both'), run: at('sft'), validRows: 10 };
  const { model } = await sft({ ...run, model: 'qwen2:32x1', epochs: 1, batchSize: 16, precision: 'float32' });
  return { root, at, model };
}
