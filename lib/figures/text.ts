/**
 * Text that comes from data, made fit to be shown. Titles are written by strangers: they hold markup, control
 * characters, halves of surrogate pairs and code points that no XML file may contain. Every figure and every table
 * takes its texts through here, and each text goes through once.
 *
 * Who escapes: `label` for names, categories and annotations, `axis` and `layout` for their own titles (by `label`),
 * `tableHtml` for cells. A text that went through one of them must not go through another.
 */
import { widthOf } from './text-size.js';

/** Code points that XML 1.0 forbids, halves of surrogate pairs among them; blanks and line ends are not here. */

const ILLEGAL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\p{Surrogate}\ufffe\uffff]/gu;

/** The text with U+FFFD, the replacement character, in place of what an XML file may not contain. */
export function xmlText(text: string): string {
  return text.replace(ILLEGAL, '\ufffd');
}

/** A copy of plain data, such as a figure, with every text as `xmlText` makes it. */
export function xmlTexts<T>(value: T): T {
  if (typeof value === 'string') return xmlText(value) as T;
  if (Array.isArray(value)) return value.map(xmlTexts) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, xmlTexts(field as unknown)])) as T;
}

/** On one line: blanks and control characters (those that steer a terminal among them) become one blank. */
export function plainText(text: string): string {
  return xmlText(text.replace(/[\s\u0000-\u001f\u007f-\u009f]+/g, ' ').trim());
}

/** At most `most` characters, the last one an ellipsis if the text is longer. */
export function truncated(text: string, most: number): string {
  return text.length <= most ? text : beginning(text, most, () => 1);
}

/** The whole text if the sizes of its characters add up to `most` or less, else a beginning and an ellipsis that do. */
function beginning(text: string, most: number, sizeOf: (character: string) => number): string {
  const characters = [...text];
  let size = 0;
  let fits = 0; // characters that leave room for the ellipsis
  for (const character of characters) {
    size += sizeOf(character);
    if (size > most + 1e-9) return `${characters.slice(0, fits).join('').trimEnd()}…`;
    if (size <= most - sizeOf('…') + 1e-9) fits++;
  }
  return text;
}

/** Text for Plotly, which reads a part of HTML: a title with `<b>` or `&` shows as it is. */
export function escapeText(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}

/** Text for HTML, quotes included, so that it may also be an attribute. */
export function escapeHtml(text: string): string {
  return escapeText(text).replace(/"/g, '&quot;').replace(/'/g, '&#39;');
}

/** What `escapeText` was given. */
export function unescapeText(text: string): string {
  return text.replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&amp;/g, '&');
}

/** Width of a letter, in its font size. */
const LETTER = 0.62;

/**
 * A text for a figure: on one line, escaped for Plotly, and with an ellipsis at its end where it is longer than `most`
 * letters or wider than so many usually are (ideographs and emoji are).
 * @param most default 32
 * @example label('a\n<b>') // 'a &lt;b&gt;'
 */
export function label(text: string, most = 32): string {
  const line = plainText(text.slice(0, 20 * most + 1000)); // what comes later is never shown
  return escapeText(truncated(beginning(line, most * LETTER, widthOf), most));
}

/** Labels of categories: those that would be the same, and so one category, are numbered. */
export function labels(texts: readonly string[], most = 32): string[] {
  const taken = new Set<string>();
  return texts.map((text) => {
    let name = label(text, most);
    for (let i = 2; taken.has(name); i++) name = `${label(text, Math.max(1, most - 4))} (${i})`;
    taken.add(name);
    return name;
  });
}
