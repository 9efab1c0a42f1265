/** Real examples of mixed tasks: Industrial's training rows in MiniOneRec's mix, in a subword vocabulary of its texts. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  disposeWeights,
  homeFolder,
  InputError,
  loadDataset,
  modelRenderer,
  PipelineStages,
  planTasks,
  Random,
  readIndex,
  shopOf,
  startModel,
  TaskSet,
} from 'sidlab';
import type { Example } from 'sidlab';

const TASKS = 'words,title2sid,sid2title,sids2title,sids2description,titles2title,titles2sid';

/** The first so many of an epoch's order. */
export async function mixedExamples(count: number): Promise<Example[]> {
  const raw = join(homeFolder(), '../shared/data/industrial/raw');
  if (!existsSync(raw)) throw new InputError(`${raw}: no such folder; the benchmark needs the real data`);
  const out = join(homeFolder(), 'data/bench-industrial');
  const filter = { reviews: join(raw, 'reviews.jsonl.gz'), meta: join(raw, 'meta.jsonl.gz'), userK: 2, itemK: 1 };
  const stages = new PipelineStages({ out, dataset: 'Industrial_and_Scientific', filter });
  await stages.filter();
  await stages.embed();
  await stages.sid();
  const dataset = await loadDataset(out);
  const { items } = dataset;
  const index = readIndex(stages.index, items.length);
  const { parts } = planTasks({ tasks: TASKS });
  const templates = parts.map(({ template }) => template);
  const { model, tokenizer } = startModel('qwen2:32x1', index, 42, { templates, items });
  disposeWeights(model.weights); // the vocabulary is what was asked for
  const renderers = templates.map((template) => modelRenderer(model, tokenizer, index, template, { items }));
  const tasks = new TaskSet(dataset, parts, shopOf(index, items), { seed: 42 });
  const drafts = new Random('sft-real').shuffle(tasks.drafts(0)).slice(0, count);
  return drafts.map((draft) => tasks.example(draft, renderers));
}
