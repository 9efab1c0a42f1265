/** Real examples of mixed tasks: Industrial's training rows in MiniOneRec's mix, in a subword vocabulary of its texts. */
import { loadDataset, Random, readIndex, promptContext } from 'sidlab';
import { modelRenderer } from 'sidlab/evaluate';
import { disposeWeights } from 'sidlab/lm';
import { planTasks, TaskSet } from 'sidlab/tasks';
import { initialModel } from 'sidlab/train';
import type { Example } from 'sidlab/tasks';
import { industrialShop } from './industrial-shop.js';

const TASKS = 'words,title2sid,sid2title,sids2title,sids2description,titles2title,titles2sid';

/** The first so many of an epoch's order. */
export async function mixedExamples(count: number): Promise<Example[]> {
  const { data, index: file } = await industrialShop('bench-industrial');
  const dataset = await loadDataset(data);
  const { items } = dataset;
  const index = readIndex(file, items.length);
  const { parts } = planTasks({ tasks: TASKS });
  const templates = parts.map(({ template }) => template);
  const { model, tokenizer } = initialModel('qwen2:32x1', index, 42, { templates, items });
  disposeWeights(model.weights); // the vocabulary is what was asked for
  const renderers = templates.map((template) => modelRenderer(model, tokenizer, index, template, { items }));
  const tasks = new TaskSet(dataset, parts, promptContext(index, items), { seed: 42 });
  const references = new Random('sft-real').shuffle(tasks.examples(0)).slice(0, count);
  return references.map((reference) => tasks.example(reference, renderers));
}
