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
  [/[\u0300-\u036f]/, 0], // combining marks
];
const OTHERS = 1; // ideographs, emoji

/** In pixels. */
export function textWidth(text: string, fontSize: number): number {
  let width = 0;
  for (const character of text) width += CLASSES.find(([pattern]) => pattern.test(character))?.[1] ?? OTHERS;
  return width * fontSize;
}
