/** Every detector on rows that can be checked by hand: its worked example, the bound beside it, and what it needs. */
import { describe, expect, test } from 'vitest';
import { badCases } from '../../lib/badcase/bad-cases.js';
import type { AnyDetector } from '../../lib/badcase/detector.js';
import { AMBIGUOUS_SID } from '../../lib/badcase/modes/ambiguous-sid.js';
import { tellingCategories } from '../../lib/badcase/modes/category.js';
import { CROWDED_CODE } from '../../lib/badcase/modes/crowded-code.js';
import { DRIFT } from '../../lib/badcase/modes/drift.js';
import { FAR_FROM_HISTORY } from '../../lib/badcase/modes/far-from-history.js';
import { HISTORY_DOES_NOT_FIT } from '../../lib/badcase/modes/history-does-not-fit.js';
import { LIST_OFF_CATEGORY } from '../../lib/badcase/modes/list-off-category.js';
import { LONG_TAIL } from '../../lib/badcase/modes/long-tail.js';
import { leftAt, LOST_AT_FIRST_CODE } from '../../lib/badcase/modes/lost-at-first-code.js';
import { LOST_AT_LATER_CODE } from '../../lib/badcase/modes/lost-at-later-code.js';
import { NEAR_MISS } from '../../lib/badcase/modes/near-miss.js';
import { POPULARITY_BIAS } from '../../lib/badcase/modes/popularity-bias.js';
import { isSibling, PREFIX_COMPETITION } from '../../lib/badcase/modes/prefix-competition.js';
import { REPEAT_MISSED } from '../../lib/badcase/modes/repeat-missed.js';
import { REPEATS_PUSHED } from '../../lib/badcase/modes/repeats-pushed.js';
import { SEARCH_ERROR } from '../../lib/badcase/modes/search-error.js';
import { TARGET_OFF_CATEGORY } from '../../lib/badcase/modes/target-off-category.js';
import type { Dataset, Row } from '../../lib/data/dataset.js';
import type { Result } from '../../lib/evaluate/results-file.js';

const PLAIN = { title: '', description: '', brand: '', categories: '' };

interface World {
  items?: number;
  categories?: string[];
  train?: Row[];
}

function world({ items = 12, categories, train = [] }: World = {}): Dataset {
  const list = Array.from({ length: categories?.length ?? items }, (_, i) => ({
    ...{ ...PLAIN, title: `item ${i}` },
    categories: categories?.[i] ?? '',
  }));
  return { name: 'Toys', dir: '', items: list, train, valid: [], test: [] };
}

let users = 0;
function row(history: number[], target: number, items: number[], logProbs?: number[]): Result {
  const scores = items.map((_, i) => -1 - i);
  return { user: `u${users++}`, history, target, items, scores, ...(logProbs && { targetLogProbs: logProbs }) };
}

/** Which of the rows are of the mode; their lists are cut to the first two, so that few are found. */
function found(detector: AnyDetector, results: Result[], dataset = world(), options: object = {}): boolean[] {
  const { notRun, cases } = badCases(results, dataset, { detectors: [detector], topK: 2, ...options });
  expect(notRun).toEqual([]);
  const modes = new Map(cases.map((one) => [one.row, one.modes]));
  return results.map((_, i) => modes.get(i)?.includes(detector.name) ?? false);
}

/** Training rows that buy each item so often, by users of their own. */
const bought = (counts: Record<number, number>): Row[] =>
  Object.entries(counts).flatMap(([item, times]) =>
    Array.from({ length: times }, (_, i) => ({ user: `t${item}-${i}`, history: [11], target: Number(item) })),
  );

const index = [
  ['<a_0>', '<b_0>'],
  ['<a_0>', '<b_1>'],
  ['<a_0>', '<b_2>'],
  ['<a_1>', '<b_0>'],
  ['<a_1>', '<b_0>'],
  ...[5, 6, 7, 8, 9, 10, 11].map((i) => [`<a_${i}>`, '<b_0>']),
];

describe('semantic IDs', () => {
  test('ambiguous: another item has the SID', () => {
    expect(found(AMBIGUOUS_SID, [row([0], 3, []), row([0], 4, []), row([0], 0, [])], world(), { index })).toEqual([true, true, false]); // prettier-ignore
  });

  test('crowded: the first code of more than the share, and of several times the average', () => {
    const crowd = [...Array(8).fill(['<a_0>']), ...[1, 2, 3, 4].map((i) => [`<a_${i}>`])].map((sid: string[], i) => [...sid, `<b_${i}>`]); // prettier-ignore
    const rows = [row([0], 0, []), row([0], 8, [])];
    // eight of twelve items; a code has 12 / 5 on average
    expect(found(CROWDED_CODE, rows, world(), { index: crowd, crowdedTimes: 3 })).toEqual([true, false]);
    expect(found(CROWDED_CODE, rows, world(), { index: crowd, crowdedTimes: 4 })).toEqual([false, false]);
    expect(found(CROWDED_CODE, rows, world(), { index: crowd, crowdedTimes: 3, crowdedShare: 0.7 })).toEqual([false, false]); // prettier-ignore
  });

  test('lost at the first code, or at a later one; a listed target is not lost', () => {
    const rows = [row([0], 0, [5, 6]), row([0], 0, [5, 1]), row([0], 0, [5, 6, 0])];
    expect(found(LOST_AT_FIRST_CODE, rows, world(), { index })).toEqual([true, false, false]);
    expect(found(LOST_AT_LATER_CODE, rows, world(), { index })).toEqual([false, true, false]);
    expect(leftAt(index, [5, 1], 0)).toBe(1);
    expect(leftAt(index, [5, 6], 0)).toBe(0);
  });

  test('prefix competition: siblings among the first items, of a row that fails', () => {
    const rows = [row([0], 0, [1, 5, 2]), row([0], 0, [5, 6, 1]), row([0], 0, [1, 0])];
    expect(found(PREFIX_COMPETITION, rows, world(), { index, competitors: 0.5 })).toEqual([true, false, false]);
    expect([isSibling(index, 0, 1), isSibling(index, 0, 5)]).toEqual([true, false]);
    expect(isSibling([['<a_1>'], ['<a_1>', '<b_1>']], 0, 1)).toBe(false);
  });
});

describe('popularity and time', () => {
  test('long tail: rare items, but for those never seen', () => {
    const dataset = world({ train: bought({ 0: 30, 1: 5, 2: 1 }) }); // and item 11 with every row
    const rows = [row([0], 0, []), row([0], 1, []), row([0], 2, []), row([0], 3, [])];
    expect(found(LONG_TAIL, rows, dataset, { tailShare: 0.05 })).toEqual([false, false, true, false]);
    expect(found(LONG_TAIL, rows, dataset, { tailShare: 0.1 })).toEqual([false, true, true, false]);
  });

  test('popularity bias: the list is above every item of the history, and far above most', () => {
    const dataset = world({ train: bought({ 0: 90, 1: 90, 2: 3, 3: 3, 4: 3, 5: 90, 6: 22 }) });
    const list = [0, 1];
    const rows = [
      row([2, 3, 4], 7, list), // (1 + 90) over (1 + 3): 23 times
      row([2, 3, 5], 7, list), // one item is as popular as the list
      row([2, 3], 7, list), // too short to tell
      row([6, 6, 6], 7, list), // 91 over 23 is 3.96 times
      row([6, 6, 2], 7, list),
    ];
    expect(found(POPULARITY_BIAS, rows, dataset)).toEqual([true, false, false, false, true]);
    expect(found(POPULARITY_BIAS, rows, dataset, { popularityTimes: 3.9 })[3]).toBe(true);
  });

  test('drift: bought often enough, and not in the first part of the rows', () => {
    const order = [0, 0, 0, 1, 1, 1, 2, 2, 2, 0, 1, 2];
    const train = order.map((target, i) => ({ user: `t${i}`, history: [11], target }));
    const rows = [row([3], 0, []), row([3], 1, []), row([3], 2, []), row([3], 4, [])];
    expect(found(DRIFT, rows, world({ train }), { driftCount: 4, driftPart: 0.5 })).toEqual([
      false,
      false,
      true,
      false,
    ]);
    expect(found(DRIFT, rows, world({ train }), { driftCount: 4, driftPart: 0.25 })).toEqual([false, true, true, false]); // prettier-ignore
    expect(found(DRIFT, rows, world({ train }), { driftCount: 5, driftPart: 0.25 })).toEqual([false, false, false, false]); // prettier-ignore
  });
});

describe('the list beside history and target', () => {
  test('repeats: missed, and pushed', () => {
    const rows = [row([0, 1], 1, [2, 3]), row([0, 1], 4, [0, 3]), row([0, 1], 4, [5, 3]), row([0, 1], 1, [0, 2])];
    expect(found(REPEAT_MISSED, rows)).toEqual([true, false, false, true]);
    expect(found(REPEATS_PUSHED, rows)).toEqual([false, true, false, false]);
    expect(found(REPEATS_PUSHED, rows, world(), { pushedShare: 0.6 })).toEqual([false, false, false, false]);
  });

  test('near miss: behind the first k, not behind the bound', () => {
    const list = [3, 4, 5, 6];
    const rows = [row([0], 3, list), row([0], 5, list), row([0], 6, list), row([0], 9, list)];
    expect(found(NEAR_MISS, rows, world(), { nearMiss: 3 })).toEqual([false, true, false, false]);
  });

  test('search error: not listed, and above the last one that is', () => {
    const rows = [row([0], 5, [1, 2], [-1, -0.5]), row([0], 5, [1, 2], [-1, -2]), row([0], 1, [1, 2], [-1, 0])];
    expect(found(SEARCH_ERROR, rows)).toEqual([true, false, false]);
    const { notRun } = badCases([row([0], 5, [1])], world(), { detectors: [SEARCH_ERROR] });
    const flag = 'evaluate --score-targets without --length-penalty or --assistant';
    expect(notRun).toEqual([{ name: 'search error', needs: ['targetScores'], flag }]);
    // lists that are not ranked by log-probabilities: listed targets have other scores
    const ranked = [row([0], 5, [1, 2], [-1, -0.5]), row([0], 1, [1, 2], [-2, -1])];
    expect(badCases(ranked, world(), { detectors: [SEARCH_ERROR] }).notRun).toEqual(notRun);
  });

  const categories = ['Shop, Books', 'Shop, Books', 'Shop, Tools', 'Shop, Tools', 'Shop, Pets', 'Shop'];

  test('the telling category is the first that no category holds more than half of', () => {
    expect(tellingCategories(categories.map((text) => ({ categories: text })))).toEqual(['Books', 'Books', 'Tools', 'Tools', 'Pets', '']); // prettier-ignore
    expect(tellingCategories([{ categories: 'A, x' }, { categories: 'B, x' }])).toEqual(['A', 'B']);
    expect(tellingCategories([{ categories: 'A' }, { categories: '' }])).toEqual(['A', '']);
    expect(tellingCategories([{ categories: '' }])).toEqual(['']);
  });

  test('category mismatch of the list, and of the target', () => {
    const dataset = world({ categories });
    const rows = [
      row([0, 1, 0], 4, [2, 3]), // list of tools for a reader, who wants something for pets
      row([0, 1, 0], 2, [2, 1]), // half of the list is of books
      row([0, 0], 4, [2, 3]), // a short history does not tell
      row([0, 1, 5], 4, [2, 3]), // one item is of no known category
      row([0, 1, 4], 5, [0, 1]), // the target is of none
    ];
    expect(found(LIST_OFF_CATEGORY, rows, dataset)).toEqual([true, false, false, false, false]);
    expect(found(TARGET_OFF_CATEGORY, rows, dataset)).toEqual([true, false, true, true, false]);
  });
});

describe('history and target', () => {
  test('far: no item of the history is as near as the nearest random one usually is', () => {
    // two groups at a right angle; in the whole catalogue half of the pairs have cosine 1
    const vectors = { rows: 12, width: 2, data: Float32Array.from([...Array(12).keys()].flatMap((i) => (i < 6 ? [1, 0] : [0, 1]))) }; // prettier-ignore
    const rows = [row([0, 1, 2], 7, []), row([0, 1, 7], 8, []), row([0, 1], 7, [])];
    // three random items are all at a right angle in one of eight cases
    expect(found(FAR_FROM_HISTORY, rows, world(), { vectors })).toEqual([true, false, false]);
    expect(found(FAR_FROM_HISTORY, rows, world(), { vectors, farQuantile: 0.05 })).toEqual([false, false, false]);
    const alike = { ...vectors, data: vectors.data.map((_, i) => (i % 2 === 0 ? 1 : 0)) };
    expect(found(FAR_FROM_HISTORY, [row([0, 1, 2], 7, [])], world(), { vectors: alike })).toEqual([false]);
  });

  /** Two worlds of six items: who buys in one never buys in the other. */
  const train = [...Array(60).keys()].map((i) => {
    const [base, at] = [i % 2 === 0 ? 0 : 6, Math.floor(i / 2) % 6];
    const of = (k: number): number => base + ((at + k) % 6);
    return { user: `t${i}`, history: [of(1), of(2), of(3)], target: of(0) };
  });
  const own = (i: number): Result => row([1, 2, 3].map((k) => (i % 2) * 6 + k), (i % 2) * 6, []); // prettier-ignore
  const other = (i: number): Result => row([1, 2, 3].map((k) => ((i + 1) % 2) * 6 + k), (i % 2) * 6, []); // prettier-ignore

  test('does not fit: as many histories fit the target as well; but only where that is more than people do', () => {
    const dataset = world({ train });
    const mixed = [...Array(20).keys()].map((i) => (i < 12 ? other(i) : own(i)));
    expect(found(HISTORY_DOES_NOT_FIT, mixed, dataset, { fitQuantile: 0.9 })).toEqual(mixed.map((_, i) => i < 12));
    const few = [...Array(20).keys()].map((i) => (i < 4 ? other(i) : own(i)));
    expect(found(HISTORY_DOES_NOT_FIT, few, dataset, { fitQuantile: 0.9 })).toEqual(few.map(() => false));
    expect(found(HISTORY_DOES_NOT_FIT, few, dataset, { fitQuantile: 0.9, fitRows: 0.1 })).toEqual(few.map((_, i) => i < 4)); // prettier-ignore
    const two = [own(0), own(1)]; // a row is never its own comparison
    expect(found(HISTORY_DOES_NOT_FIT, two, dataset, { fitRows: 0 })).toEqual([false, false]);
    expect(found(HISTORY_DOES_NOT_FIT, [own(0)], dataset, { fitRows: 0 })).toEqual([false]);
    const short = mixed.map((result) => ({ ...result, history: result.history.slice(0, 2) }));
    expect(found(HISTORY_DOES_NOT_FIT, short, dataset, { fitQuantile: 0.9 })).toEqual(short.map(() => false));
  });
});
