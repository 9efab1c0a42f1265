/**
 * An item's texts as they are in prompts and answers. They come from strangers: no title may act as a control token
 * (`<|endoftext|>`) or as a SID (`<a_12>`), so whatever looks like one is parted by a space.
 */
import type { Item } from './dataset.js';
import { parsePythonList } from './python.js';
import { textOf } from './raw/values.js';

/** Words of a description that an answer holds at the most. */
const ANSWER_WORDS = 100;

/** Fields that GRec's enriched item files add: written by a large model (`sidlab enrich`), or by hand. */
export const ENRICHED_FIELDS = ['enhanced_title', 'tags', 'highlights', 'characteristics'] as const;
/** One of them. */
export type EnrichedField = (typeof ENRICHED_FIELDS)[number];

/** The texts of an item as prompts and answers use them. */
export interface ItemText {
  /** On one line. */
  title: string;
  /** On one line; empty where the item has none. */
  description: string;
  /** The description as an answer: its first sentences, at most 100 words. */
  summary: string;
  /** On one line; may be empty. */
  brand: string;
  /** On one line; may be empty. */
  categories: string;
  /** What an enriched item file adds, each on one line; what is not there is empty. */
  enriched?: Readonly<Record<EnrichedField, string>>;
}

/** @param reserved tokens of the vocabulary that no text may spell, beside all that begin like `<a`, `</` or `<|` */
export function itemText(item: Item, reserved: readonly string[] = []): ItemText {
  const { title, description, brand, categories, extra = {} } = item;
  const clean = (text: string): string => protectText(oneLine(text), reserved);
  const whole = clean(unlisted(description));
  return {
    title: clean(title),
    description: whole,
    summary: firstSentences(whole, ANSWER_WORDS),
    brand: clean(brand),
    categories: clean(categories),
    ...(ENRICHED_FIELDS.some((field) => extra[field] !== undefined) && { enriched: enriched(extra, clean) }),
  };
}

function enriched(
  extra: Readonly<Record<string, unknown>>,
  clean: (text: string) => string,
): Record<EnrichedField, string> {
  const texts = ENRICHED_FIELDS.map((field) => [field, clean(listed(extra[field]))] as const);
  return Object.fromEntries(texts) as Record<EnrichedField, string>;
}

/** @example listed({ size: 'L', colours: ['red', 'blue'] }) // 'size: L, colours: red, blue' */
function listed(value: unknown): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return textOf(value, ', ') ?? '';
  return Object.entries(value)
    .map(([name, part]) => `${name}: ${listed(part)}`)
    .join(', ');
}

/**
 * Parts what looks like a token: a space after every `<` that a letter, `/`, `|`, `!` or `_` follows, and after the
 * first character of each reserved token.
 *
 * @example protectText('Hub <|endoftext|> <a_1> 5 < 6') // 'Hub < |endoftext|> < a_1> 5 < 6'
 */
export function protectText(text: string, reserved: readonly string[] = []): string {
  let safe = text.replace(/<(?=[\p{L}/|!_])/gu, '< ');
  for (const token of reserved) {
    const [first = ''] = token;
    while (token.length > first.length && safe.includes(token)) {
      safe = safe.split(token).join(`${first} ${token.slice(first.length)}`);
    }
  }
  return safe;
}

/** White space and control characters are one space; surrogates without their other half go. */
function oneLine(text: string): string {
  return text
    .replace(/\p{Cs}/gu, '')
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim();
}

/** MiniOneRec's item files hold a description as a printed list of texts. */
function unlisted(text: string): string {
  return parsePythonList(text)?.join(' ') ?? text;
}

/** @example firstSentences('One two. Three four. Five.', 4) // 'One two. Three four.' */
export function firstSentences(text: string, words: number): string {
  const all = text.split(' ');
  if (all.length <= words) return text;
  const kept = all.slice(0, words);
  const end = kept.findLastIndex((word) => /[.!?]$/.test(word));
  return kept.slice(0, end < 0 ? words : end + 1).join(' ');
}
