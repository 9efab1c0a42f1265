/** A walk through a case with a small real model, its figure, and the table of cases. */
import { beforeAll, expect, test } from 'vitest';
import { casePath } from '../../lib/badcase/explore/case-path.js';
import { caseTable } from '../../lib/badcase/explore/case-table.js';
import { walkCase } from '../../lib/badcase/explore/walk-case.js';
import { badCases } from '../../lib/badcase/bad-cases.js';
import { RECENCY_IGNORED } from '../../lib/badcase/modes/recency-ignored.js';
import type { Dataset } from '../../lib/data/dataset.js';
import { loadDataset } from '../../lib/data/load.js';
import { readIndex } from '../../lib/data/sid-index.js';
import { beamSearch } from '../../lib/decode/beam-search.js';
import { useEngine } from '../../lib/engine/engine.js';
import { loadRecommender, type Recommender } from '../../lib/evaluate/recommender.js';
import { rankRows } from '../../lib/evaluate/rank-rows.js';

let recommender: Recommender;
let dataset: Dataset;
beforeAll(async () => {
  await useEngine();
  dataset = await loadDataset('test/cases/shop');
  const index = readIndex('test/cases/shop/shop.index.json', dataset.items.length);
  recommender = loadRecommender('test/cases/m_plain', index, 'sids');
});

test('the steps of both paths multiply to the scores of the search', () => {
  const { history, target } = dataset.test[0]!;
  const { model, trie, render, index } = recommender;
  const [list] = beamSearch(model, trie, [render.prompt(history)], { numBeams: 50, normalize: 'legal' });
  const walk = walkCase(recommender, { history, target });
  expect(walk.winner).toBe(list!.items[0]);
  for (const [item, path] of [
    [target, walk.targetPath],
    [walk.winner, walk.winnerPath],
  ] as const) {
    // prettier-ignore
    const score = path.reduce((sum, { probability }) => sum + Math.log(probability), 0);
    expect(score).toBeCloseTo(list!.scores[list!.items.indexOf(item)]!, 4);
    expect(path.slice(0, index[item]!.length).map(({ token }) => token)).toEqual(index[item]);
  }
  let shared = 0;
  while (walk.targetPath[shared] && walk.targetPath[shared]!.token === walk.winnerPath[shared]?.token) shared++;
  expect(walk.shared).toBe(shared);
  expect(walkCase(recommender, { history, target, winner: target })).toMatchObject({ shared: walk.targetPath.length });
  expect(() => walkCase(recommender, { history, target: 10_000 })).toThrow(/^walkCase: expected items from 0 to \d+, got 10000; /); // prettier-ignore
});

test('drawn: one line as far as they are the same, then two', () => {
  const step = (token: string, probability: number) => ({ token, probability });
  const figure = casePath(
    {
      ...{ target: 1, winner: 2, shared: 1 },
      targetPath: [step('<a_1>', 0.5), step('<b_1>', 0.004)],
      winnerPath: [step('<a_1>', 0.5), step('<b_2>', 0.9)],
    },
    { target: 'A <b>saw</b>', winner: 'A drill' },
  );
  expect(figure.data).toMatchObject([
    { y: [0, 0, 1], text: ['', '&lt;a_1&gt; 50 %', '&lt;b_1&gt; 0.4 %'], name: 'wanted: A &lt;b&gt;saw&lt;/b&gt;' },
    { y: [0, 0, -1], text: ['', '', '&lt;b_2&gt; 90 %'] },
  ]);
  expect(JSON.stringify(figure.layout)).toContain('0.2 % for the wanted item, 45 % for the winner');
});

test('recency ignored: by the lists of the same model without the last item, and for it alone', async () => {
  const rows = dataset.test.filter(({ history }) => history.length > 1).slice(0, 20);
  const results = await rankRows(recommender, rows, { numBeams: 10 });
  const listOf = (history: number[]): number[] =>
    beamSearch(recommender.model, recommender.trie, [recommender.render.prompt(history)], { numBeams: 3 })[0]!.items;
  const options = { recencySame: 0.6, recencyOwn: 0.4 };
  const expected = results.map(({ history, items }) => {
    const first = items.slice(0, 3);
    const common = (list: number[]): number => first.filter((item) => list.includes(item)).length / 3;
    return common(listOf(history.slice(0, -1))) >= 0.6 && common(listOf(history.slice(-1))) <= 0.4;
  });
  const { modes } = badCases(results, dataset, { topK: 3, model: recommender, detectors: [RECENCY_IGNORED], ...options } as never); // prettier-ignore
  expect(modes['recency ignored']!.rows).toBe(expected.filter(Boolean).length);
});

test('cases in words', () => {
  const one = { row: 3, user: 'u', history: [0, 1, 2, 0], target: 1, title: 'b', rank: 0, items: [2, 9], scores: [-1, -2] }; // prettier-ignore
  const items = ['a', 'b', 'c'].map((title) => ({ title }));
  expect(caseTable([{ ...one, targetScore: null, modes: ['x', 'y'] }], items, 2)).toEqual([
    { row: 3, user: 'u', rank: 0, wanted: 'b', modes: 'x, y', history: 'c | a', offered: 'c (-1.0) | item 9 (-2.0)' },
  ]);
});
