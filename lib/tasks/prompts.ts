/**
 * From a row or an item to text, and from text to tokens, by a template. Training and evaluation use the same renderer.
 *
 * A prompt longer than the limit loses the oldest items of its history, whole ones first, then the beginning of the
 * last; a prompt about one item loses the end of its longest text. An answer is never truncated (the reference
 * truncates the joined text from the left, instruction first).
 */
import type { Item } from '../data/dataset.js';
import { itemText, type ItemText } from '../data/item-text.js';
import type { SidIndex } from '../data/sid-index.js';
import type { ChatTemplate } from '../lm/tokenizer/chat-template.js';
import { END_OF_TEXT, type TextTokenizer } from '../lm/tokenizer/tokenizer.js';
import { InputError } from '../support/errors.js';
import type { PreferenceOf } from './preferences-file.js';
import { preferenceText } from './preference-text.js';
import { HISTORY_PLACEHOLDERS, type Placeholder, placeholdersIn, type Template } from './templates.js';
import { largest } from '../support/extremes.js';

/** What an example is about; a task of items has no history. */
export interface Subject {
  /** Item ids, oldest first. */
  history: readonly number[];
  /** A row's target, or the item. */
  item: number;
}

/** What a template's placeholders are filled from. */
export interface PromptContext {
  /** SIDs of the items. */
  index: SidIndex;
  /** Absent where templates have no placeholder for texts. */
  text?: (item: number) => ItemText;
  /** The model's end of text. Default `<|endoftext|>`. */
  end?: string;
  /** What the items are called. Default `items`. */
  category?: string;
  /** Preferences that somebody wrote. Default: `preferenceText`. */
  preferenceOf?: PreferenceOf;
}

/** What prompts say beside items and SIDs. */
export type PromptWords = Pick<PromptContext, 'category' | 'preferenceOf'>;

/** @param reserved see `itemText` */
export function promptContext(
  index: SidIndex,
  items?: readonly Item[],
  reserved: readonly string[] = [],
  end?: string,
  words: PromptWords = {},
): PromptContext {
  const texts = new Map<number, ItemText>();
  const text = (item: number): ItemText => {
    let found = texts.get(item);
    if (!found) texts.set(item, (found = itemText(items![item]!, reserved)));
    return found;
  };
  return { index, ...(items && { text }), ...(end !== undefined && { end }), ...words };
}

/** @param variant which of the template's prompts @param shrink how much is left out, see `steps` */
export function renderPrompt(
  template: Template,
  subject: Subject,
  context: PromptContext,
  variant = 0,
  shrink = 0,
): string {
  const placeholders = placeholdersIn(template.prompts[variant]!);
  const { history, characters } = shortened(template, subject.history, shrink);
  const longest =
    template.of === 'items' && shrink > 0 ? longestPlaceholder(placeholders, subject, context) : undefined;
  return fill(template.prompts[variant]!, (placeholder) => {
    // what the whole history says of a taste is short, and is never truncated
    const seen = placeholder === 'preference' ? subject : { ...subject, history };
    const value = valueOf(placeholder, seen, context, template.separator);
    if (placeholder === longest) return value.split(' ').slice(0, -shrink).join(' ');
    return placeholder.startsWith('history') ? value.slice(characters) : value;
  });
}

/** In an answer a description is its first sentences. */
export function renderAnswer({ answer, separator }: Template, subject: Subject, context: PromptContext): string {
  return fill(answer, (placeholder) =>
    placeholder === 'description'
      ? textOf(context, subject.item).summary
      : valueOf(placeholder, subject, context, separator),
  );
}

/** A text's placeholders, each by its value; `$` in a value stands for itself. */
function fill(text: string, value: (placeholder: Placeholder) => string): string {
  return text.replace(/\{(\w+)\}/g, (_, placeholder: Placeholder) => value(placeholder));
}

function valueOf(
  placeholder: Placeholder,
  { history, item }: Subject,
  context: PromptContext,
  separator: string,
): string {
  const sid = (of: number): string => context.index[of]!.join('');
  const join = (render: (of: number, at: number) => string): string => history.map(render).join(separator);
  switch (placeholder) {
    case 'end':
      return context.end ?? END_OF_TEXT;
    case 'history':
      return join(sid);
    case 'latest':
      return history.slice(-1).map(sid).join('');
    case 'history_numbered':
      return join((of, at) => `${at + 1}. ${sid(of)}`);
    case 'history_titles':
      return join((of) => textOf(context, of).title);
    case 'history_pairs':
      return join((of) => `${sid(of)} ${textOf(context, of).title}`);
    case 'preference':
      return context.preferenceOf?.(history, item) ?? preferenceText(history.map((of) => textOf(context, of)));
    case 'category':
      return context.category ?? 'items';
    case 'sid':
      return sid(item);
    case 'title':
    case 'description':
      return textOf(context, item)[placeholder];
    case 'brand':
    case 'categories':
      return textOf(context, item)[placeholder] || 'unknown';
    case 'enhanced_title':
    case 'tags':
    case 'highlights':
    case 'characteristics':
      return textOf(context, item).enriched?.[placeholder] ?? '';
    default:
      throw new Error(`prompts: unknown placeholder ${placeholder satisfies never}`);
  }
}

function textOf({ text }: PromptContext, item: number): ItemText {
  if (!text) throw new InputError('template: it asks for titles or descriptions; give the items of the data folder');
  return text(item);
}

/** The history without its `shrink` oldest items; beyond its last one, how many characters are left out of its beginning. */
function shortened(
  { of }: Template,
  history: readonly number[],
  shrink: number,
): { history: readonly number[]; characters: number } {
  if (of === 'items') return { history, characters: 0 };
  const dropped = Math.min(shrink, Math.max(0, history.length - 1));
  return { history: history.slice(dropped), characters: shrink - dropped };
}

function longestPlaceholder(
  placeholders: readonly Placeholder[],
  subject: Subject,
  context: PromptContext,
): Placeholder {
  const size = (placeholder: Placeholder): number => valueOf(placeholder, subject, context, '').length;
  return placeholders.reduce((longest, placeholder) => (size(placeholder) > size(longest) ? placeholder : longest));
}

/** How far a prompt can shrink: to its last item, and to nothing of it; of an item's prompt word by word. */
function steps(
  template: Template,
  { history, item }: Subject,
  context: PromptContext,
  variant: number,
): { items: number; all: number } {
  const placeholders = placeholdersIn(template.prompts[variant]!);
  if (template.of === 'items') {
    const longest = longestPlaceholder(placeholders, { history, item }, context);
    return { items: 0, all: valueOf(longest, { history, item }, context, '').split(' ').length };
  }
  const last = { history: history.slice(-1), item };
  const texts = placeholders.filter((placeholder) => placeholder.startsWith('history'));
  const characters = texts.map((placeholder) => valueOf(placeholder, last, context, template.separator).length);
  const items = Math.max(0, history.length - 1);
  return { items, all: items + largest(characters, 0) };
}

/** What a prompt and an answer are in tokens. */
export interface Renderer {
  /**
   * @param item what a task of items asks about; a prompt of a row does not look at it
   * @throws InputError if the prompt is longer than the limit even without a history or text
   */
  prompt(history: readonly number[], item?: number, variant?: number): number[];
  /** The answer of an item, or of a row; never truncated. */
  answer(item: number, history?: readonly number[]): number[];
  /** Prompts so far that were longer than the limit. */
  readonly truncated: number;
}

/** What a renderer needs beside template, index and tokenizer. */
export interface RendererOptions extends PromptWords {
  /** The catalogue's items, where the template has placeholders for their texts. */
  items?: readonly Item[];
  /** Tokens of a prompt at most. Default 512. */
  cutoffLen?: number;
  /** The model's end of text. Default `<|endoftext|>`. */
  end?: string;
  /** Wraps every prompt as a user's message. Default: none. */
  chat?: ChatTemplate;
}

/** Tokens of a prompt at most, by default. */
export const CUTOFF_LEN = 512;

/** Renders a template for a tokenizer: prompts truncated to the limit, answers whole. */
export function createRenderer(
  template: Template,
  index: SidIndex,
  tokenizer: TextTokenizer,
  options: RendererOptions = {},
): Renderer {
  const { items, cutoffLen = CUTOFF_LEN, end, chat, ...words } = options;
  const context = promptContext(index, items, tokenizer.special, end, words);
  const ofHistory: readonly string[] = HISTORY_PLACEHOLDERS;
  const byItem = !placeholdersIn(template.answer).some((placeholder) => ofHistory.includes(placeholder));
  const answers = new Map<number, number[]>();
  const encode = (text: string): number[] =>
    chat ? tokenizer.encode(chat.wrap(text)) : [...tokenizer.begin, ...tokenizer.encode(text)];
  const tooLong = ({ length }: number[]): never => {
    throw new InputError(
      `--cutoff-len: expected at least ${length}, the tokens of the prompt template by itself, got ${cutoffLen}`,
    );
  };
  let truncated = 0;
  return {
    prompt(history, item = -1, variant = 0) {
      const subject = { history, item };
      const at = (shrink: number): number[] => encode(renderPrompt(template, subject, context, variant, shrink));
      const whole = at(0);
      if (whole.length <= cutoffLen) return whole;
      truncated++;
      const { items: ofItems, all } = steps(template, subject, context, variant);
      return (
        longestThatFits(at, 1, ofItems, cutoffLen) ??
        longestThatFits(at, ofItems + 1, all, cutoffLen) ??
        tooLong(at(all))
      );
    },
    answer(item, history = []) {
      const known = byItem ? answers.get(item) : undefined;
      if (known) return known;
      const ids = tokenizer.encode(renderAnswer(template, { history, item }, context));
      if (byItem) answers.set(item, ids);
      return ids;
    },
    get truncated() {
      return truncated;
    },
  };
}

/** By halving: less is left out only where that fits. @returns undefined if nothing from `low` to `high` does */
function longestThatFits(
  at: (shrink: number) => number[],
  low: number,
  high: number,
  limit: number,
): number[] | undefined {
  let best: number[] | undefined;
  for (let from = low, to = high, middle = high; from <= to; middle = (from + to) >> 1) {
    const ids = at(middle);
    if (ids.length > limit) {
      if (middle === high) return undefined;
      from = middle + 1;
    } else [best, to] = [ids, middle - 1];
  }
  return best;
}
