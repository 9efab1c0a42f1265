import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { JSDOM } from 'jsdom';
import { Resvg } from '@resvg/resvg-js';
import { expect, test } from 'vitest';
import { exportFigure, toPng, toSvg } from '../../lib/figures/export-figure.js';
import { metricBars } from '../../lib/figures/metric-bars.js';
import { fontPackage, missingGlyphs } from '../../lib/figures/missing-glyphs.js';
import { rankDistribution } from '../../lib/figures/rank-distribution.js';
import { localBox, pageBox } from '../../lib/figures/svg-box.js';
import { setNoticeSink } from '../../lib/support/progress.js';

const title = 'Bolts & <b>nuts</b> <script>alert(1)</script>';

test('SVG and PNG of a figure; text from data stays text', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'figure-')), 'deep', 'bars');
  const figure = metricBars([{ model: title, 'HR@10': 0.5 }], { title });
  const before = structuredClone(figure);
  expect(await exportFigure(figure, path, { scale: 1 })).toEqual([`${path}.svg`, `${path}.png`]);
  expect(figure).toEqual(before);
  const svg = readFileSync(`${path}.svg`, 'utf8');
  const { document } = new JSDOM(svg, { contentType: 'image/svg+xml' }).window;
  const texts = [...document.querySelectorAll('text')].map((text) => text.textContent);
  expect(texts).toContain(title);
  expect(texts).toContain('.500');
  expect(document.querySelector('script')).toBeNull();
  const png = readFileSync(`${path}.png`);
  expect(png.subarray(1, 4).toString()).toBe('PNG');
  expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([900, 500]);
});

test('the same figure gives the same text', async () => {
  const figure = rankDistribution([1, 2, 0]);
  expect((await toSvg(figure)) === (await toSvg(figure))).toBe(true);
});

test('long labels stay on the page', async () => {
  const svg = await toSvg(metricBars([{ model: 'm'.repeat(500), ['metric '.repeat(30)]: 0.5 }]));
  const { document } = new JSDOM(svg, { contentType: 'image/svg+xml' }).window;
  for (const text of document.querySelectorAll('text')) {
    const box = pageBox(text);
    expect([text.textContent, box.left >= 0, box.right <= 900]).toEqual([text.textContent, true, true]);
  }
});

test('boxes of texts follow position, anchor and transforms', () => {
  const { document } = new JSDOM(
    '<svg><g transform="translate(100,50)"><text id="t" x="10" y="20" style="font-size: 10px; text-anchor: end"' +
      ' transform="rotate(-90,10,20)">HHHH</text></g></svg>',
  ).window;
  const text = document.querySelector('#t')!;
  const [own, page] = [localBox(text)!, pageBox(text)];
  expect(own.right).toBe(10);
  expect(own.right - own.left).toBeCloseTo(28.8, 6);
  expect(page.top).toBeCloseTo(70, 6); // the end of the text, turned upwards about (10, 20)
  expect(page.bottom).toBeCloseTo(98.8, 6);
  expect(page.left).toBeCloseTo(100.7, 6);
});

test('an extension is refused before anything is drawn', async () => {
  await expect(exportFigure(rankDistribution([]), 'x.png')).rejects.toThrow('without an extension, got x.png');
  expect(existsSync('x.png.svg')).toBe(false);
});

const page = (text: string): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="90" height="30"><text y="20">${text}</text></svg>`;

test('characters that no font has are said, once and with a package; Latin ones are not', async () => {
  const lines: string[] = [];
  setNoticeSink((line) => void lines.push(line));
  await toPng(page('Plain text, caf\u00e9'));
  expect(lines).toEqual([]);
  for (const text of ['a \u{10fffb}', '\u{10fffb}\u{10fffc}']) await toPng(page(text));
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^figures: no font on this machine has \u{10fffb}: missing from the PNG .*fonts-noto-core/u);
  setNoticeSink(undefined);
});

test('glyphs that are missing: asked of the renderer, not of a list', () => {
  const fonts = { loadSystemFonts: true };
  expect(missingGlyphs(Resvg, page('abc \u{10fffb}b\u{10fffa}\u{10fffb} &amp; \u0301\u200d'), fonts)).toEqual([
    '\u{10fffb}',
    '\u{10fffa}',
  ]);
  expect(missingGlyphs(Resvg, page('abc'), fonts)).toEqual([]);
  expect(['中', 'か', '한', '。', '🦊', 'ក'].map(fontPackage)).toEqual([
    ...Array<string>(4).fill('fonts-noto-cjk'),
    'fonts-symbola',
    'fonts-noto-core',
  ]);
});

test('a font file that is not there is refused before anything is written', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'figure-')), 'bars');
  const options = { fonts: ['/nowhere/font.ttf'] };
  await expect(exportFigure(rankDistribution([]), path, options)).rejects.toThrow('/nowhere/font.ttf is neither');
  expect(existsSync(`${path}.svg`)).toBe(false);
});
