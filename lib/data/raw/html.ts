/**
 * Text out of HTML: tags and comments removed, entities decoded. Shops keep titles and descriptions as pieces of web
 * pages (`Tom &amp; Jerry`, `<p>Fits all.<br />`), and a model would learn to write those.
 *
 * Only names of HTML elements count as tags: `<6 ft>`, `x < y` and `<Unknown Artist>` are text. An element that
 * breaks lines becomes a space; one within a line leaves nothing (`H<sub>2</sub>O`). Scripts and styles go with their
 * content. Entities need their semicolon; those that were encoded twice (`&amp;quot;`) are decoded twice.
 */
import { decodeHTMLStrict } from 'entities/decode';

const INLINE =
  'a abbr acronym b bdi bdo big cite code em font i ins kbd label mark q s samp small span strike strong sub sup tt u var wbr';
const BREAKING =
  'address area article aside base blockquote body br button canvas caption center col colgroup dd del details dfn dir ' +
  'div dl dt embed fieldset figcaption figure footer form frame frameset h1 h2 h3 h4 h5 h6 head header hr html iframe ' +
  'img input legend li link main map meta nav noscript object ol optgroup option p param pre script section select source ' +
  'style summary table tbody td textarea tfoot th thead title tr track ul video';
const TAGS = new Map([
  ...INLINE.split(' ').map((name) => [name, ''] as const),
  ...BREAKING.split(' ').map((name) => [name, ' '] as const),
]);

/** @example plainText('Tom &amp; <b>Jerry</b><br/>12&quot;') // 'Tom & Jerry 12"' */
export function plainText(text: string): string {
  if (!/[&<]/.test(text)) return text;
  let plain = text;
  for (let pass = 0; pass < 2; pass++) {
    const next = decodeHTMLStrict(withoutTags(plain));
    if (next === plain) break;
    plain = next;
  }
  plain = withoutTags(plain);
  if (plain === text) return text;
  return plain
    .replace(/\u00a0/g, ' ')
    .replace(/ {2,}/g, ' ')
    .trim();
}

function withoutTags(text: string): string {
  if (!text.includes('<')) return text;
  const visible = dropBetween(dropBetween(dropBetween(text, /<!--/g, /-->/g), SCRIPT, SCRIPT_END), STYLE, STYLE_END);
  return visible.replace(/<\/?([a-z][a-z0-9]*)(?:[\s/][^<>]*)?>/gi, (tag, name: string) => {
    return TAGS.get(name.toLowerCase()) ?? tag;
  });
}

const [SCRIPT, SCRIPT_END, STYLE, STYLE_END] = [/<script\b/gi, /<\/script\s*>/gi, /<style\b/gi, /<\/style\s*>/gi];

/** Without what lies from each `open` to the next `close`; an `open` without a `close` stays. Linear. */
function dropBetween(text: string, open: RegExp, close: RegExp): string {
  let kept = '';
  let at = 0;
  for (;;) {
    open.lastIndex = at;
    const start = open.exec(text);
    if (!start) return kept + text.slice(at);
    close.lastIndex = open.lastIndex;
    if (!close.exec(text)) return kept + text.slice(at);
    kept += `${text.slice(at, start.index)} `;
    at = close.lastIndex;
  }
}
