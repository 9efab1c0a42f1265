import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from '../fast-check.js';
import { describe, expect, test } from 'vitest';
import { checkResults, itemMetrics, rankMetrics, sidMetrics } from '../../lib/evaluate/metrics.js';
import { readResults, type Result, writeResults } from '../../lib/evaluate/results-file.js';

const result = (target: number, items: number[]): Result => ({
  user: 'A',
  history: [0],
  target,
  items,
  scores: items.map((_, i) => 1 - i),
});

test('the worked example of the docstring', () => {
  const { 'NDCG@3': gain, ...rest } = itemMetrics([result(5, [7, 5])], [1, 3]);
  expect(rest).toEqual({ 'HR@1': 0, 'NDCG@1': 0, 'HR@3': 1 });
  expect(gain).toBeCloseTo(0.6309, 4);
});

test('the default ks, and no rows', () => {
  expect(Object.keys(itemMetrics([]))).toEqual([1, 3, 5, 10, 20, 50].flatMap((k) => [`HR@${k}`, `NDCG@${k}`]));
  expect(Object.values(itemMetrics([])).every((value) => value === 0)).toBe(true);
  expect(() => itemMetrics([], [0])).toThrow('expected k to be a positive integer, got 0');
});

test('an item that comes twice counts where it comes first', () => {
  expect(itemMetrics([result(5, [5, 7, 5])], [1, 3])).toEqual({ 'HR@1': 1, 'NDCG@1': 1, 'HR@3': 1, 'NDCG@3': 1 });
});

test('the plain definition on random ranks; both rise with k and NDCG never exceeds HR', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(12), { minLength: 1 }), (ranks) => {
      const metrics = rankMetrics(ranks, [1, 5, 10]);
      const gain = ranks.map((rank) => (rank >= 1 && rank <= 5 ? Math.log(2) / Math.log(rank + 1) : 0));
      expect(metrics['NDCG@5']).toBeCloseTo(gain.reduce((a, b) => a + b, 0) / ranks.length, 12);
      expect(metrics['HR@5']).toBe(ranks.filter((rank) => rank > 0 && rank < 6).length / ranks.length);
      expect(metrics['HR@1']! <= metrics['HR@5']! && metrics['HR@5']! <= metrics['HR@10']!).toBe(true);
      expect(metrics['NDCG@10']! <= metrics['HR@10']! + 1e-12).toBe(true);
    }),
  );
});

test('SIDs: items that share one count for each other and take one rank together', () => {
  const index = [['<a_1>'], ['<a_1>'], ['<a_2>'], ['<a_3>']];
  const rank2 = 1 / Math.log2(3);
  expect(sidMetrics([result(2, [0, 1, 2])], index, [1, 2])).toEqual({
    'HR@1': 0,
    'NDCG@1': 0,
    'HR@2': 1,
    'NDCG@2': rank2,
  });
  expect(sidMetrics([result(1, [0])], index, [1])).toEqual({ 'HR@1': 1, 'NDCG@1': 1 });
  expect(itemMetrics([result(1, [0])], [1])).toEqual({ 'HR@1': 0, 'NDCG@1': 0 });
  expect(sidMetrics([result(2, [9, 2])], index, [1, 2])['HR@2']).toBe(1);
  expect(sidMetrics([result(9, [9])], index, [1])['HR@1']).toBe(0);
});

test('ids without a SID take up a rank each, the same one once', () => {
  const index = [['<a_1>'], ['<a_2>']];
  expect(sidMetrics([result(1, [9, 8, 9, 1])], index, [2, 3])).toEqual({
    ...{ 'HR@2': 0, 'NDCG@2': 0, 'HR@3': 1, 'NDCG@3': 1 / 2 },
  });
});

test.each([0, -1, 1.5, NaN])('a list has no first %d items', (k) => {
  expect(() => rankMetrics([1], [1, k])).toThrow(`metrics: expected k to be a positive integer, got ${k}`);
});

test('with a SID for each item of its own, both levels agree', () => {
  const index = Array.from({ length: 6 }, (_, i) => [`<a_${i}>`]);
  const list = fc.uniqueArray(fc.nat(5), { minLength: 1 });
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(5), list)), (rows) => {
      const results = rows.map(([target, items]) => result(target, items));
      expect(sidMetrics(results, index)).toEqual(itemMetrics(results));
    }),
  );
});

test('invalid and duplicate items are counted over the whole list', () => {
  const results = [result(0, [0, 0, 0, 7, -1]), result(1, [1, 2, 1.5])];
  expect(checkResults(results, 3)).toEqual({ rows: 2, invalid: 3, duplicates: 2 });
});

test('results read back, one alone too', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'sidlab-'));
  const path = join(dir, 'run', 'results.jsonl');
  const results = [result(1, [2, 1]), result(3, [])];
  writeResults(path, results);
  expect(await readResults(path)).toEqual(results);
  writeResults(path, results.slice(0, 1));
  expect(await readResults(path)).toEqual(results.slice(0, 1));
  writeFileSync(path, '');
  await expect(readResults(path)).rejects.toThrow('got an empty file');
  rmSync(dir, { recursive: true });
});

describe('a broken line of results is named', () => {
  const good = result(1, [2, 1]);

  test.each<[string, object | string]>([
    ['not valid JSON', '{"user":'],
    ['user is missing', { ...good, user: 7 }],
    ['history is missing', { ...good, history: undefined }],
    ['history is missing', { ...good, history: ['0'] }],
    ['history is missing', { ...good, history: 0 }],
    ['target is missing', { ...good, target: null }],
    ['items is missing', { ...good, items: '21' }],
    ['items is missing', { ...good, items: [2, null] }],
    ['scores (one an item) is missing', { ...good, scores: ['1', '0'] }],
    ['scores (one an item) is missing', { ...good, scores: undefined }],
    ['scores (one an item) is missing', { ...good, scores: [1] }],
    ['scores (one an item) is missing', { ...good, items: [2, 1, 0] }],
  ])('%s: %j', async (message, line) => {
    const path = join(mkdtempSync(join(tmpdir(), 'sidlab-')), 'results.jsonl');
    const text = typeof line === 'string' ? line : JSON.stringify(line);
    writeFileSync(path, `${JSON.stringify(good)}\n${text}\n`);
    await expect(readResults(path)).rejects.toThrow(`results.jsonl:2: ${message}`);
  });
});
