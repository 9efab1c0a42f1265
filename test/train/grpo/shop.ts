/** A small data folder with models that know its words, for runs of GRPO. */
import { join } from 'node:path';
import { loadDataset } from '../../../lib/data/load.js';
import { readIndex } from '../../../lib/data/sid-index.js';
import { saveModel } from '../../../lib/lm/model.js';
import { TEMPLATES } from '../../../lib/tasks/templates.js';
import type { GrpoOptions } from '../../../lib/train/grpo/grpo-options.js';
import { initialModel } from '../../../lib/train/sft/initial-model.js';

export const SHOP = 'test/cases/shop';
/** How many it has. */
export const ITEMS = 24;

/** Saves `plain`, `trained`, whose card names a template of its own, `mine`, and `held`, which held 30 % of the items out. */
export async function saveModels(folder: string): Promise<void> {
  const { items } = await loadDataset(SHOP);
  const index = readIndex(join(SHOP, 'shop.index.json'), items.length);
  const templates = ['seqrec', 'title2sid', 'sid2title'].map((name) => TEMPLATES[name]!);
  const { model, tokenizer } = initialModel('qwen2:32x1', index, 1, { templates, items, vocabSize: 300 });
  const json = { json: tokenizer.json };
  saveModel(join(folder, 'plain'), model, json);
  const own = { of: 'rows', separator: ' ', answer: '{sid}', prompts: ['{history}'] };
  const card = { template: 'mine', templates: { mine: own, seqrec: TEMPLATES.seqrec } };
  saveModel(join(folder, 'trained'), model, json, card);
  saveModel(join(folder, 'held'), model, json, { template: 'title2sid', heldOutItems: 0.3 });
}

/** Options of a run in a moment. @param folder where the models are */
export function shopOptions(folder: string, more: Partial<GrpoOptions>): GrpoOptions {
  return {
    ...{ data: SHOP, run: join(folder, 'run'), model: join(folder, 'plain'), precision: 'float32' },
    ...{ batchSize: 2, numGenerations: 3, validRows: 3, maxTokens: 4 },
    ...more,
  };
}
