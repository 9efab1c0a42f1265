/** Every text of every figure: from strangers, shown as it is, escaped once, on the page. */
import fc from '../fast-check.js';
import { JSDOM } from 'jsdom';
import { expect, test } from 'vitest';
import { toSvg } from '../../lib/figures/export-figure.js';
import { failureModes } from '../../lib/figures/failure-modes.js';
import type { Figure, Json } from '../../lib/figures/figure.js';
import { historyLengths } from '../../lib/figures/history-lengths.js';
import { lossCurve } from '../../lib/figures/loss-curve.js';
import { metricBars } from '../../lib/figures/metric-bars.js';
import { popularityCurve } from '../../lib/figures/popularity-curve.js';
import { rankDistribution } from '../../lib/figures/rank-distribution.js';
import { runCurves } from '../../lib/figures/run-curves.js';
import { sidLevels, sidPrefixes } from '../../lib/figures/sid/sid-quality.js';
import { sidUsage } from '../../lib/figures/sid/sid-usage.js';
import { pageBox } from '../../lib/figures/svg-box.js';
import { label, labels, plainText, truncated } from '../../lib/figures/text.js';
import { vectorMap } from '../../lib/figures/vector-map.js';

/** Every kind of figure with a text of a stranger's wherever it takes one; how often it shows it, the title included. */
const kinds: Record<string, { draw: (text: string) => Figure; times: number }> = {
  failureModes: {
    draw: (title) => failureModes({ [title]: { count: 1, share: 1, lift: 2 } }, { title }),
    times: 3, // the bar, its place among the categories
  },
  historyLengths: { draw: (title) => historyLengths([1, 2, 2], { title }), times: 1 },
  lossCurve: {
    draw: (title) => {
      const [loss, metric, step] = ['l', 'm', 's'].map((prefix) => prefix + title) as [string, string, string];
      const rows = [1, 2].map((value) => ({ [loss]: value, [metric]: value, [step]: value }));
      return lossCurve(rows, { title, loss, metric, step });
    },
    times: 6, // three axes, two lines
  },
  metricBars: { draw: (title) => metricBars([{ model: title, [`m${title}`]: 0.5 }], { title }), times: 3 },
  popularityCurve: { draw: (title) => popularityCurve([3, 2, 1], { title }), times: 1 },
  rankDistribution: { draw: (title) => rankDistribution([1, 0], { title }), times: 1 },
  runCurves: {
    draw: (title) => {
      const [loss, metric, x] = ['l', 'm', 'x'].map((prefix) => prefix + title) as [string, string, string];
      const lines = [1, 2].map((value) => ({ [loss]: value, [metric]: value, [x]: value }));
      return runCurves([{ name: title, lines }], { title, loss, metric, x });
    },
    times: 6, // two lines of one name
  },
  sidLevels: {
    draw: (title) => sidLevels([{ level: title, codes: 4, used: 2, perplexity: 1.5 }], { title }),
    times: 3, // two bars of one category
  },
  sidPrefixes: { draw: (title) => sidPrefixes([], { title }), times: 1 },
  sidUsage: { draw: (title) => sidUsage([[1, 2]], { title }), times: 1 },
  vectorMap: { draw: (text) => vectorMap([[0, 0]], [text], { title: text, axes: [text, text] }), times: 4 },
};

function stringsOf(value: Json): string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null
    ? Object.values(value).flatMap((field: Json) => stringsOf(field))
    : [];
}

/** What Plotly shows of a text: entities once. */
const shown = (text: string): string =>
  text.replace(/&(amp|lt|gt);/g, (_, name: 'amp' | 'lt' | 'gt') => ({ amp: '&', lt: '<', gt: '>' })[name]);

const strangers = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc.string({
    unit: fc.constantFrom('<', '>', '&', '"', "'", 'b', '$', '\ud800', '\ufffe', '\0', '\n', '中'),
    maxLength: 6,
  }),
  fc.constantFrom('&lt;', '&amp;', '<b>', '<br>', '&#60;', '%{x}', '__proto__'),
);

test.each(Object.entries(kinds))('%s: escaped exactly once, nothing that XML forbids', (_, { draw, times }) => {
  fc.assert(
    fc.property(strangers, (stranger) => {
      const text = `~${stranger}~`;
      const strings = stringsOf(draw(text) as unknown as Json);
      expect(strings.filter((string) => shown(string).includes(plainText(text)))).toHaveLength(times);
      for (const string of strings) {
        expect(string).not.toMatch(/[<>\p{Surrogate}\ufffe\uffff]|&(?!amp;|lt;|gt;)/u);

        expect(string).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
      }
    }),
    { numRuns: 200 },
  );
});

const texts = {
  'markup, emoji and what XML forbids':
    '<b>a\ufffeb</b> &amp; \ud800 "c"\u0000\u001b <script>alert(1)</script> 👩‍🚀🦊 $x$ ',
  'wide letters without a blank': 'MW基于语义'.repeat(60),
};

test.each(Object.keys(kinds).flatMap((kind) => Object.keys(texts).map((name) => [kind, name] as const)))(
  '%s with %s: valid, and every text is on the page',
  async (kind, name) => {
    const text = texts[name as keyof typeof texts];
    const svg = await toSvg(kinds[kind]!.draw(text));
    const { document } = new JSDOM(svg, { contentType: 'image/svg+xml' }).window; // throws where it is not XML
    const { width, height } = { width: Number(svg.match(/width="(\d+)/)![1]), height: Number(svg.match(/height="(\d+)/)![1]) }; // prettier-ignore
    expect(document.querySelector('script')).toBeNull();
    const found = [...document.querySelectorAll('text')];
    expect(found.some(({ textContent }) => textContent!.startsWith([...plainText(text)].slice(0, 5).join('')))).toBe(
      true,
    );
    for (const element of found) {
      const { left, right, top, bottom } = pageBox(element);
      const on = left >= -1 && right <= width + 1 && top >= -1 && bottom <= height + 1;
      expect([element.textContent, left, right, top, bottom, on]).toEqual([element.textContent, left, right, top, bottom, true]); // prettier-ignore
    }
  },
);

test('a legend of several rows is above the plot and below the title', async () => {
  const runs = Array.from({ length: 8 }, (_, i) => ({ name: `${i} ${'long name '.repeat(9)}`, lines: [{ step: 1, loss: i, 'valid x': i }] })); // prettier-ignore
  const figure = runCurves(runs);
  expect(figure.layout.height).toBe(760); // four rows of two
  const { document } = new JSDOM(await toSvg(figure), { contentType: 'image/svg+xml' }).window;
  const title = pageBox(document.querySelector('text.gtitle')!);
  const entries = [...document.querySelectorAll('text.legendtext')].map(pageBox);
  expect(entries).toHaveLength(8);
  for (const [i, box] of entries.entries()) {
    expect(box.top).toBeGreaterThan(title.bottom);
    for (const other of entries.slice(i + 1)) {
      const apart =
        box.bottom <= other.top || other.bottom <= box.top || box.right <= other.left || other.right <= box.left;
      expect(apart).toBe(true);
    }
  }
});

test('a figure of one’s own: what XML forbids is replaced', async () => {
  const figure: Figure = { data: [], layout: { title: { text: 'x\ufffe\ud800y' } } };
  expect(await toSvg(figure)).toContain('x\ufffd\ufffdy');
  expect(figure.layout.title).toEqual({ text: 'x\ufffe\ud800y' });
});

test('labels: an ellipsis where a text is too long or too wide; no two alike', () => {
  expect(label('a\tb\n c')).toBe('a b c');
  expect(label('&'.repeat(9), 5)).toBe('&amp;'.repeat(3) + '…'); // wider than letters
  expect(label('l'.repeat(9), 5)).toBe('llll…');
  expect(label('中'.repeat(9), 5)).toBe('中中…');
  expect(label('😀'.repeat(3), 5)).toBe('😀'.repeat(3));
  expect(label('abc', 3)).toBe('abc');
  expect(truncated('abcd', 3)).toBe('ab…');
  expect(labels(['same', 'other', 'same', 'same'])).toEqual(['same', 'other', 'same (2)', 'same (3)']);
  expect(new Set(labels(['x'.repeat(40), 'x'.repeat(41)], 20)).size).toBe(2);
});
