/** A task's examples as text, for reading, generating and scoring; with the first of its prompts, which is that of evaluation. */
import type { Dataset, Split } from '../data/dataset.js';
import type { SidIndex } from '../data/sid-index.js';
import { promptWords } from './prompt-words.js';
import { renderAnswer, renderPrompt, promptContext } from './prompts.js';
import { taskRows } from './task-rows.js';
import { answersWithSid, findTemplate, TEMPLATES, type Templates } from './templates.js';

/** An example as text. */
export interface TaskExample {
  /** As text. */
  prompt: string;
  /** Without the end of text. */
  answer: string;
  /** The item that the answer names, where the answer is a SID alone. */
  item?: number;
}

/**
 * @param task name of a template
 * @param split of a task of items: held-out items for `valid` and `test`
 * @throws InputError for an unknown task
 */
export function taskExamples(
  dataset: Dataset,
  index: SidIndex,
  task: string,
  split: Split,
  templates: Templates = TEMPLATES,
): TaskExample[] {
  const template = findTemplate(task, templates);
  const context = promptContext(index, dataset.items, [], undefined, promptWords(dataset));
  const coded = answersWithSid(template);
  return taskRows(dataset, template, split, context).map(({ history, target: item }) => ({
    prompt: renderPrompt(template, { history, item }, context),
    answer: renderAnswer(template, { history, item }, { ...context, end: '' }).trim(),
    ...(coded && { item }),
  }));
}
