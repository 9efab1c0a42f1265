/**
 * Which characters of a drawing no font of this machine has: a PNG shows a box for each of them, or nothing where the
 * font has coloured pictures alone, which resvg does not draw.
 *
 * resvg says nothing about them, so it is asked to turn each character into a path: a missing one becomes the very path
 * of a code point that no font has, or none.
 */
import type { Resvg, ResvgRenderOptions } from '@resvg/resvg-js';
import { escapeText } from './text.js';

/** The last code point of the last private plane. */
const NOWHERE = '\u{10fffd}';

/** Letters beyond the Latin ones; blanks, joiners and marks have no shape of their own. */
const ASKED = /[^\u0000-\u024f\p{Z}\p{M}\p{Cc}\p{Cf}]/gu;

type Fonts = NonNullable<ResvgRenderOptions['font']>;
const known = new Map<string, Map<string, boolean>>(); // by fonts: character -> missing

/**
 * @param svg all of whose characters are looked at
 * @param fonts as resvg gets them for the drawing
 * @returns distinct characters, in the order in which they come
 */
export function missingGlyphs(Drawing: typeof Resvg, svg: string, fonts: Fonts): string[] {
  const characters = [...new Set(svg.match(ASKED) ?? [])];
  if (characters.length === 0) return [];
  const key = JSON.stringify(fonts);
  const missing = known.get(key) ?? new Map<string, boolean>();
  known.set(key, missing);
  const unknown = characters.filter((character) => !missing.has(character));
  if (unknown.length > 0) {
    const [nowhere, ...paths] = pathsOf(Drawing, [NOWHERE, ...unknown], fonts);
    unknown.forEach((character, i) => missing.set(character, paths[i] === nowhere || paths[i] === ''));
  }
  return characters.filter((character) => missing.get(character));
}

/** The outline of each character at the same place, '' where it has none. */
function pathsOf(Drawing: typeof Resvg, characters: readonly string[], fonts: Fonts): string[] {
  const texts = characters.map((character, i) => `<text id="c${i}" x="9" y="20">${escapeText(character)}</text>`);
  const page =
    '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40" font-family="sans-serif" font-size="16">';
  const drawn = new Drawing(`${page}${texts.join('')}</svg>`, { font: fonts }).toString();
  const paths = new Map<string, string>();
  for (const [, id, content] of drawn.matchAll(/<g id="c(\d+)">([\s\S]*?)<\/g>/g)) paths.set(id!, content!.trim());
  return characters.map((_, i) => paths.get(String(i)) ?? '');
}

/** Debian's package with the character, as an outline. */
export function fontPackage(character: string): string {
  const cjk =
    /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}\u3000-\u303f\uff00-\uffef]/u;
  if (cjk.test(character)) return 'fonts-noto-cjk';
  return /\p{Extended_Pictographic}/u.test(character) ? 'fonts-symbola' : 'fonts-noto-core';
}
