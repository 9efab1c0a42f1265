import fc from '../fast-check.js';
import { expect, test } from 'vitest';
import { SPLITS } from '../../lib/data/dataset.js';
import { flagged, nothingRemoved } from '../../lib/data/filter/filter-rules.js';
import { filterInteractions, itemOf } from '../../lib/data/filter/filter.js';
import { filterRules } from '../../lib/data/filter/filter-options.js';
import { orderByTime } from '../../lib/data/filter/order-by-time.js';
import { atWidest } from '../../lib/data/filter/select.js';
import { buildRows, splitRows } from '../../lib/data/filter/split-rows.js';
import type { CatalogueItem } from '../../lib/data/raw/shelf.js';
import { type Review, reviewsTable } from '../../lib/data/raw/reviews.js';
import { itemsTable } from '../../lib/data/table.js';
import { toTable } from '../../lib/figures/tables/to-table.js';

const items: CatalogueItem[] = ['A', 'B', 'C'].map((asin) => ({
  asin,
  title: `Title of ${asin}`,
  description: '',
  brand: '',
  categories: '',
}));
const bought = (user: string, asin: string, time: number): Review => ({ user, asin, stars: 5, time });
const january = Date.UTC(2016, 0, 1) / 1000;

test('rows: every interaction with one before it, the last items of the history, repeats kept', () => {
  const chain = [5, 6, 5, 7].map((item) => ({ user: 'U', item }));
  expect(buildRows([...chain, { user: 'V', item: 1 }], 2)).toEqual([
    { user: 'U', history: [5], target: 6 },
    { user: 'U', history: [5, 6], target: 5 },
    { user: 'U', history: [6, 5], target: 7 },
  ]);
});

test('equal times keep the order of the file; ids follow the metadata; a table does as well as reviews', () => {
  const reviews = [bought('U', 'C', january + 1), bought('U', 'B', january + 1), bought('U', 'A', january)];
  const filtered = filterInteractions(reviews, items, { userK: 1, itemK: 1, split: 'leave-one-out' });
  expect(filtered.asins).toEqual(['A', 'B', 'C']);
  expect(filtered.test).toEqual([{ user: 'U', history: [0, 2], target: 1 }]);
  expect(filtered.valid).toEqual([{ user: 'U', history: [0], target: 2 }]);
  const options = { userK: 1, itemK: 1, split: 'leave-one-out' } as const;
  expect(filterInteractions(reviewsTable(reviews), items, options)).toEqual(filtered);
});

test('months are included on both ends, in UTC, and dropped before counting', () => {
  const end = Date.UTC(2016, 2, 1) / 1000;
  const reviews = [january - 1, january, end - 1, end].map((time) => bought('U', 'A', time));
  const options = { itemK: 1, from: '2016-01', to: '2016-02' };
  const { counts } = filterInteractions(reviews, items, { userK: 2, ...options });
  expect(counts).toMatchObject({ interactions: 2, removed: { interactionsOutsideDates: 2 } });
  expect(() => filterInteractions(reviews, items, { userK: 3, ...options })).toThrow('nothing is left of 4 reviews');
});

test('chronological shares are floors of 0.8 n and 0.9 n for every n', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 400 }), (n) => {
      const rows = Array.from({ length: n }, (_, i) => ({ user: 'U', history: [0], target: i }));
      const { train, valid, test: last } = splitRows(rows, 'chronological');
      expect([...train, ...valid, ...last]).toEqual(rows);
      // 10 times a whole number: no rounding in sight
      expect(10 * train.length <= 8 * n && 10 * (train.length + 1) > 8 * n).toBe(true);
      const before = train.length + valid.length;
      expect(10 * before <= 9 * n && 10 * (before + 1) > 9 * n).toBe(true);
    }),
  );
});

test('leave-one-out: the last row of each user tests, the one before validates', () => {
  const rows = ['U', 'V', 'U', 'U', 'V'].map((user, i) => ({ user, history: [0], target: i }));
  const splits = splitRows(rows, 'leave-one-out');
  expect(SPLITS.map((split) => splits[split].map(({ target }) => target))).toEqual([[0], [1, 2], [3, 4]]);
});

test('tables: a row a row, an item an item', () => {
  const reviews = [0, 1, 2].map((i) => bought('U', items[i]!.asin, january + i));
  const filtered = filterInteractions(reviews, items, { userK: 1, itemK: 1 });
  expect(toTable(filtered).objects()).toEqual([
    { split: 'train', user: 'U', history: [0], length: 1, target: 1 },
    { split: 'test', user: 'U', history: [0, 1], length: 2, target: 2 },
  ]);
  expect(itemsTable(filtered.items).array('title')).toEqual(['Title of A', 'Title of B', 'Title of C']);
});

test('nothing is counted before the first rule; items that are kept have the flag 1', () => {
  const { duplicateItems, ...others } = nothingRemoved(3);
  expect([duplicateItems, Object.keys(others).length, new Set(Object.values(others))]).toEqual([3, 10, new Set([0])]);
  expect([...flagged(Int32Array.of(2, -1, 0), 4)]).toEqual([1, 0, 1, 0]);
});

test('seconds of some years in order: every digit of a number decides', () => {
  const times = Float64Array.from({ length: 3000 }, (_, i) => 1.4e9 + ((i * 7_919_317) % 150_000_001) / 2);
  const sorted = [...times.keys()].sort((a, b) => times[a]! - times[b]! || a - b);
  expect([...orderByTime(times)]).toEqual(sorted);
  expect([...orderByTime(times.map((time) => -time))]).toEqual([...sorted].reverse());
});

test('the first month moves back until one item is left, and no further than the earliest time', () => {
  const reviews = [0, 1].map((day) => bought('U', 'A', Date.UTC(1995, 0, 1 + day) / 1000));
  const { counts } = filterInteractions(reviews, items, { userK: 1, itemK: 1, minItems: 1 });
  expect(counts).toMatchObject({ items: 1, interactions: 2, dates: { from: '1994-10', to: '2018-10' } });
  const tried: string[] = [];
  const attempt = (earliest: number) => () =>
    atWidest(filterRules({ minItems: 3 }), nothingRemoved(0), { length: 9, earliest }, ({ from }) => {
      tried.push(from);
      return { items: 2, interactions: 4 };
    });
  const message = 'filter: expected 3 items, got 2 with all dates since the first review';
  expect(attempt(Date.UTC(1994, 9, 1) / 1000)).toThrow(message);
  expect(attempt(Infinity)).toThrow(message);
  expect(tried).toEqual(['1996-10', '1995-10', '1994-10', '1996-10']);
});

test('HTML is taken out of texts made in memory, unless plainText says no; fields beside the texts are kept', () => {
  const listed = items.map((item) => ({ ...item, title: 'A &amp; B', extra: { price: 5 } }));
  const reviews = [0, 1].map((i) => bought('U', 'A', january + i));
  const titles = (options: object) => filterInteractions(reviews, listed, { userK: 1, itemK: 1, ...options }).items;
  expect([{}, { plainText: true }, { plainText: false }].map((options) => titles(options)[0]!.title)).toEqual(['A & B', 'A & B', 'A &amp; B']); // prettier-ignore
  const texts = { title: 'T', description: 'D', brand: 'B', categories: 'C' };
  expect(itemOf({ asin: 'A', ...texts })).toStrictEqual(texts);
  expect(itemOf({ asin: 'A', ...texts, extra: { price: 5 } })).toStrictEqual({ ...texts, extra: { price: 5 } });
});

test('nothing left: the rules that removed something, with their counts', () => {
  const message = 'filter: nothing is left of 1 reviews (usersWithOneInteraction 1, itemsBelowK 1, interactionsBelowK 1); lower --user-k (5) or --item-k (4), or widen --from and --to'; // prettier-ignore
  expect(() => filterInteractions([bought('U', 'A', january)], items, { itemK: 4 })).toThrow(message);
});
