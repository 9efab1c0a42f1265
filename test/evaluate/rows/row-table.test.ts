import fc from '../../fast-check.js';
import { expect, test } from 'vitest';
import type { Item } from '../../../lib/data/dataset.js';
import { trainCounts } from '../../../lib/data/train-counts.js';
import { popularityPercentiles, sharedCodes } from '../../../lib/evaluate/rows/features.js';
import { itemRank, sidRanker } from '../../../lib/evaluate/rows/ranks.js';
import { rowTable } from '../../../lib/evaluate/rows/row-table.js';
import { tableText } from '../../../lib/figures/show-table.js';
import { toTable } from '../../../lib/figures/tables/to-table.js';

const item = (categories: string): Item => ({ title: 't', description: '', brand: '', categories });
const result = { user: 'A', history: [0, 3], target: 2, items: [1, 9, 1, 2], scores: [-0.5, -1, -2, -3] };
const index = [
  ['<a_1>', '<b_1>'],
  ['<a_2>', '<b_1>'],
  ['<a_1>', '<b_2>', '<c_1>'],
  ['<a_1>', '<b_2>', '<c_2>'],
];

test('the worked example of the docstring', () => {
  expect(rowTable([{ user: 'A', history: [0], target: 5, items: [7, 5], scores: [-1, -2] }])).toEqual([
    { user: 'A', target: 5, rank: 2, score: -2, lowestScore: -2, historyLength: 1, history: [0], items: [7, 5] },
  ]);
});

test('every field that a context gives', () => {
  const dataset = {
    items: ['', 'Tools, Saws', 'Tape , Glue', ''].map(item),
    train: [
      { user: 'A', history: [0], target: 2 },
      { user: 'A', history: [0, 2], target: 1 },
    ],
  };
  const [entry] = rowTable([{ ...result, targetLogProbs: [-3, -0.5] }], {
    dataset,
    index,
    times: [Date.UTC(2018, 6, 1)],
  });
  expect(entry).toEqual({
    user: 'A',
    target: 2,
    rank: 4,
    sidRank: 3,
    score: -3,
    lowestScore: result.scores.at(-1),
    logProb: -3.5,
    logProbs: [-3, -0.5],
    historyLength: 2,
    popularity: 1,
    popularityPercentile: 0.625,
    category: 'Tape',
    time: Date.UTC(2018, 6, 1),
    sharedCodes: 2,
    history: result.history,
    items: result.items,
  });
});

test('a target that the list lacks', () => {
  expect(rowTable([{ ...result, target: 3 }], { index })[0]).toMatchObject({ rank: 0, sidRank: 0, score: null });
});

test('it is a table as it is', () => {
  const table = rowTable([result, result], { index });
  expect(toTable(table).numRows()).toBe(2);
  expect(tableText(table).split('\n')[0]).toMatch(/^user +target +rank +sidRank +score/);
  expect(() => rowTable([result], { times: [] })).toThrow('expected 1 times, one a result, got 0');
});

test('SID ranks against sets of SID texts, ids without a SID among them', () => {
  const sids = ['x', 'y', 'x', 'z', 'y'];
  const rank = sidRanker(sids.map((sid) => [sid]));
  fc.assert(
    fc.property(fc.array(fc.nat(7), { maxLength: 12 }), fc.nat(6), (items, target) => {
      const distinct = [...new Set(items.map((id) => sids[id] ?? `no ${id}`))];
      expect(rank({ items, target })).toBe(sids[target] === undefined ? 0 : distinct.indexOf(sids[target]) + 1);
      expect(itemRank({ items, target })).toBe(items.indexOf(target) + 1);
    }),
  );
});

test('counts of the training rows: targets, and the history of the first row of a user', () => {
  const train = [
    { user: 'A', history: [0, 1], target: 2 },
    { user: 'A', history: [0, 1, 2], target: 0 },
    { user: 'B', history: [1], target: 2 },
  ];
  expect([...trainCounts(train, 4)]).toEqual([2, 2, 2, 0]);
});

test('percentiles: the share below and half of the ties', () => {
  expect([...popularityPercentiles([5, 0, 0, 1])]).toEqual([0.875, 0.25, 0.25, 0.625]);
  fc.assert(
    fc.property(fc.array(fc.nat(6), { minLength: 1 }), (counts) => {
      const plain = counts.map(
        (x) => (counts.filter((y) => y < x).length + counts.filter((y) => y === x).length / 2) / counts.length,
      );
      popularityPercentiles(counts).forEach((p, i) => expect(p).toBeCloseTo(plain[i]!, 12));
    }),
  );
});

test('codes in common are leading ones, of the nearest item', () => {
  expect(
    sharedCodes(
      ['<a_1>', '<b_2>'],
      [
        ['<a_1>', '<b_3>'],
        ['<a_4>', '<b_2>'],
      ],
    ),
  ).toBe(1);
  expect(sharedCodes(['<a_1>'], [])).toBe(0);
  expect(sharedCodes(['<a_1>'], [['<a_1>', '<b_1>']])).toBe(1);
});
