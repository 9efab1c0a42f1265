/**
 * Which titles an item is kept with. After MiniOneRec's filter for Amazon data: 1 to 20 words, no markup.
 *
 * Departures:
 *   1. markup is any opening or closing tag (`<span ...>`, `</b>`, `<script>`), not one kind of it; a lone `<` or a
 *      stray `/>` is text ("Pressure < 5 bar" stays);
 *   2. control characters (tabs, line ends) become one space, since `info/NAME.txt` is tab-separated; ordinary runs
 *      of spaces stay as they are.
 */

/** Tabs, line ends and other control characters, with the spaces around them, become one space; ends are trimmed. */
export function cleanTitle(title: string): string {
  if (!CONTROL.test(title)) return title.trim();
  return title.replace(/[\s\p{Cc}]+/gu, (blank) => (CONTROL.test(blank) ? ' ' : blank)).trim();
}

const CONTROL = /[\p{Cc}\u2028\u2029]/u;

/** Why a title's item is dropped. */
export type TitleFault = 'itemsWithoutTitle' | 'titlesWithMarkup' | 'titlesTooLong';

/**
 * @param title a cleaned title
 * @param maxWords words are separated by white space
 * @returns undefined for a good title
 * @example titleFault('<script>x</script>', 20) // 'titlesWithMarkup'
 */
export function titleFault(title: string, maxWords: number): TitleFault | undefined {
  if (title === '') return 'itemsWithoutTitle';
  if (hasMarkup(title)) return 'titlesWithMarkup';
  if (title.split(/\s+/).length > maxWords) return 'titlesTooLong';
  return undefined;
}

/** Whether a title has an opening or closing tag, closed or not. */
export function hasMarkup(title: string): boolean {
  return /<\/?[a-z!]/i.test(title);
}
