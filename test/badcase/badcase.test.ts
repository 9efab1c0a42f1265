import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from '../fast-check.js';
import { expect, test } from 'vitest';
import { badCaseReport } from '../../lib/badcase/bad-case-report.js';
import { badCases } from '../../lib/badcase/bad-cases.js';
import { COLD_START } from '../../lib/badcase/modes/cold-start.js';
import { LONG_TAIL, tailItems } from '../../lib/badcase/modes/long-tail.js';
import { SHORT_HISTORY } from '../../lib/badcase/modes/short-history.js';
import type { Dataset, Row } from '../../lib/data/dataset.js';
import { formatInter } from '../../lib/data/inter-file.js';
import { formatItems } from '../../lib/data/item-file.js';
import { readResults, type Result, writeResults } from '../../lib/evaluate/results-file.js';

const items = Array.from({ length: 6 }, (_, i) => ({ title: `item ${i}`, description: '', brand: '', categories: '' }));
// Seen in training: item 0 six times, 1 twice, 2 and 3 once, 4 and 5 never; the tail of 20 % is 2, 3, 4, 5.
const chain = [0, 0, 0, 0, 1, 0, 2, 1, 0, 3];
const train: Row[] = chain.slice(1).map((target, i) => ({ user: 'u', history: chain.slice(0, i + 1), target }));
const dataset: Dataset = { name: 'Toys', dir: '', items, train, valid: [], test: [] };

function result(target: number, list: number[], history = [0, 1, 2]): Result {
  return { user: 'v', history, target, items: list, scores: list.map((_, i) => 0 - i) };
}

const results = [
  result(0, [0, 1]), // hit
  result(1, [0, 1], [0]), // rank 2, short history
  result(2, [0, 1]), // long tail
  result(4, [0, 1], [0, 1]), // never seen: cold start; short history
];

test('the worked example, k = 1', () => {
  const detectors = [COLD_START, LONG_TAIL, SHORT_HISTORY];
  const { rows, failed, modes, cases, ranks } = badCases(results, dataset, { topK: 1, tailShare: 0.2, detectors });
  expect([rows, failed, ranks]).toEqual([4, 3, [1, 2, 0, 0]]);
  expect(cases.map((row) => row.modes)).toEqual([['short history'], ['long tail'], ['cold start', 'short history']]);
  const none = { foundShare: 0, failedShare: 1, named: false };
  expect(modes).toMatchObject({
    'cold start': { rows: 1, count: 1, share: 1 / 3, ...none, lift: 1.5 / 4 / (0.5 / 2) },
    'long tail': { rows: 1, count: 1, share: 1 / 3, ...none },
    'short history': { rows: 2, count: 2, share: 2 / 3, ...none, lift: 2.5 / 4 / (0.5 / 2) },
  });
  expect(cases[0]).toEqual({
    ...{ row: 1, user: 'v', history: [0], target: 1, title: 'item 1', rank: 2, items: [0], scores: [0] },
    ...{ targetScore: null, modes: ['short history'] },
  });
});

test('k decides what fails, the options what a mode is', () => {
  expect(badCases(results, dataset).failed).toBe(2);
  const { modes } = badCases(results, dataset, { coldBelow: 2, shortHistory: 0, tailShare: 0.05 });
  expect(modes['cold start']!.rows).toBe(2);
  expect(modes['short history']).toMatchObject({ rows: 0, count: 0, share: 0, lift: null });
  expect(modes['long tail']!.rows).toBe(0); // only the items never seen, which are cold
  const wider = badCases(results, dataset, { tailShare: 0.2 }).modes;
  expect(wider['long tail']!.rows).toBe(1);
  const none = badCases([results[0]!], dataset);
  expect(none.failed).toBe(0);
  expect(none.modes['long tail']).toMatchObject({ rows: 0, count: 0, share: 0, lift: null });
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

test('the stage writes its folder, and nothing before its inputs are right', async () => {
  const data = mkdtempSync(join(tmpdir(), 'badcase-'));
  writeFileSync(join(data, 'Toys.item.json'), formatItems(items));
  for (const split of ['train', 'valid', 'test']) {
    writeFileSync(join(data, `Toys.${split}.inter`), formatInter(split === 'train' ? train : []));
  }
  const file = join(data, 'run', 'results.jsonl');
  await expect(badCaseReport({ data, results: file })).rejects.toThrow('no such file');
  await expect(badCaseReport({ data })).rejects.toThrow(
    'badcase: expected --results FILE or --model FOLDER, got neither; name what is to be analysed',
  );
  writeResults(file, [{ ...results[0]!, items: [1, 1], scores: [2, 1] }]);
  await expect(badCaseReport({ data, results: file })).rejects.toThrow('row 1: item 1 is listed twice');
  writeResults(file, results);
  const report = await badCaseReport({ data, results: file, topK: 1 });
  const out = join(data, 'run', 'badcase');
  expect(report).toMatchObject({ rows: 4, failed: 3, report: join(out, 'badcase_report.json') });
  expect(JSON.parse(readFileSync(report.report, 'utf8'))).toMatchObject({
    ...{ version: 1, rows: 4, failed: 3, failureRate: 0.75, topK: 1, sidQuality: null, curves: [] },
    ranks: { '1-10': 2, '11-20': 0, '21-50': 0, beyond: 2 },
    named: [],
    verdicts: [{ finding: 'failure rate', value: 0.75, threshold: 0.3, strategies: ['hyperparameter'] }],
    titles: { 0: 'item 0', 1: 'item 1', 2: 'item 2', 4: 'item 4' },
    cases: [{ row: 1 }, { row: 2 }, { row: 3 }],
  });
  expect(await readResults(join(out, 'eval_results.jsonl'))).toEqual(results);
  // lists of two say nothing of the first ten
  const short = await badCaseReport({ data, results: file, out: join(data, 'short') });
  expect(short.failed).toBe(2);
  expect(JSON.parse(readFileSync(short.report, 'utf8'))).toMatchObject({ topK: 2, failed: 2 });
  const summary = readFileSync(join(out, 'summary_report.txt'), 'utf8');
  expect(summary).toContain('3 of 4 rows fail: their true item is not among the first 1 (75.0 %).');
  expect(summary).toContain('- ambiguous SID: needs --index FILE');
  const names = ['failure_patterns', 'failure_rate', 'rank_distribution'];
  expect(report.figures).toEqual(names.map((name) => join(out, 'visualizations', name)));
  for (const figure of report.figures) expect(existsSync(`${figure}.svg`) && existsSync(`${figure}.png`)).toBe(true);
});
