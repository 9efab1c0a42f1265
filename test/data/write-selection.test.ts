/** Rows straight into files, from selections made by hand: numbers of any length, names of any, files of megabytes. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from '../fast-check.js';
import { afterAll, expect, test } from 'vitest';
import { type Split, SPLITS } from '../../lib/data/dataset.js';
import { filterRules, SPLIT_RULES, type SplitRule } from '../../lib/data/filter/filter-options.js';
import { nothingRemoved } from '../../lib/data/filter/filter-rules.js';
import { nothingPlain } from '../../lib/data/filter/plain-item.js';
import { blocksInMemory, type SelectedBlock, type Selection } from '../../lib/data/filter/select.js';
import { buildRows, splitRows } from '../../lib/data/filter/split-rows.js';
import { writeSelection } from '../../lib/data/filter/write-rows.js';
import { formatInter } from '../../lib/data/inter-file.js';
import { IdTable } from '../../lib/data/raw/id-table.js';
import { Random } from '../../lib/support/random.js';

const dir = mkdtempSync(join(tmpdir(), 'sidlab-'));
afterAll(() => rmSync(dir, { recursive: true }));

/** @param interactions user's place in `names`, and item; users come in the order of `names` first */
function selectionOf(
  names: string[],
  interactions: [number, number][],
  window: number,
  split: SplitRule,
  block?: number,
): Selection {
  const userNames = new IdTable();
  userNames.id('nobody'); // so that a user's id is not its name's number
  const numbers = names.map((name) => userNames.id(name));
  const order = [...new Set(interactions.map(([user]) => user))];
  const users = Int32Array.from(interactions, ([user]) => order.indexOf(user));
  const items = Int32Array.from(interactions, ([, item]) => item);
  return {
    length: interactions.length,
    blocks: () => (block === undefined ? blocksInMemory(users, items, timeOf) : blocksOf(users, items, block)),
    timed: true,
    userOf: Int32Array.from(order, (user) => numbers[user]!),
    userNames,
    catalogue: [],
    removed: nothingRemoved(0),
    plain: nothingPlain(),
    rules: filterRules({ window, split }),
  };
}

/** Blocks in arrays that are used again, as those of a file are: behind the last block lies what came before. */
function* blocksOf(users: Int32Array, items: Int32Array, block: number): Generator<SelectedBlock> {
  const again = { users: new Int32Array(block), items: new Int32Array(block), times: new Float64Array(block) };
  for (let from = 0; from < users.length; from += block) {
    const length = Math.min(block, users.length - from);
    again.users.set(users.subarray(from, from + length));
    again.items.set(items.subarray(from, from + length));
    for (let i = 0; i < length; i++) again.times[i] = timeOf(from + i);
    yield { length, ...again };
  }
}

const timeOf = (i: number): number => 1e9 + 100 * i + (i % 3) / 4;

function expectWritten(
  names: string[],
  interactions: [number, number][],
  window: number,
  split: SplitRule,
  block?: number,
): void {
  const paths = Object.fromEntries(SPLITS.map((name) => [name, join(dir, `x.${name}.inter`)])) as Record<Split, string>;
  const other = join(dir, 'counts.txt');
  const selection = selectionOf(names, interactions, window, split, block);
  const timed = { valid: join(dir, 'x.valid.times'), test: join(dir, 'x.test.times') };
  const counts = writeSelection(selection, paths, [[other, (rows) => JSON.stringify(rows)]], timed);
  const rows = buildRows(interactions.map(([user, item]) => ({ user: names[user]!, item })), window); // prettier-ignore
  const places = interactions.flatMap(([user], i) =>
    interactions.findIndex(([other]) => other === user) < i ? [i] : [],
  );
  const plain = splitRows(rows, split);
  const times = new Map(rows.map((row, i) => [row, timeOf(places[i]!)]));
  for (const name of ['valid', 'test'] as const) {
    expect(readFileSync(timed[name], 'utf8')).toBe(plain[name].map((row) => `${times.get(row)!}\n`).join(''));
  }
  for (const name of SPLITS) {
    expect(readFileSync(paths[name], 'utf8') === formatInter(plain[name]), name).toBe(true);
    expect(counts[name]).toBe(plain[name].length);
  }
  expect(JSON.parse(readFileSync(other, 'utf8'))).toEqual(counts);
}

/** Every number of digits, at both of its ends. */
const NUMBERS = [0, 2 ** 31 - 1, ...Array.from({ length: 9 }, (_, i) => [10 ** (i + 1) - 1, 10 ** (i + 1)]).flat()];

test('whole numbers of one to ten digits', () => {
  const random = new Random(1);
  const all = [...NUMBERS, ...Array.from({ length: 300 }, () => Math.floor(10 ** (9.3 * random.next())))];
  for (const window of [1, 3]) expectWritten(['U'], all.map((item) => [0, item]), window, 'chronological'); // prettier-ignore
});

test.each(SPLIT_RULES)('blocks in arrays that are longer: %s', (split) => {
  const interactions = Array.from({ length: 23 }, (_, i): [number, number] => [(i * i) % 5, i]);
  expectWritten(['A', 'B', 'C', 'D', 'E'], interactions, 3, split, 5);
});

test('a name that is longer than half of what is held at once', () => {
  expectWritten(['x'.repeat(600_000), 'B'], [[0, 1], [1, 2], [0, 3], [1, 4], [0, 5]], 2, 'leave-one-out'); // prettier-ignore
});

test('any names, windows and splits', () => {
  const name = fc.oneof(fc.stringMatching(/^[a-z]{1,5}$/), fc.constantFrom('x'.repeat(63), 'y'.repeat(64), 'z'.repeat(65), 'é'.repeat(32), 'é'.repeat(33), '€'.repeat(300))); // prettier-ignore
  const input = fc.record({
    names: fc.uniqueArray(name, { minLength: 1, maxLength: 5 }),
    picks: fc.array(fc.tuple(fc.nat(4), fc.constantFrom(...NUMBERS)), { minLength: 1, maxLength: 60 }),
    window: fc.integer({ min: 1, max: 6 }),
    split: fc.constantFrom(...SPLIT_RULES),
  });
  fc.assert(
    fc.property(input, ({ names, picks, window, split }) => {
      const interactions = picks.map(([user, item]): [number, number] => [user % names.length, item]);
      expectWritten(names, interactions, window, split);
    }),
    { numRuns: 100 },
  );
});

test.each([
  [1, 120_000],
  [2, 90_000],
  [8, 40_000],
])('files of megabytes are flushed between rows, the longest rows too: window %i', (window, count) => {
  const names = ['A', 'B'.repeat(window === 8 ? 200 : 1)];
  const interactions = Array.from({ length: count }, (_, i): [number, number] => [i % 2, 2 ** 31 - 1 - (i % 10)]);
  expectWritten(names, interactions, window, 'chronological');
});
