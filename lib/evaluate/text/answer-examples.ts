/** A task's held-out examples, as free generation takes them: prompts in tokens, answers as text. */
import type { Dataset } from '../../data/dataset.js';
import type { SidIndex } from '../../data/sid-index.js';
import type { LanguageModel } from '../../lm/language-model.js';
import type { ChatTemplate } from '../../lm/tokenizer/chat-template.js';
import type { TextTokenizer } from '../../lm/tokenizer/tokenizer.js';
import { InputError } from '../../support/errors.js';
import { renderAnswer, promptContext, type PromptWords } from '../../tasks/prompts.js';
import { taskRows } from '../../tasks/task-rows.js';
import { placeholdersIn, type Template } from '../../tasks/templates.js';
import { modelRenderer } from '../recommender.js';
import type { TextExample } from './generate-answers.js';
import { largest } from '../../support/extremes.js';

/** Which examples, and how their prompts are made. */
export interface AnswerExamplesOptions {
  /** Which held-out rows or items are asked about. */
  split: 'valid' | 'test';
  /** The first so many. 0: all. */
  limit: number;
  /** Tokens of a prompt at most. Default 512. */
  cutoffLen?: number;
  /** Wraps prompts as a user's message. Default: none. */
  chat?: ChatTemplate;
  /** What prompts say beside items and SIDs. */
  words?: PromptWords;
  /** Share of the items held out for each of validation and test. Default .05. */
  heldOutItems?: number;
}

/** @returns the examples, and how many of their prompts were truncated */
export function answerExamples(
  model: LanguageModel,
  tokenizer: TextTokenizer,
  dataset: Dataset,
  index: SidIndex,
  template: Template,
  { split, limit, words = {}, heldOutItems, ...prompts }: AnswerExamplesOptions,
): { examples: TextExample[]; truncated: number } {
  if (!Number.isInteger(limit) || limit < 0) {
    throw new InputError(`generate: expected limit to be a whole number (0: all), got ${limit}`);
  }
  const context = promptContext(index, dataset.items, tokenizer.special, '', words);
  const rows = taskRows(dataset, template, split, context, heldOutItems);
  const render = modelRenderer(model, tokenizer, index, template, { items: dataset.items, ...words, ...prompts });
  const examples = rows.slice(0, limit === 0 ? rows.length : limit).map(({ history, target: item }) => ({
    prompt: render.prompt(history, item),
    answer: renderAnswer(template, { history, item }, context).trim(),
    item,
  }));
  return { examples, truncated: render.truncated };
}

/** Tokens of the longest answer, and of its end where the task has one: what a SID needs. */
export function longestSid(tokenizer: TextTokenizer, examples: readonly TextExample[], { answer }: Template): number {
  const longest = largest(examples.map(({ answer }) => tokenizer.encode(answer).length));
  return longest + (placeholdersIn(answer).includes('end') ? 1 : 0);
}
