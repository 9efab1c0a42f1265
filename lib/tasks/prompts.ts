/**
 * From a row or an item to text, and from text to tokens, by a template. Training and evaluation use the same renderer.
 *
 * A prompt longer than the limit loses the oldest items of its history, whole ones first, then the beginning of the
 * last; a prompt about one item loses the end of its longest text. An answer is never cut (the reference cuts the
 * joined text from the left, instruction first).
 */
import type { Item } from '../data/dataset.js';
import { itemText, type ItemText } from '../data/item-text.js';
import type { SidIndex } from '../data/sid-index.js';
import type { ChatTemplate } from '../lm/tokenizer/chat-template.js';
import { END_OF_TEXT, type TextTokenizer } from '../lm/tokenizer/tokenizer.js';
import { InputError } from '../support/errors.js';
import { preferenceText } from './preference-text.js';
import { type Placeholder, placeholdersIn, type Template } from './templates.js';

/** What an example is about; a task of items has no history. */
export interface Subject {
  /** Item ids, oldest first. */
  history: readonly number[];
  /** A row's target, or the item. */
  item: number;
}

/** What a template's places are filled from. */
export interface PromptContext {
  index: SidIndex;
  /** Absent where templates have no place for texts. */
  text?: (item: number) => ItemText;
  /** The model's end of text. Default `<|endoftext|>`. */
  end?: string;
}

/** @param reserved see `itemText` */
export function promptContext(
  index: SidIndex,
  items?: readonly Item[],
  reserved: readonly string[] = [],
  end?: string,
): PromptContext {
  const texts = new Map<number, ItemText>();
  const text = (item: number): ItemText => {
    let found = texts.get(item);
    if (!found) texts.set(item, (found = itemText(items![item]!, reserved)));
    return found;
  };
  return { index, ...(items && { text }), ...(end !== undefined && { end }) };
}

/** @param wording which of the prompts @param shrink how much is left out, see `steps` */
export function renderPrompt(
  template: Template,
  subject: Subject,
  shop: PromptContext,
  wording = 0,
  shrink = 0,
): string {
  const places = placeholdersIn(template.prompts[wording]!);
  const { history, cut } = shortened(template, subject.history, shrink);
  const longest = template.of === 'items' && shrink > 0 ? longestPlace(places, subject, shop) : undefined;
  return fill(template.prompts[wording]!, (place) => {
    // what the whole history says of a taste is short, and stays
    const told = place === 'preference' ? subject : { ...subject, history };
    const value = valueOf(place, told, shop, template.separator);
    if (place === longest) return value.split(' ').slice(0, -shrink).join(' ');
    return place.startsWith('history') ? value.slice(cut) : value;
  });
}

/** In an answer a description is its first sentences. */
export function renderAnswer({ answer, separator }: Template, subject: Subject, shop: PromptContext): string {
  return fill(answer, (place) =>
    place === 'description' ? textOf(shop, subject.item).summary : valueOf(place, subject, shop, separator),
  );
}

/** A text's places, each by its value; `$` in a value stands for itself. */
function fill(text: string, value: (place: Placeholder) => string): string {
  return text.replace(/\{(\w+)\}/g, (_, place: Placeholder) => value(place));
}

function valueOf(place: Placeholder, { history, item }: Subject, shop: PromptContext, separator: string): string {
  const sid = (of: number): string => shop.index[of]!.join('');
  const join = (render: (of: number) => string): string => history.map(render).join(separator);
  switch (place) {
    case 'end':
      return shop.end ?? END_OF_TEXT;
    case 'history':
      return join(sid);
    case 'history_titles':
      return join((of) => textOf(shop, of).title);
    case 'history_pairs':
      return join((of) => `${sid(of)} ${textOf(shop, of).title}`);
    case 'preference':
      return preferenceText(history.map((of) => textOf(shop, of)));
    case 'sid':
      return sid(item);
    case 'title':
    case 'description':
      return textOf(shop, item)[place];
    case 'brand':
    case 'categories':
      return textOf(shop, item)[place] || 'unknown';
    default:
      throw new Error(`prompts: unknown place ${place satisfies never}`);
  }
}

function textOf({ text }: PromptContext, item: number): ItemText {
  if (!text) throw new InputError('template: it asks for titles or descriptions; give the items of the data folder');
  return text(item);
}

/** The history without its `shrink` oldest items; beyond its last one, characters to cut from its left. */
function shortened(
  { of }: Template,
  history: readonly number[],
  shrink: number,
): { history: readonly number[]; cut: number } {
  if (of === 'items') return { history, cut: 0 };
  const dropped = Math.min(shrink, Math.max(0, history.length - 1));
  return { history: history.slice(dropped), cut: shrink - dropped };
}

function longestPlace(places: readonly Placeholder[], subject: Subject, shop: PromptContext): Placeholder {
  const size = (place: Placeholder): number => valueOf(place, subject, shop, '').length;
  return places.reduce((longest, place) => (size(place) > size(longest) ? place : longest));
}

/** How far a prompt can shrink: to its last item, and to nothing of it; of an item's prompt word by word. */
function steps(
  template: Template,
  { history, item }: Subject,
  shop: PromptContext,
  wording: number,
): { items: number; all: number } {
  const places = placeholdersIn(template.prompts[wording]!);
  if (template.of === 'items') {
    const longest = longestPlace(places, { history, item }, shop);
    return { items: 0, all: valueOf(longest, { history, item }, shop, '').split(' ').length };
  }
  const last = { history: history.slice(-1), item };
  const texts = places.filter((place) => place.startsWith('history'));
  const characters = texts.map((place) => valueOf(place, last, shop, template.separator).length);
  const items = Math.max(0, history.length - 1);
  return { items, all: items + Math.max(0, ...characters) };
}

/** What a prompt and an answer are in tokens. */
export interface Renderer {
  /**
   * @param item what a task of items asks about; a prompt of a row does not look at it
   * @throws InputError if the wording alone is longer than the limit
   */
  prompt(history: readonly number[], item?: number, wording?: number): number[];
  answer(item: number, history?: readonly number[]): number[];
  /** Prompts so far that were longer than the limit. */
  readonly truncated: number;
}

/** Options of `createRenderer`. */
export interface RendererOptions {
  /** The shop's items, where the template has places for their texts. */
  items?: readonly Item[];
  /** Tokens of a prompt at most. Default 512. */
  cutoffLen?: number;
  /** The model's end of text. Default `<|endoftext|>`. */
  end?: string;
  /** Wraps every prompt as a user's message. Default: none. */
  chat?: ChatTemplate;
}

/** Default number of tokens of a prompt at most. */
export const CUTOFF_LEN = 512;

/**
 * Makes what turns rows and items into the tokens of a template's prompts and answers.
 * @throws InputError for a template whose texts are not there, or a tokenizer that lacks a SID
 */
export function createRenderer(
  template: Template,
  index: SidIndex,
  tokenizer: TextTokenizer,
  options: RendererOptions = {},
): Renderer {
  const { items, cutoffLen = CUTOFF_LEN, end, chat } = options;
  const shop = promptContext(index, items, tokenizer.special, end);
  const byItem = !placeholdersIn(template.answer).includes('preference');
  const answers = new Map<number, number[]>();
  const encode = (text: string): number[] =>
    chat ? tokenizer.encode(chat.wrap(text)) : [...tokenizer.begin, ...tokenizer.encode(text)];
  const tooLong = ({ length }: number[]): never => {
    throw new InputError(
      `--cutoff-len: expected at least ${length}, the tokens of the wording by itself, got ${cutoffLen}`,
    );
  };
  let cut = 0;
  return {
    prompt(history, item = -1, wording = 0) {
      const subject = { history, item };
      const at = (shrink: number): number[] => encode(renderPrompt(template, subject, shop, wording, shrink));
      const uncut = at(0);
      if (uncut.length <= cutoffLen) return uncut;
      cut++;
      const { items: whole, all } = steps(template, subject, shop, wording);
      return (
        longestThatFits(at, 1, whole, cutoffLen) ?? longestThatFits(at, whole + 1, all, cutoffLen) ?? tooLong(at(all))
      );
    },
    answer(item, history = []) {
      const known = byItem ? answers.get(item) : undefined;
      if (known) return known;
      const ids = tokenizer.encode(renderAnswer(template, { history, item }, shop));
      if (byItem) answers.set(item, ids);
      return ids;
    },
    get truncated() {
      return cut;
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
