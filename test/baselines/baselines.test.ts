import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from '../fast-check.js';
import { expect, test } from 'vitest';
import type { Baseline } from '../../lib/baselines/baseline.js';
import { BASELINE_OPTIONS } from '../../lib/baselines/baseline-options.js';
import { BASELINE_NAMES, type BaselineName, BASELINES } from '../../lib/baselines/baselines.js';
import { baselineStage } from '../../lib/baselines/baseline-stage.js';
import { itemKnn } from '../../lib/baselines/item-knn.js';
import { popularity } from '../../lib/baselines/popularity.js';
import { transition } from '../../lib/baselines/transition.js';
import type { Row } from '../../lib/data/dataset.js';
import { filterStage } from '../../lib/data/filter/filter-stage.js';
import { buildRows, type Interaction } from '../../lib/data/filter/split-rows.js';
import { writeSample } from '../../lib/data/sample/sample.js';
import { formatInter } from '../../lib/data/inter-file.js';
import { formatItems } from '../../lib/data/item-file.js';
import { itemMetrics } from '../../lib/evaluate/metrics.js';
import { readResults } from '../../lib/evaluate/results-file.js';
import { integer } from '../../lib/options/kinds.js';

const row = (user: string, history: number[], target: number): Row => ({ user, history, target });
/** U bought 1 2 3 2 3, V bought 9 3. */
const train = [row('U', [1, 2], 3), row('V', [9], 3), row('U', [1, 2, 3], 2), row('U', [2, 3, 2], 3)];

test('popularity: targets and the history of each first row; ties to the item counted first', () => {
  const [list] = popularity(train, [row('W', [1], 1)]);
  expect(list).toEqual({ user: 'W', history: [1], target: 1, items: [3, 2, 1, 9], scores: [3, 2, 1, 1] });
  expect(popularity(train, [row('W', [1], 1)], { topK: 2 })[0]!.items).toEqual([3, 2]);
});

test('transition: pairs in order of time, ties by popularity, then popularity', () => {
  const lists = transition(train, [row('W', [3], 1), row('W', [1, 2], 1), row('W', [7], 1)]);
  expect(lists.map(({ items }) => items)).toEqual([
    [2, 3, 1, 9],
    [3, 2, 1, 9],
    [3, 2, 1, 9],
  ]);
  // after 5 come 1 and 2, once each; 2 is bought more often, though 1 is counted first
  const tied = transition([row('U', [5], 1), row('U', [5, 1], 2), row('V', [5], 2)], [row('W', [5], 1)]);
  expect(tied[0]!.items).toEqual([2, 1, 5]);
  expect(lists[1]!.scores).toEqual([2 + 3 / 4, 2 / 4, 1 / 4, 1 / 4]);
});

test('item-kNN: cosine of users in common, summed over the history, then popularity', () => {
  // U has 1 2 3, V 1 2, W 2 4, X 5
  const rows = [row('U', [1, 2], 3), row('V', [1], 2), row('W', [2], 4), row('X', [6], 5)];
  const [list] = itemKnn(rows, [row('Y', [1, 1, 4], 0)], { shrinkage: 0 });
  const [one, four] = [2 / Math.sqrt(6), 1 / Math.sqrt(3)]; // 1 with 2, 4 with 2
  const third = 1 / Math.sqrt(2); // 1 with 3
  expect(list!.items).toEqual([2, 3, 1, 4, 6, 5]);
  expect(list!.scores.slice(0, 2)).toEqual([one + four, third]);
  expect(list!.scores.slice(2).every((score, i) => score < list!.scores[i + 1]! || i > 0)).toBe(true);
  expect(itemKnn(rows, [row('Y', [1], 0)], { shrinkage: 0, neighbours: 1, topK: 2 })[0]!.items).toEqual([2, 1]);
  expect(itemKnn(rows, [row('Y', [1], 0)], { shrinkage: 10, topK: 1 })[0]!.scores).toEqual([2 / (Math.sqrt(6) + 10)]);
});

test('each interaction and each consecutive pair counts once, whatever the window cuts off', () => {
  const interaction = fc.record({ user: fc.constantFrom('U', 'V', 'W'), item: fc.nat(5) });
  fc.assert(
    fc.property(
      fc.array(interaction, { minLength: 2, maxLength: 40 }),
      fc.integer({ min: 1, max: 4 }),
      (all, window) => {
        const rows = buildRows(all, window);
        const counts = plainCounts(all);
        const [popular] = popularity(rows, [row('X', [0], 0)]);
        expect(popular!.items.map((item) => counts.items[item])).toEqual(popular!.scores);
        for (let last = 0; last < 6; last++) {
          const [list] = transition(rows, [row('X', [last], 0)]);
          expect(list!.items.map((item) => counts.pairs[`${last} ${item}`] ?? 0)).toEqual(list!.scores.map(Math.floor));
          expect([...list!.scores].sort((a, b) => b - a)).toEqual(list!.scores);
          expect(new Set(list!.items)).toEqual(new Set(popular!.items));
        }
      },
    ),
  );
});

/** Of users with two interactions or more. */
function plainCounts(all: Interaction[]) {
  const counts = { items: {} as Record<string, number>, pairs: {} as Record<string, number> };
  for (const user of ['U', 'V', 'W']) {
    const chain = all.filter((one) => one.user === user).map(({ item }) => item);
    if (chain.length < 2) continue;
    for (const [i, item] of chain.entries()) {
      counts.items[item] = (counts.items[item] ?? 0) + 1;
      const pair = `${chain[i - 1]} ${item}`;
      if (i > 0) counts.pairs[pair] = (counts.pairs[pair] ?? 0) + 1;
    }
  }
  return counts;
}

test('the stage writes what it measures; an unknown name writes nothing', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'sidlab-'));
  const { reviews, meta } = writeSample({ out: dir, size: 'tiny' });
  await filterStage({ reviews, meta, out: dir, dataset: 'Sample' });
  for (const name of ['popularity', 'transition'] as const) {
    const report = await baselineStage({ baseline: name, data: dir });
    const results = await readResults(report.results);
    expect(report).toMatchObject({ name, rows: results.length, item: itemMetrics(results) });
  }
  const ofTen = await baselineStage({ baseline: 'popularity', data: dir, topK: 10 });
  expect(Object.keys(ofTen.item)).toEqual([1, 3, 5, 10].flatMap((k) => [`HR@${k}`, `NDCG@${k}`]));
  rmSync(join(dir, 'runs'), { recursive: true });
  await expect(baselineStage({ baseline: 'luck' as BaselineName, data: dir })).rejects.toThrow(
    'baseline: expected baseline to be one of popularity, transition, ',
  );
  expect(existsSync(join(dir, 'runs'))).toBe(false);
  rmSync(dir, { recursive: true });
});

test('the list: every baseline has a name of its own and a line of help, which the option says', () => {
  expect(BASELINE_NAMES).toEqual([
    'popularity',
    'transition',
    'item-knn',
    'sasrec',
    'gru4rec',
    'caser',
    'hstu',
    'tiger',
  ]);
  for (const { name, help } of BASELINES) {
    expect(BASELINE_OPTIONS.options.baseline.help).toContain(`${name}, ${help}`);
  }
  expect(popularity(train, [row('W', [1], 1)], { topK: 2 })[0]!.items).toHaveLength(2);
});

test('one of your own: ranks, is measured and written; its options are checked', async () => {
  const data = mkdtempSync(join(tmpdir(), 'sidlab-own-'));
  const { reviews, meta } = writeSample({ out: data, size: 'tiny' });
  await filterStage({ reviews, meta, out: data, dataset: 'Sample' });
  const seen: object[] = [];
  const lastAgain: Baseline = {
    name: 'last again',
    help: 'the last item of the history',
    options: { times: integer('how often', { default: 3 }) },
    rank: (_, test, options) => {
      seen.push(options);
      return test.map((asked) => ({ ...asked, items: asked.history.slice(-1), scores: [0] }));
    },
  };
  const report = await baselineStage({ baseline: lastAgain, data, topK: 7 });
  expect(report.results).toBe(join(data, 'runs', 'baseline-last again', 'results.jsonl'));
  const results = await readResults(report.results);
  expect(report).toMatchObject({ name: 'last again', rows: results.length, item: itemMetrics(results, [1, 5]) });
  expect(results.every(({ items, history }) => items[0] === history.at(-1))).toBe(true);
  expect(seen).toEqual([{ topK: 7, times: 3 }]);
  const given = { baseline: lastAgain, data, times: 0 };
  await expect(baselineStage(given)).rejects.toThrow(
    'baseline: expected times to be a whole number of 1 or more, got 0',
  );
  rmSync(data, { recursive: true });
});

const asked: Row[] = [row('W', [1], 1), row('X', [2], 3)];
const listed = asked.map((one) => ({ ...one, items: [1], scores: [0] }));
test.each([
  ['too few rows', listed.slice(1), 'got 1 lists'],
  ['no lists', undefined, 'got undefined'],
  ['another order', [...listed].reverse(), 'got list 1 of another row'],
  ['an unknown item', [listed[0]!, { ...listed[1]!, items: [9] }], 'got list 2 with an id that no item has'],
  ['an item twice', [{ ...listed[0]!, items: [1, 1], scores: [0, 0] }, listed[1]!], 'got list 1 with an item twice'],
  ['scores missing', [{ ...listed[0]!, scores: [] }, listed[1]!], 'got 0 scores of 1 items in list 1'],
])('a baseline of your own that returns %s writes nothing', async (_, lists, got) => {
  const data = mkdtempSync(join(tmpdir(), 'sidlab-bad-'));
  const items = [0, 1, 2, 3].map((i) => ({ title: `item ${i}`, description: '', brand: '', categories: '' }));
  writeFileSync(join(data, 'Toys.item.json'), formatItems(items));
  for (const split of ['train', 'valid', 'test']) {
    writeFileSync(join(data, `Toys.${split}.inter`), formatInter(split === 'test' ? asked : []));
  }
  const baseline: Baseline = { name: 'bad', help: '', rank: () => lists as never };
  await expect(baselineStage({ baseline, data })).rejects.toThrow(
    `baseline bad: expected a list of items for each of 2 test rows, ${got}; mend it`,
  );
  expect(existsSync(join(data, 'runs'))).toBe(false);
  rmSync(data, { recursive: true });
});

test.each([{}, { name: 'x' }, { name: '../x', rank: () => [] }, { name: '', rank: () => [] }, null, 3])(
  '%j is no baseline',
  async (baseline) => {
    await expect(baselineStage({ baseline: baseline as never, data: 'none' })).rejects.toThrow(
      /^baseline: expected baseline to be (a baseline with a name|one of popularity, transition)/,
    );
  },
);
