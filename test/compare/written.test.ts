/** The files of a comparison. Titles are written by strangers. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CompareReport } from '../../lib/compare/compare-report.js';
import { compareStage } from '../../lib/compare/compare-stage.js';
import { comparisonFigures, comparisonMarkdown, writeComparison } from '../../lib/compare/write-comparison.js';
import { writeResults } from '../../lib/evaluate/results-file.js';
import { readJson } from '../../lib/files/files.js';

const folder = mkdtempSync(join(tmpdir(), 'sidlab-comparison-'));
const EVIL = '<script>alert(1)</script> | [x](y) `nut`';
let report: CompareReport;

beforeAll(async () => {
  const files = [0.7, 0.5, 0.2].map((share, side) => {
    const file = join(folder, `${side}.jsonl`);
    const rows = Array.from({ length: 300 }, (_, row) => {
      const found = (row * 37 + side * 11) % 100 < 100 * share;
      const list = Array.from({ length: 10 }, (_, i) => (i === row % 10 && found ? 0 : i + 1));
      return {
        user: `u${row}`,
        history: Array(1 + (row % 7)).fill(3),
        target: 0,
        items: list,
        scores: list.map((_, i) => -i),
      };
    });
    writeResults(file, rows);
    return file;
  });
  report = await compareStage({ files, names: ['plain', 'a_b <i>', 'third'], samples: 100 });
  report.examples.forEach((example) => (example.target = EVIL));
});
afterAll(() => rmSync(folder, { recursive: true }));

test('JSON, Markdown, and figures as SVG and PNG', async () => {
  const out = join(folder, 'report.json');
  const written = await writeComparison(report, out);
  expect(written.files.map((file) => basename(file))).toEqual([
    ...['report.json', 'report.md', 'report-metrics.svg', 'report-metrics.png'],
    ...['report-differences.svg', 'report-differences.png'],
  ]);
  expect(readJson(out)).toEqual(JSON.parse(JSON.stringify(written)));
  const markdown = readFileSync(join(folder, 'report.md'), 'utf8');
  expect(markdown).toContain('![metrics](<report-metrics.svg>)');
  expect(readFileSync(join(folder, 'report-metrics.svg'), 'utf8')).not.toContain('<i>');
});

test('no title breaks a table of the Markdown, or becomes markup', () => {
  const markdown = comparisonMarkdown(report);
  expect(markdown).not.toMatch(/<script|<i>/);
  expect(markdown).toContain('&lt;script&gt;alert(1)&lt;/script&gt; \\| \\[x\\](y) \\`nut\\`');
  expect(markdown).toContain('- a\\_b &lt;i&gt;');
  const rows = markdown.split('\n').filter((line) => line.includes('script'));
  const cells = rows.map((line) => line.replaceAll('\\|', '').split('|').length);
  expect(rows).toHaveLength(report.examples.length);
  expect(new Set(cells).size).toBe(1);
});

test('the figure of differences: each row at its place, clear ones filled', () => {
  const { data, layout } = comparisonFigures(report).differences;
  expect(data.map(({ name }) => name)).toEqual([
    'plain less a_b &lt;i&gt;',
    'plain less third',
    'a_b &lt;i&gt; less third',
  ]);
  const [first] = data as [{ x: number[]; y: number[]; marker: { symbol: string[] }; error_x: { array: number[] } }];
  const ndcg = report.item!.filter(({ metric }) => metric === 'NDCG@10')[0]!;
  expect(first.x[0]).toBe(ndcg.difference);
  expect(first.error_x.array[0]).toBeCloseTo(ndcg.high - ndcg.difference, 12);
  const places = (layout.yaxis as { ticktext: string[]; tickvals: number[] }).ticktext;
  expect(places[0]).toBe('NDCG@10 of all rows');
  expect(places.slice(1).every((place) => place.startsWith('history: '))).toBe(true);
  expect(first.y).toEqual(places.map((_, i) => i - 0.25));
  expect(first.marker.symbol[0]).toBe(ndcg.verdict === 'no difference shown' ? 'circle-open' : 'circle');
});
