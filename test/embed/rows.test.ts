/** Rows of vectors: batches, pooling, collecting and likeness, each against a plain rule or by hand. */
import fc from '../fast-check.js';
import { describe, expect, test } from 'vitest';
import { cosine, mostAlike } from '../../lib/embed/most-alike.js';
import { encodeTexts } from '../../lib/embed/sentence/encode-texts.js';
import { lengthBatches } from '../../lib/embed/sentence/length-batches.js';
import { poolTokens } from '../../lib/embed/sentence/pool-tokens.js';
import { RowCollector } from '../../lib/embed/sentence/row-collector.js';
import type { SentenceEncoder } from '../../lib/embed/sentence/sentence-encoder.js';
import { Random } from '../../lib/support/random.js';

/** Texts longest first into the open batch as long as it takes them. */
function plainBatches(lengths: readonly number[], size: number, budget: number): number[][] {
  const batches: number[][] = [];
  for (const i of [...lengths.keys()].sort((a, b) => lengths[b]! - lengths[a]! || a - b)) {
    const open = batches.at(-1);
    const fits = open && open.length < size && (open.length + 1) * Math.max(1, lengths[open[0]!]!) <= budget;
    if (fits) open.push(i);
    else batches.push([i]);
  }
  return batches;
}

describe('batches', () => {
  test('as full as size and budget allow', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(12), { maxLength: 40 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 40 }),
        (lengths, batchSize, tokenBudget) => {
          expect(lengthBatches(lengths, { batchSize, tokenBudget })).toEqual(
            plainBatches(lengths, batchSize, tokenBudget),
          );
        },
      ),
    );
  });

  test('64 texts and 2,048 tokens by default', () => {
    expect(lengthBatches(Array<number>(130).fill(3)).map(({ length }) => length)).toEqual([64, 64, 2]);
    expect(lengthBatches(Array<number>(7).fill(512)).map(({ length }) => length)).toEqual([4, 3]);
    expect(lengthBatches(Array<number>(4).fill(683)).map(({ length }) => length)).toEqual([2, 2]);
    expect(lengthBatches(Array<number>(65).fill(0)).map(({ length }) => length)).toEqual([64, 1]);
    expect(lengthBatches([])).toEqual([]);
  });
});

test.each(['mean', 'cls', 'last'] as const)('pooling by hand: %s', (pooling) => {
  const [texts, tokens, width] = [5, 4, 3];
  const random = new Random(1);
  const hidden = Array.from({ length: texts * tokens * width }, () => random.normal());
  const lengths = [4, 1, 3, 0, 2];
  for (const normalize of [false, true]) {
    const rows = poolTokens(hidden, lengths, width, { pooling, normalize });
    lengths.forEach((length, b) => {
      const places = { mean: [...Array(length).keys()], cls: [0], last: [length - 1] }[pooling].filter((t) => t >= 0 && t < length); // prettier-ignore
      const row = [0, 1, 2].map((j) => places.reduce((sum, t) => sum + hidden[(b * tokens + t) * width + j]! / places.length, 0)); // prettier-ignore
      const length2 = normalize && length > 0 ? Math.hypot(...row) : 1;
      row.forEach((x, j) => expect(rows[b * width + j]).toBeCloseTo(x / length2, 6));
    });
  }
});

test('rows too small to scale stay small: a length below 1e-12 counts as that', () => {
  const of = (x: number) => poolTokens([x, 0], [1], 2, { pooling: 'mean', normalize: true })[0]!;
  expect(of(2e-12)).toBeCloseTo(1, 6);
  expect(of(5e-13)).toBeCloseTo(0.5, 6);
  expect(of(0)).toBe(0);
});

describe('rows that arrive in any order', () => {
  test('each once, all of one width, at their places', () => {
    const rows = new RowCollector(5);
    rows.put({ rows: [3, 0], data: Float32Array.of(30, 31, 0, 1) }, 2);
    expect([rows.count, rows.has(3), rows.has(0), rows.has(1)]).toEqual([2, true, true, false]);
    const width = (count: number) => `RowCollector: expected ${count} rows of 2, got`;
    expect(() => rows.put({ rows: [1], data: Float32Array.of(1, 2, 3) }, 3)).toThrow(`${width(1)} 3 numbers`);
    expect(() => rows.put({ rows: [1], data: Float32Array.of(1) }, 2)).toThrow(`${width(1)} 1 numbers`);
    expect(() => rows.put({ rows: [3], data: Float32Array.of(1, 2) }, 2)).toThrow('row 3 of 5 is there already, or outside'); // prettier-ignore
    for (const row of [5, -1]) expect(() => rows.put({ rows: [row], data: Float32Array.of(1, 2) }, 2)).toThrow('or outside'); // prettier-ignore
    expect(() => rows.finish([0, 1])).toThrow('RowCollector: row 1 never came');
    rows.put({ rows: [1], data: Float32Array.of(10, 11) }, 2);
    expect(rows.count).toBe(3);
    expect(rows.finish([0, 1, 0, 3, 1])).toEqual({ rows: 5, width: 2, data: Float32Array.of(0, 1, 10, 11, 0, 1, 30, 31, 10, 11) }); // prettier-ignore
  });
});

describe('encoding', () => {
  /** A text's vector is its first token and its length; a text of letters beyond five is cut. */
  function encoder(batches: number[][][] = [], encode?: SentenceEncoder['encode']): SentenceEncoder {
    return {
      ...{ name: 'fake', pooling: 'mean', normalize: false, maxTokens: 5, special: new Set<number>() },
      tokenize: (texts) => {
        const ids = texts.map((text) => [...text].slice(0, 5).map(Number));
        return { ids, truncated: new Set(ids.filter((_, i) => texts[i]!.length > 5)) };
      },
      encode:
        encode ??
        ((batch) => {
          batches.push(batch.map((ids) => [...ids]));
          const data = Float32Array.from(batch.flatMap((ids) => [ids[0] ?? 0, ids.length]));
          return Promise.resolve({ data, width: 2 });
        }),
      encodeTokens: () => Promise.reject(new Error('not asked for')),
      close: () => Promise.resolve(),
    };
  }

  test('what it met: tokens, padding, texts that were cut or empty, every text counted', async () => {
    const texts = ['1', '22', '333333', '', '22', '444', '333333', ''];
    const batches: number[][][] = [];
    const { vectors, finish, ...met } = await encodeTexts(encoder(batches), texts, { batchSize: 2 });
    expect(batches.map((batch) => batch.map(({ length }) => length))).toEqual([[5, 3], [2, 1], [0]]); // prettier-ignore
    expect(met).toEqual({ truncated: 2, empty: 2, tokens: 11, padding: 1 - 11 / 14, resumed: 0 });
    expect([...vectors.data]).toEqual([1, 1, 2, 2, 3, 5, 0, 0, 2, 2, 4, 3, 3, 5, 0, 0]);
    finish();
    expect((await encodeTexts(encoder(), ['', ''])).padding).toBe(0);
  });

  test('a batch that fails names its items, eight at most', async () => {
    const fail = encoder([], () => Promise.reject(new Error('no room\nat x')));
    const fails = async (count: number, message: string) =>
      expect(
        encodeTexts(
          fail,
          Array.from({ length: count }, (_, i) => `${i}`),
        ),
      ).rejects.toThrow(message);
    await fails(8, 'fake failed on items 0, 1, 2, 3, 4, 5, 6, 7 (8 texts of up to 1 tokens): no room; nothing');
    await fails(9, 'failed on items 0, 1, 2, 3, 4, 5, 6, 7, ... (9 texts of up to 1 tokens)');
    await fails(12, 'failed on items 10, 11, 0, 1, 2, 3, 4, 5, ... (12 texts of up to 2 tokens)');
  });

  test('numbers that are not finite: the item that they are of', async () => {
    for (const at of [0, 1, 2, 5]) {
      const data = new Float32Array(6);
      data[at] = Infinity;
      const bad = encoder([], () => Promise.resolve({ data, width: 2 }));
      const item = [0, 2, 1][Math.floor(at / 2)]!; // the longest first
      await expect(encodeTexts(bad, ['777', '1', '22'])).rejects.toThrow(
        `gives item ${item} a number that is not finite`,
      );
    }
  });
});

describe('likeness', () => {
  const vectors = { rows: 14, width: 2, data: Float32Array.from({ length: 28 }, (_, at) => (at % 2 === 0 ? 1 : Math.floor(at / 4))) }; // prettier-ignore

  test('cosines by hand', () => {
    expect(cosine([3, 4], [4, 3])).toBeCloseTo(24 / 25, 12);
    expect(cosine([1, 2, 2], [-2, 0, 1])).toBeCloseTo(0, 12);
    expect(cosine([2, 0], [-5, 0])).toBe(-1);
    expect([cosine([0, 0], [1, 0]), cosine([1, 0], [0, 0]), cosine([0, 0], [0, 0])]).toEqual([0, 0, 0]);
  });

  test('ten others by default, equal ones by id, the item itself never', () => {
    expect(mostAlike(vectors, 4)).toHaveLength(10);
    const all = mostAlike(vectors, 5, 99);
    expect(all.map(({ item }) => item)).toEqual([4, 6, 7, 8, 9, 10, 11, 12, 13, 2, 3, 0, 1]);
    expect(all[0]!.cosine).toBeCloseTo(1, 12);
    expect(all[1]!.cosine).toBeCloseTo(7 / Math.sqrt(5 * 10), 12);
    expect(mostAlike(vectors, 0, 1)).toEqual([{ item: 1, cosine: 1 }]);
    for (const item of [-1, 14, 1.5, NaN]) {
      expect(() => mostAlike(vectors, item)).toThrow(`mostAlike: expected an item from 0 to 13, got ${item}`);
    }
    expect(mostAlike(vectors, 13, 1)[0]!.item).toBe(12);
  });
});
