/** Items of one SID: its probability for each of them, or split among them. */
import { cpSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import type { Row } from '../../lib/data/dataset.js';
import { loadDataset } from '../../lib/data/load.js';
import { readIndex, type SidIndex, writeIndex } from '../../lib/data/sid-index.js';
import { useEngine } from '../../lib/engine/engine.js';
import { evaluateStage } from '../../lib/evaluate/evaluate-stage.js';
import { rankRows } from '../../lib/evaluate/rank-rows.js';
import { loadRecommender } from '../../lib/evaluate/recommender.js';
import { readResults } from '../../lib/evaluate/results-file.js';
import { logitAdjustment } from '../../lib/evaluate/logit-adjustment.js';
import { splitSharedSids } from '../../lib/evaluate/shared-sids.js';

let own: SidIndex;
let index: SidIndex;
let rows: Row[];
beforeAll(async () => {
  await useEngine();
  const dataset = await loadDataset('test/cases/shop');
  own = readIndex('test/cases/shop/shop.index.json', dataset.items.length);
  index = own.map((sid, item) => (item < 6 ? own[0]! : item === 8 ? own[7]! : sid)); // six of one, two of another
  rows = dataset.test.slice(0, 5);
});

const rank = (of: SidIndex, options: Parameters<typeof rankRows>[2], counts?: number[]) =>
  rankRows(loadRecommender('test/cases/m_plain', of, 'sids'), rows, { numBeams: 999, ...options }, { counts });

test('-log n, and nothing where no SID is shared', () => {
  const split = splitSharedSids([['<a_1>', '<b_2>'], ['<a_1>'], ['<a_1>', '<b_2>'], ['<a_1>']].concat([['<a_2>']]))!;
  expect([...split].map((x) => x.toFixed(4))).toEqual(['-0.6931', '-0.6931', '-0.6931', '-0.6931', '0.0000']);
  expect(splitSharedSids([['<a_1>'], ['<a_2>']])).toBeUndefined();
});

test('split, probabilities of all items sum to 1; the lists are those of all items by p(SID) / n', async () => {
  const each = await rank(index, { normalize: 'legal' });
  const split = await rank(index, { normalize: 'legal', sharedSids: 'split' });
  const sum = (scores: readonly number[]): number => scores.reduce((total, score) => total + Math.exp(score), 0);
  split.forEach(({ items, scores }, r) => {
    expect(sum(scores)).toBeCloseTo(1, 5);
    expect(sum(each[r]!.scores)).toBeGreaterThan(1.01);
    const owners = (item: number): number => (item < 6 ? 6 : item === 7 || item === 8 ? 2 : 1);
    const expected = each[r]!.items.map((item, i) => ({
      item,
      score: each[r]!.scores[i]! - Math.log(owners(item)),
    })).sort((a, b) => b.score - a.score || a.item - b.item);
    expect(items).toEqual(expected.map(({ item }) => item));
    scores.forEach((score, i) => expect(score).toBeCloseTo(expected[i]!.score, 5));
  });
  expect(split.map(({ items }) => items)).not.toEqual(each.map(({ items }) => items));
});

test('a narrow search finds the first items of a wide one, and popularity may count beside it', async () => {
  const counts = index.map((_, item) => item % 4);
  const both = await rank(index, { sharedSids: 'split', logitAdjustment: 0.5 }, counts);
  const one = await rank(index, { logitAdjustment: 0.5 }, counts);
  const [shared, popular] = [splitSharedSids(index)!, logitAdjustment(counts, 0.5)];
  const score = (r: number, item: number): number => one[r]!.scores[one[r]!.items.indexOf(item)]!;
  expect(popular[1]).not.toBe(popular[2]);
  both.forEach(({ items, scores }, r) => {
    items.forEach((item, i) => expect(scores[i]).toBeCloseTo(score(r, item) + shared[item]!, 5));
  });
});

test('where every item has its own SID nothing changes, and targets are scored', async () => {
  await expect(rank(own, { numBeams: 4, sharedSids: 'split' })).resolves.toEqual(await rank(own, { numBeams: 4 }));
});

test('of the stage it is an option, and its results have a file of their own', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sidlab-split-'));
  cpSync('test/cases/m_plain', join(folder, 'model'), { recursive: true });
  writeIndex(join(folder, 'shared.index.json'), index);
  const options = { data: 'test/cases/shop', index: join(folder, 'shared.index.json'), model: join(folder, 'model'), template: 'sids', numBeams: 20, limit: 5 }; // prettier-ignore
  const { results } = await evaluateStage({ ...options, sharedSids: 'split' });
  expect(basename(results)).toMatch(/^results-test-sids-20-split-sids-index-[0-9a-f]{8}-first-5\.jsonl$/);
  const found = await readResults(results);
  const expected = await rank(index, { numBeams: 20, sharedSids: 'split' });
  expect(found.map(({ items }) => items)).toEqual(expected.map(({ items }) => items));
  const each = await readResults((await evaluateStage(options)).results);
  expect(each.map(({ items }) => items)).not.toEqual(found.map(({ items }) => items));
});
