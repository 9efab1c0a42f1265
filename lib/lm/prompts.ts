/**
 * From a row to text: templates are data (`templates.json`), so that anyone with a published checkpoint can supply the
 * wording it was trained with. Training and evaluation use the same one.
 */
import type { SidIndex } from '../sid/index-file.js';
import { InputError } from '../support/index.js';
import templates from './templates.json' with { type: 'json' };
import type { TextTokenizer } from './tokenizer.js';

/** `{history}` and `{target}` are the only places. */
export interface Template {
  prompt: string;
  /** Between the items of the history. */
  separator: string;
  answer: string;
}

/** `sids` is the shortest: the history's SIDs and nothing else, for small models. */
export const TEMPLATES: Readonly<Record<string, Template>> = templates;

/** @throws InputError for an unknown name */
export function findTemplate(name: string): Template {
  const template = TEMPLATES[name];
  if (!template) throw new InputError(`template: expected one of ${Object.keys(TEMPLATES).join(', ')}, got ${name}`);
  return template;
}

/** The words of every template, which a word-level vocabulary must hold. */
export function templateWords(): string[] {
  const texts = Object.values(TEMPLATES).flatMap(({ prompt, separator, answer }) => [prompt, separator, answer]);
  return texts.flatMap((text) => text.replace(/\{\w+\}|<\|endoftext\|>/g, ' ').match(/\w+|[^\w\s]+/g) ?? []);
}

export function renderPrompt({ prompt, separator }: Template, history: readonly number[], index: SidIndex): string {
  return prompt.replace('{history}', () => history.map((item) => index[item]!.join('')).join(separator));
}

export function renderAnswer({ answer }: Template, item: number, index: SidIndex): string {
  return answer.replace('{target}', () => index[item]!.join(''));
}

/** What a prompt and an answer are in tokens, each distinct text encoded once. */
export interface Renderer {
  prompt(history: readonly number[]): number[];
  answer(item: number): number[];
}

export function createRenderer(template: Template, index: SidIndex, tokenizer: TextTokenizer): Renderer {
  const answers = new Map<number, number[]>();
  return {
    prompt: (history) => tokenizer.encode(renderPrompt(template, history, index)),
    answer(item) {
      let ids = answers.get(item);
      if (!ids) answers.set(item, (ids = tokenizer.encode(renderAnswer(template, item, index))));
      return ids;
    },
  };
}
