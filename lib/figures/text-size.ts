/**
 * How wide a text is. jsdom does not lay out text, and Plotly asks for sizes to make room for labels; these are the
 * advance widths of DejaVu Sans by class of character, good to some 5 %. A few per cent too wide does no harm.
 */
const CLASSES: [RegExp, number][] = [
  [/[ijlI|'.,:;!]/, 0.33],
  [/[\s()[\]{}ftr/\\"-]/, 0.4],
  [/[mwMW%@]/, 0.95],
  [/[A-Z&<>+=~×…]/, 0.72],
  [/[\u0000-\u024f]/, 0.62],
  [/[\p{M}\p{Cf}]/u, 0], // combining marks, joiners
  [/[\u0370-\u10ff\u1e00-\u1fff]/, 0.7], // other alphabets
];
const OTHERS = 1; // ideographs, emoji

/** In pixels. */
export function textWidth(text: string, fontSize: number): number {
  let width = 0;
  for (const character of text) width += widthOf(character);
  return width * fontSize;
}

/** Advance width of a character, in its font size. */
export function widthOf(character: string): number {
  return CLASSES.find(([pattern]) => pattern.test(character))?.[1] ?? OTHERS;
}

const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;

/** Columns of a terminal: 2 for ideographs and emoji, 0 for combining marks and joiners. */
export function columnsWide(text: string): number {
  if (/^[\u0000-\u02ff]*$/.test(text)) return text.length;
  let columns = 0;
  for (const character of text) columns += WIDE.test(character) ? 2 : /[\p{M}\p{Cf}]/u.test(character) ? 0 : 1;
  return columns;
}
