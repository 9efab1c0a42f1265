/** Rows of any order become the sequences that they came from, and chain mode trains each prediction once. */
import fc from '../fast-check.js';
import { describe, expect, test } from 'vitest';
import type { Row } from '../../lib/data/dataset.js';
import { Random } from '../../lib/support/random.js';
import { chainExample, chainTexts } from '../../lib/tasks/examples.js';
import { createRenderer } from '../../lib/tasks/prompts.js';
import { TEMPLATES } from '../../lib/tasks/templates.js';
import { userSequences } from '../../lib/data/sequences/user-sequences.js';
import { wordTokenizer } from '../../lib/lm/tokenizer/tokenizer.js';

/** `'u 1 2 -> 3'` */
function row(text: string): Row {
  const [before, target] = text.split(' -> ') as [string, string];
  const [user, ...history] = before.split(' ') as [string, ...string[]];
  return { user, history: history.map(Number), target: Number(target) };
}

/** Every prediction of a sequence but its first item's, with at most `window` items of history. */
function rowsOf(user: string, items: readonly number[], window: number): Row[] {
  return items
    .slice(1)
    .map((target, i) => ({ user, history: items.slice(Math.max(0, i + 1 - window), i + 1), target }));
}

const sequencesOf = (rows: readonly Row[], user = 'u'): number[][] => userSequences(rows).get(user)!;

/** How often each item is trained after the one before it, over texts that train all but their first item. */
function trained(sequences: readonly (readonly number[])[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const items of sequences) {
    items.slice(1).forEach((item, i) => {
      const pair = `${items[i]!} ${item}`;
      counts.set(pair, (counts.get(pair) ?? 0) + 1);
    });
  }
  return counts;
}

describe('small cases', () => {
  test.each([
    ['a row that does not continue begins a sequence', ['u 1 2 -> 3', 'u 7 8 -> 9'], [[1, 2, 3], [7, 8, 9]]],
    ['out of order', ['u 1 2 3 -> 4', 'u 1 -> 2', 'u 1 2 -> 3'], [[1, 2, 3, 4]]],
    ['in order', ['u 1 -> 2', 'u 1 2 -> 3', 'u 1 2 3 -> 4'], [[1, 2, 3, 4]]],
    ['windowed', ['u 1 -> 2', 'u 1 2 -> 3', 'u 2 3 -> 4', 'u 3 4 -> 5'], [[1, 2, 3, 4, 5]]],
    ['windowed, out of order', ['u 2 3 -> 4', 'u 3 4 -> 5', 'u 1 -> 2', 'u 1 2 -> 3'], [[1, 2, 3, 4, 5]]],
    ['a row between left out', ['u 1 2 -> 3', 'u 1 2 3 4 -> 5'], [[1, 2, 3, 4, 5]]],
    ['two sessions, one after the other', ['u 1 -> 2', 'u 1 2 -> 3', 'u 7 -> 8', 'u 7 8 -> 9'], [[1, 2, 3], [7, 8, 9]]],
    ['two sessions in turn', ['u 1 -> 2', 'u 7 -> 8', 'u 1 2 -> 3', 'u 7 8 -> 9'], [[1, 2, 3], [7, 8, 9]]],
    ['the same session twice counts twice', ['u 1 -> 2', 'u 1 2 -> 3', 'u 1 -> 2', 'u 1 2 -> 3'], [[1, 2, 3], [1, 2, 3]]],
    ['the same row twice counts twice', ['u 7 8 9 4 -> 5', 'u 7 8 -> 9', 'u 7 8 -> 9'], [[7, 8, 9, 4, 5], [7, 8, 9]]],
    ['a session that begins with the last item of another', ['u 1 2 -> 3', 'u 3 7 -> 8'], [[1, 2, 3], [3, 7, 8]]],
    ['a history whose first items end another', ['u 1 2 3 4 -> 5', 'u 4 5 6 7 -> 8'], [[1, 2, 3, 4, 5, 6, 7, 8]]],
    ['the same item again and again', ['u 5 -> 5', 'u 5 5 -> 5', 'u 5 5 5 -> 5'], [[5, 5, 5, 5]]],
  ] as [string, string[], number[][]][])('%s', (_, rows, expected) => {
    const sorted = (of: number[][]): string[] => of.map((items) => items.join(' ')).sort();
    expect(sorted(sequencesOf(rows.map(row)))).toEqual(sorted(expected));
  }); // prettier-ignore

  test('users are apart, in the order of their first rows', () => {
    const rows = ['b 1 -> 2', 'a 1 2 -> 3', 'b 1 2 -> 4', 'a 9 -> 1'].map(row);
    expect([...userSequences(rows)]).toEqual([
      ['b', [[1, 2, 4]]],
      ['a', [[1, 2, 3], [9, 1]]],
    ]); // prettier-ignore
  });
});

const window = fc.integer({ min: 1, max: 12 });

test("rows in order: the first row's history, then every target, whatever the window and however often items come", () => {
  const items = fc.array(fc.nat(4), { minLength: 2, maxLength: 30 });
  fc.assert(
    fc.property(items, window, (sequence, size) => {
      expect(sequencesOf(rowsOf('u', sequence, size))).toEqual([sequence]);
    }),
  );
});

const distinct = fc.uniqueArray(fc.nat(1000), { minLength: 2, maxLength: 40 });

test('rows in any order: the sequence that they came from', () => {
  fc.assert(
    fc.property(distinct, fc.integer({ min: 2, max: 12 }), fc.nat(), (sequence, size, seed) => {
      const rows = new Random(seed).shuffle(rowsOf('u', sequence, size));
      expect(sequencesOf(rows)).toEqual([sequence]);
    }),
    { numRuns: 300 },
  );
});

test('sessions of one user, rows in any order: the sessions', () => {
  fc.assert(
    fc.property(
      distinct,
      fc.integer({ min: 2, max: 12 }),
      fc.integer({ min: 2, max: 8 }),
      fc.nat(),
      (all, size, length, seed) => {
        const sessions = Array.from({ length: Math.ceil(all.length / length) }, (_, s) =>
          all.slice(s * length, (s + 1) * length),
        );
        const whole = sessions.filter((items) => items.length > 1);
        fc.pre(whole.length > 0);
        const rows = new Random(seed).shuffle(whole.flatMap((items) => rowsOf('u', items, size)));
        const sorted = (of: number[][]): string[] => of.map((items) => items.join(' ')).sort();
        expect(sorted(sequencesOf(rows))).toEqual(sorted(whole));
      },
    ),
    { numRuns: 300 },
  );
});

test('a sample of rows: each is trained, no prediction twice, none that no row holds', () => {
  fc.assert(
    fc.property(distinct, window, fc.integer({ min: 1, max: 100 }), fc.nat(), (sequence, size, share, seed) => {
      const random = new Random(seed);
      const rows = random.shuffle(rowsOf('u', sequence, size)).filter(() => random.int(100) < share);
      fc.pre(rows.length > 0);
      const counts = trained(sequencesOf(rows));
      for (const { history, target } of rows) expect(counts.get(`${history.at(-1)!} ${target}`)).toBe(1);
      const held = new Set(rows.flatMap(({ history, target }) => [...trained([[...history, target]]).keys()]));
      for (const [pair, count] of counts) {
        expect(held.has(pair), pair).toBe(true);
        expect(count, pair).toBe(1);
      }
    }),
    { numRuns: 1000 },
  );
});

test('200,000 rows of sessions under one name take seconds', () => {
  const random = new Random(2);
  const rows = Array.from({ length: 50_000 }, (): number[] => Array.from({ length: 5 }, () => random.int(500))).flatMap(
    (items) => rowsOf('x', items, 10),
  );
  const start = performance.now();
  const sequences = userSequences(rows).get('x')!;
  expect(performance.now() - start).toBeLessThan(30_000);
  const predictions = sequences.reduce((sum, items) => sum + items.length - 1, 0);
  expect(predictions).toBeGreaterThanOrEqual(rows.length); // every row has a prediction of its own
});

describe('texts of chain mode', () => {
  const rowOf = (items: number[]): Row[] => rowsOf('u', items, 100);
  const count = (length: number): number[] => Array.from({ length }, (_, i) => i);

  test('a long sequence by hand: texts of twice the window, the first half context', () => {
    const texts = chainTexts(rowOf(count(11)), TEMPLATES.sids!, 3);
    expect(texts).toEqual([
      { items: [0, 1, 2, 3, 4, 5], context: 1 },
      { items: [3, 4, 5, 6, 7, 8], context: 3 },
      { items: [6, 7, 8, 9, 10], context: 3 },
    ]);
  });

  test('each item but the first is trained once, after at least a window of items', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 60 }), window, (length, size) => {
        const after = new Map<number, number>();
        for (const { items, context } of chainTexts(rowOf(count(length)), TEMPLATES.sids!, size)) {
          expect(items.length).toBeLessThanOrEqual(2 * size);
          items.slice(context).forEach((item, i) => {
            expect(after.has(item)).toBe(false);
            after.set(item, context + i);
          });
        }
        expect([...after.keys()].sort((a, b) => a - b)).toEqual(count(length).slice(1));
        for (const [item, before] of after) expect(before).toBeGreaterThanOrEqual(Math.min(item, size));
      }),
    );
  });

  test('a text in tokens, by hand', () => {
    const index = count(4).map((item) => [`<a_${item}>`, `<b_${item + 5}>`]);
    const tokenizer = wordTokenizer(['begin'], index);
    const [a0, a1, a2, a3] = count(4).map((item) => tokenizer.tokenId(`<a_${item}>`)) as [
      number,
      number,
      number,
      number,
    ];
    const [b0, b1, b2, b3] = count(4).map((item) => tokenizer.tokenId(`<b_${item + 5}>`)) as [
      number,
      number,
      number,
      number,
    ];
    const bare = { ...TEMPLATES.sids!, prompts: ['begin {history}'] };
    const render = createRenderer(bare, index, tokenizer);
    const begin = tokenizer.encode('begin ');
    expect(begin).toHaveLength(1);
    expect(chainExample({ items: [2, 0, 3, 1], context: 2 }, render)).toEqual({
      tokens: [...begin, a2, b2, a0, b0, a3, b3, a1],
      labelPositions: [4, 5, 6, 7],
      labels: [a3, b3, a1, b1],
    });
    expect(chainExample({ items: [1, 2], context: 1 }, render)).toEqual({
      tokens: [...begin, a1, b1, a2],
      labelPositions: [2, 3],
      labels: [a2, b2],
    });
  });

  test('sessions and shuffled rows in texts', () => {
    const rows = ['u 1 2 3 -> 4', 'u 1 -> 2', 'u 1 2 -> 3', 'v 1 2 -> 3', 'v 7 8 -> 9'].map(row);
    expect(chainTexts(rows, TEMPLATES.sids!, 10).map(({ items }) => items.join(' '))).toEqual([
      '1 2 3 4',
      '1 2 3',
      '7 8 9',
    ]);
  });
});
