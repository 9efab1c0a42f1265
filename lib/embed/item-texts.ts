/**
 * What an encoder reads of an item: title + " " + description, MiniOneRec's; as they are, or cleaned as its `clean_text`
 * does, and with words left out at random (its `word_drop_ratio`).
 */
import { decodeHTML } from 'entities/decode';
import type { Item } from '../data/dataset.js';
import { Random } from '../support/random.js';

/** How texts are made. */
export interface ItemTextsOptions {
  /** Default false. */
  cleanText?: boolean;
  /** Share of the words that are left out. Default 0. */
  wordDropRatio?: number;
  /** Decides which. Default 42. */
  dropSeed?: number;
}

/** @returns a text an item */
export function itemTexts(items: readonly Item[], options: ItemTextsOptions = {}): string[] {
  const { cleanText: clean = false, wordDropRatio = 0, dropSeed = 42 } = options;
  const texts = items.map(({ title, description }) =>
    clean ? cleanedText([title, description]) : `${title} ${description}`,
  );
  if (wordDropRatio === 0) return texts;
  const random = new Random(`${dropSeed}/words`);
  return texts.map((text) => dropWords(text, wordDropRatio, random));
}

/** Cleaned parts with a space between; `unknown item` where none is left. */
export function cleanedText(parts: readonly string[]): string {
  const cleaned = parts.map((part) => cleanText(part).trim()).filter((part) => part !== '');
  return cleaned.length > 0 ? cleaned.join(' ') : 'unknown item';
}

/** Length of a text, in code points, from which on MiniOneRec takes it for rubbish. */
const TOO_LONG = 2000;

/**
 * MiniOneRec's `clean_text`, its edges included: entities decoded, tags, double quotes and line ends out, one full stop
 * at the end (an empty text becomes one); a text of 2,000 characters or more becomes empty.
 *
 * @example cleanText('Nuts &amp; <b>bolts</b>...') // 'Nuts & bolts.'
 */
export function cleanText(raw: string): string {
  const text = decodeHTML(raw.trim())
    .replace(/<\/?[\p{L}\p{N}_]+[^>]*>/gu, '')
    .replace(/["\n\r]/g, '');
  let stops = 0;
  while (stops + 1 < text.length && text[text.length - 1 - stops] === '.') stops++;
  const cleaned = `${text.slice(0, text.length - stops)}.`;
  return [...cleaned].length >= TOO_LONG ? '' : cleaned;
}

/** Each word, between single spaces, is left out with this probability. */
function dropWords(text: string, ratio: number, random: Random): string {
  return text
    .split(' ')
    .filter(() => random.next() > ratio)
    .join(' ');
}
