/** Rows of unlike lengths are decoded together, and each result is of its own row. */
import { afterEach, beforeAll, expect, test, vi } from 'vitest';
import { loadDataset } from '../../lib/data/load.js';
import { readIndex } from '../../lib/data/sid-index.js';
import type { Row } from '../../lib/data/dataset.js';
import { beamSearch } from '../../lib/decode/beam-search.js';
import { useEngine } from '../../lib/engine/engine.js';
import { evaluate } from '../../lib/evaluate/evaluate.js';
import { rankRows } from '../../lib/evaluate/rank-rows.js';
import { checkResults } from '../../lib/evaluate/metrics.js';
import { loadRecommender, type Recommender } from '../../lib/evaluate/recommender.js';
import { shuffleHistories } from '../../lib/evaluate/shuffle-histories.js';

afterEach(() => void vi.restoreAllMocks());

let recommender: Recommender;
let rows: Row[];
beforeAll(async () => {
  await useEngine();
  const dataset = await loadDataset('test/cases/shop');
  const index = readIndex('test/cases/shop/shop.index.json', dataset.items.length);
  recommender = loadRecommender('test/cases/m_plain', index, 'sids');
  rows = dataset.test.map((row, i) => ({ ...row, user: `u${i}`, history: row.history.slice(0, 1 + ((i * 7) % 5)) }));
});

test.each([1, 25, 16_384])('in batches of %d tokens: row by row what each row gets alone', async (tokenBudget) => {
  const results = await rankRows(recommender, rows, { numBeams: 4, tokenBudget });
  expect(results.map(({ user, history, target }) => ({ user, history, target }))).toEqual(rows);
  const lengths = rows.map(({ history }) => history.length);
  expect(new Set(lengths).size).toBeGreaterThan(2); // so that they are decoded in another order
  results.forEach(({ items, scores }, r) => {
    const [alone] = beamSearch(recommender.model, recommender.trie, [recommender.render.prompt(rows[r]!.history)], {
      numBeams: 4,
    });
    expect(items).toEqual(alone!.items);
    scores.forEach((score, i) => expect(score).toBeCloseTo(alone!.scores[i]!, 4));
  });
});

test('users a second, by a clock of our own', async () => {
  let now = 5000;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  const render = {
    ...recommender.render,
    prompt: (history: readonly number[]) => {
      now += 125;
      return recommender.render.prompt(history);
    },
  };
  const { report } = await evaluate({ ...recommender, render }, rows.slice(0, 4), { numBeams: 1 });
  expect(report).toMatchObject({ rows: 4, usersPerSecond: 8 });
});

test('metrics of the results are those of the rows: a target that is always first, one that never is there', async () => {
  const ranked = await rankRows(recommender, rows, { numBeams: 4 });
  const first = rows.map((row, r) => ({ ...row, target: ranked[r]!.items[0]! }));
  const absent = rows.map((row, r) => ({
    ...row,
    target: recommender.index.findIndex((_, id) => !ranked[r]!.items.includes(id)),
  }));
  expect((await evaluate(recommender, first, { numBeams: 4 })).report.item).toEqual({
    ...{ 'HR@1': 1, 'NDCG@1': 1, 'HR@3': 1, 'NDCG@3': 1 },
  });
  expect((await evaluate(recommender, absent, { numBeams: 4 })).report.item).toEqual({
    ...{ 'HR@1': 0, 'NDCG@1': 0, 'HR@3': 0, 'NDCG@3': 0 },
  });
});

test.each([
  [1, [1]],
  [2, [1]],
  [3, [1, 3]],
  [10, [1, 3, 5, 10]],
  [19, [1, 3, 5, 10]],
  [20, [1, 3, 5, 10, 20]],
  [undefined, [1, 3, 5, 10, 20, 50]],
])('%d beams are measured at %j', async (numBeams, ks) => {
  const { report } = await evaluate(recommender, rows.slice(0, 2), numBeams === undefined ? {} : { numBeams });
  expect(report.beams).toBe(numBeams ?? 50);
  const names = ks.flatMap((k) => [`HR@${k}`, `NDCG@${k}`]);
  expect([Object.keys(report.item), Object.keys(report.sid)]).toEqual([names, names]);
});

test.each([
  [0, 0],
  [2, 0],
  [3, 1],
  [4, 1],
  [-1, 1],
  [0.5, 1],
  [NaN, 1],
])('of three items, the entry %d: %d invalid', (id, invalid) => {
  const result = { user: 'A', history: [0], target: 1, items: [1, id], scores: [2, 1] };
  expect(checkResults([result], 3)).toEqual({ rows: 1, invalid, duplicates: 0 });
});

test('histories dealt to the wrong rows: the same ones, and nothing else of a row', () => {
  const shuffled = shuffleHistories(rows, 3);
  expect(shuffled.map(({ user, target }) => ({ user, target }))).toEqual(
    rows.map(({ user, target }) => ({ user, target })),
  );
  const sorted = (of: readonly Row[]): string[] => of.map(({ history }) => String(history)).sort();
  expect(sorted(shuffled)).toEqual(sorted(rows));
  expect(shuffled).not.toEqual(rows);
  expect(shuffleHistories(rows, 3)).toEqual(shuffled);
  expect(shuffleHistories(rows, 4)).not.toEqual(shuffled);
  expect(shuffleHistories(rows)).toEqual(shuffleHistories(rows, 42));
});
