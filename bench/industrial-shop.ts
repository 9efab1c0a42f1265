/**
 * Industrial and Scientific of `../shared/data` as a data folder: rows, vectors and SIDs with the kit's defaults; and a small
 * model of random weights for it.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  homeFolder,
  InputError,
  loadDataset,
  PipelineStages,
  readIndex,
  saveModel,
  templateWords,
  wordTokenizer,
} from 'sidlab';
import { disposeWeights, parseShape, randomWeights } from 'sidlab/lm';

/** MiniOneRec's rows of this catalogue: users of two and more, every item. */
export function industrialRaw(): { reviews: string; meta: string; userK: number; itemK: number } {
  const raw = join(homeFolder(), '../shared/data/industrial/raw');
  if (!existsSync(raw)) throw new InputError(`${raw}: no such folder; the benchmark needs the real data`);
  return { reviews: join(raw, 'reviews.jsonl.gz'), meta: join(raw, 'meta.jsonl.gz'), userK: 2, itemK: 1 };
}

/** @param name of the folder in `data/` @param encoder folder of a sentence encoder; default LSA */
export async function industrialShop(name: string, encoder?: string): Promise<{ data: string; index: string }> {
  const data = join(homeFolder(), 'data', name);
  const stages = new PipelineStages({
    ...{ out: data, dataset: 'Industrial_and_Scientific', filter: industrialRaw() },
    embed: encoder === undefined ? {} : { encoder },
  });
  await stages.filter();
  await stages.embed();
  await stages.sid();
  return { data, index: stages.index };
}

/** Writes a model of width 128 with 4 layers that reads and writes the SIDs of an index. */
export async function randomIndustrialModel(folder: string, data: string, file: string): Promise<void> {
  const { items } = await loadDataset(data);
  const tokenizer = wordTokenizer(templateWords(), readIndex(file, items.length));
  const config = parseShape('qwen2:128x4', tokenizer.vocabSize, 0);
  const model = { config, weights: randomWeights(config, 42) };
  saveModel(folder, model, { json: tokenizer.json });
  disposeWeights(model.weights);
}
