import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from '../fast-check.js';
import { expect, test } from 'vitest';
import { badCaseReport } from '../../lib/badcase/bad-case-report.js';
import { badCases } from '../../lib/badcase/bad-cases.js';
import { tailItems } from '../../lib/badcase/modes/long-tail.js';
import type { Dataset, Row } from '../../lib/data/dataset.js';
import { formatInter } from '../../lib/data/inter-file.js';
import { formatItems } from '../../lib/data/item-file.js';
import { type Result, writeResults } from '../../lib/evaluate/results-file.js';

const items = Array.from({ length: 6 }, (_, i) => ({ title: `item ${i}`, description: '', brand: '', categories: '' }));
// Seen in training: item 0 six times, 1 twice, 2 and 3 once, 4 and 5 never; the tail of 20 % is 2, 3, 4, 5.
const chain = [0, 0, 0, 0, 1, 0, 2, 1, 0, 3];
const train: Row[] = chain.slice(1).map((target, i) => ({ user: 'u', history: chain.slice(0, i + 1), target }));
const dataset: Dataset = { name: 'Toys', dir: '', items, train, valid: [], test: [] };

function result(target: number, list: number[], history = [0, 1, 2]): Result {
  return { user: 'v', history, target, items: list, scores: list.map((_, i) => -i) };
}

const results = [
  result(0, [0, 1]), // hit
  result(1, [0, 1], [0]), // rank 2, short history
  result(2, [0, 1]), // long tail
  result(4, [0, 1], [0, 1]), // never seen: cold start and long tail; short history
];

test('the worked example, k = 1', () => {
  const { rows, failed, modes, cases, ranks } = badCases(results, dataset, { topK: 1 });
  expect([rows, failed, ranks]).toEqual([4, 3, [1, 2, 0, 0]]);
  expect(cases.map((row) => row.modes)).toEqual([
    ['short history'],
    ['long tail'],
    ['cold start', 'long tail', 'short history'],
  ]);
  expect(modes).toEqual({
    'cold start': { rows: 1, count: 1, share: 1 / 3, lift: 1 / (3 / 4) },
    'long tail': { rows: 2, count: 2, share: 2 / 3, lift: 1 / (3 / 4) },
    'short history': { rows: 2, count: 2, share: 2 / 3, lift: 1 / (3 / 4) },
  });
  expect(cases[0]).toMatchObject({ row: 1, title: 'item 1', rank: 2 });
});

test('k decides what fails, the options what a mode is', () => {
  expect(badCases(results, dataset).failed).toBe(2);
  const { modes } = badCases(results, dataset, { coldBelow: 2, shortHistory: 0, tailShare: 0.05 });
  expect(modes['cold start']!.rows).toBe(2);
  expect(modes['short history']).toEqual({ rows: 0, count: 0, share: 0, lift: 0 });
  expect(modes['long tail']!.rows).toBe(1); // only the items never seen
  const none = badCases([results[0]!], dataset);
  expect(none.failed).toBe(0);
  expect(none.modes['long tail']).toEqual({ rows: 0, count: 0, share: 0, lift: 0 });
});

test('the tail holds at most its share, and no item outside is as rare as one inside', () => {
  expect([...tailItems(new Map([[0, 6], [1, 2], [2, 1], [3, 1]]), 6, 0.2)]).toEqual([2, 3, 4, 5]); // prettier-ignore
  fc.assert(
    fc.property(
      fc.array(fc.nat({ max: 9 }), { minLength: 1 }),
      fc.double({ min: 0.01, max: 0.99, noNaN: true }),
      (counts, share) => {
        const tail = tailItems(new Map(counts.map((count, item) => [item, count])), counts.length, share);
        const held = [...tail].reduce((sum, item) => sum + counts[item]!, 0);
        expect(held).toBeLessThanOrEqual(share * counts.reduce((sum, count) => sum + count, 0));
        const inside = Math.max(-1, ...[...tail].map((item) => counts[item]!));
        counts.forEach((count, item) => expect(count <= inside).toBe(tail.has(item)));
      },
    ),
  );
});

test('mistakes in one line', () => {
  expect(() => badCases([result(9, [])], dataset)).toThrow('result 1 has item 9, the data have 6 items');
  expect(() => badCases([], dataset, { topK: 0 })).toThrow(
    'badcase: expected topK to be a whole number of 1 or more, got 0',
  );
  expect(() => badCases([], dataset, { tailShare: 1 })).toThrow(
    'badcase: expected tailShare to be a number above 0, below 1, got 1',
  );
});

test('the stage writes a report and two figures', async () => {
  const data = mkdtempSync(join(tmpdir(), 'badcase-'));
  writeFileSync(join(data, 'Toys.item.json'), formatItems(items));
  for (const split of ['train', 'valid', 'test']) {
    writeFileSync(join(data, `Toys.${split}.inter`), formatInter(split === 'train' ? train : []));
  }
  const file = join(data, 'run', 'results.jsonl');
  await expect(badCaseReport({ data, results: file })).rejects.toThrow('no such file');
  writeResults(file, [{ ...results[0]!, items: [1, 1], scores: [2, 1] }]);
  await expect(badCaseReport({ data, results: file })).rejects.toThrow('row 1: item 1 is listed twice');
  writeResults(file, results);
  const report = await badCaseReport({ data, results: file, topK: 1 });
  expect(report).toMatchObject({ rows: 4, failed: 3, notRun: [], report: join(data, 'run', 'badcase_report.json') });
  expect(JSON.parse(readFileSync(report.report, 'utf8'))).toMatchObject({
    failed: 3,
    cases: [{ row: 1 }, { row: 2 }, { row: 3 }],
  });
  for (const figure of report.figures) expect(existsSync(`${figure}.svg`) && existsSync(`${figure}.png`)).toBe(true);
});
