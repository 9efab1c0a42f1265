/** Co-occurrence, and at which rank vectors put an item's most frequent neighbour; by hand and against plain sorting. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { formatInter } from '../../lib/data/inter-file.js';
import { formatItems } from '../../lib/data/item-file.js';
import { mostFrequentNeighbours } from '../../lib/embed/i2i/co-occurrence.js';
import { i2iStage } from '../../lib/embed/i2i/i2i-stage.js';
import { itemToItem } from '../../lib/embed/i2i/item-to-item.js';
import { cosine } from '../../lib/embed/most-alike.js';
import { meanRows } from '../../lib/embed/sid-vectors.js';
import { useEngine } from '../../lib/engine/engine.js';
import { rowOf, type Vectors, writeNpy } from '../../lib/files/npy.js';
import { wordTokenizer } from '../../lib/lm/tokenizer/tokenizer.js';
import { parseShape } from '../../lib/lm/config.js';
import { randomWeights } from '../../lib/lm/weights.js';
import { Random } from '../../lib/support/random.js';
import { datasetOf } from '../tasks/small-dataset.js';

beforeAll(async () => void (await useEngine()));

const row = (history: number[], target: number) => ({ history, target });

describe('neighbours', () => {
  test('counted in either order within the window, once a row; ties to the lower id', () => {
    const rows = [row([1], 2), row([1, 1, 3], 2), row([2], 1), row([3], 4), row([4], 3), row([5], 5)];
    // pairs: 1-2 three times, 2-3 once, 3-4 twice
    expect([...mostFrequentNeighbours(rows)]).toEqual([[1, 2], [2, 1], [3, 4], [4, 3]]); // prettier-ignore
    expect([...mostFrequentNeighbours(rows, { atLeast: 3 })]).toEqual([[1, 2], [2, 1]]); // prettier-ignore
    expect([...mostFrequentNeighbours([row([7, 8], 9)], { atLeast: 1 })]).toEqual([[7, 9], [8, 9], [9, 7]]); // prettier-ignore
    expect([...mostFrequentNeighbours([row([7, 8], 9)], { atLeast: 1, window: 1 })]).toEqual([[8, 9], [9, 8]]); // prettier-ignore
    expect(mostFrequentNeighbours([row([5], 5)], { atLeast: 1 }).size).toBe(0);
  });
});

describe('ranks', () => {
  test('by hand: 0 and 1 point alike, 2 lies across, 3 the other way', () => {
    const vectors: Vectors = { rows: 4, width: 2, data: Float32Array.of(1, 0, 2, 0.2, 0, 5, -1, 0) };
    const truth = new Map([[0, 1], [1, 2], [2, 3], [3, 0]]); // prettier-ignore
    const found = itemToItem(vectors, truth);
    expect(found.ranks).toEqual([1, 2, 3, 3]);
    expect(found.hits).toEqual({ 'Hit@1': 0.25, 'Hit@5': 1, 'Hit@10': 1, 'Hit@50': 1 });
    expect(found.mrr).toBeCloseTo((1 + 1 / 2 + 1 / 3 + 1 / 3) / 4, 12);
    expect(found.medianRank).toBe(2);
  });

  test('vectors that are all the same are the worst; a row of zeros is like nothing', () => {
    const same: Vectors = { rows: 5, width: 2, data: new Float32Array(10).fill(1) };
    expect(itemToItem(same, new Map([[0, 1]])).ranks).toEqual([4]);
    const zero: Vectors = { rows: 3, width: 2, data: Float32Array.of(1, 0, 0, 0, -1, 0) };
    expect(itemToItem(zero, new Map([[0, 1], [1, 0]])).ranks).toEqual([1, 2]); // prettier-ignore
  });

  test('the same as sorting all cosines, over more than a block', () => {
    const random = new Random(5);
    const rows = 700;
    const vectors: Vectors = { rows, width: 6, data: Float32Array.from({ length: rows * 6 }, () => random.normal()) };
    const truth = new Map(
      Array.from({ length: rows }, (_, item) => [item, (item * 7 + 1) % rows] as const).filter(([a, b]) => a !== b),
    );
    const { ranks } = itemToItem(vectors, truth);
    const plain = [...truth].map(([item, neighbour]) => {
      const to = (other: number) => cosine(rowOf(vectors, item), rowOf(vectors, other));
      const own = to(neighbour);
      return (
        1 +
        Array.from({ length: rows }, (_, other) => other).filter((o) => o !== item && o !== neighbour && to(o) >= own)
          .length
      );
    });
    const off = ranks.map((rank, i) => Math.abs(rank - plain[i]!));
    expect(Math.max(...off)).toBeLessThanOrEqual(1); // float32 against float64 near a tie
    expect(off.filter((d) => d > 0).length).toBeLessThan(5);
  });

  test('no pair, and an item that the vectors lack', () => {
    const vectors: Vectors = { rows: 2, width: 1, data: Float32Array.of(1, 2) };
    expect(() => itemToItem(vectors, new Map())).toThrow('i2i: expected items that occur together, got none');
    expect(() => itemToItem(vectors, new Map([[0, 2]]))).toThrow('i2i: expected vectors of 3 items at least, got 2');
    const broken = { ...vectors, data: Float32Array.of(1, NaN) };
    expect(() => itemToItem(broken, new Map([[0, 1]]))).toThrow('i2i: row 1, column 0 is NaN');
  });
});

test('the stage compares encoders of the same items', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'sidlab-i2i-'));
  const data = datasetOf(6, 24);
  writeFileSync(join(dir, 'S.item.json'), formatItems(data.items));
  for (const split of ['train', 'valid', 'test'] as const)
    writeFileSync(join(dir, `S.${split}.inter`), formatInter(data[split]));
  const circle = Float32Array.from({ length: 12 }, (_, i) =>
    (i % 2 ? Math.sin : Math.cos)((Math.floor(i / 2) * Math.PI) / 3),
  );
  const [good, bad] = ['good', 'bad'].map((name) => join(dir, `S.emb-${name}.npy`));
  writeNpy(good!, { rows: 6, width: 2, data: circle });
  writeNpy(bad!, { rows: 6, width: 2, data: new Float32Array(12).fill(1) });
  const { rows, ranks } = await i2iStage({ data: dir, embeddings: [good!, bad!] });
  expect(rows.map(({ encoder, items }) => [encoder, items])).toEqual([['good', 6], ['bad', 6]]); // prettier-ignore
  expect(rows[0]!['Hit@5']).toBe(1);
  expect(ranks.good!.every((rank) => rank <= 2)).toBe(true); // a neighbour on the circle, two of them equally near
  expect(ranks.bad).toEqual([5, 5, 5, 5, 5, 5]);
  writeNpy(bad!, { rows: 5, width: 2, data: new Float32Array(10).fill(1) });
  await expect(i2iStage({ data: dir, embeddings: [bad!] })).rejects.toThrow('expected 6 rows, one an item, got 5');
  // NaN compares as false: nothing would be nearer than the neighbour, every hit 1
  writeNpy(bad!, { rows: 6, width: 2, data: circle.with(7, NaN) });
  await expect(i2iStage({ data: dir, embeddings: [good!, bad!] })).rejects.toThrow(`${bad!}: row 3, column 1 is NaN`);
});

test('files of one name in two folders have results of their own; a file that is named twice is refused', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'sidlab-i2i-'));
  const data = datasetOf(6, 24);
  writeFileSync(join(dir, 'S.item.json'), formatItems(data.items));
  for (const split of ['train', 'valid', 'test'] as const)
    writeFileSync(join(dir, `S.${split}.inter`), formatInter(data[split]));
  const [here, there, other] = ['S.emb-lsa.npy', 'cls/S.emb-lsa.npy', 'S.emb-x.npy'].map((name) => join(dir, name));
  mkdirSync(join(dir, 'cls'));
  writeNpy(here!, { rows: 6, width: 1, data: new Float32Array(6).fill(1) });
  writeNpy(there!, { rows: 6, width: 2, data: Float32Array.from({ length: 12 }, (_, i) => Math.sin(i * i)) });
  writeNpy(other!, { rows: 6, width: 1, data: new Float32Array(6).fill(1) });
  const { rows, ranks } = await i2iStage({ data: dir, embeddings: [here!, there!, other!] });
  const names = rows.map(({ encoder }) => encoder);
  expect(Object.keys(ranks)).toEqual(names);
  expect(names[2]).toBe('x');
  expect(names.every((name) => !name.includes('/'))).toBe(true); // figures are named after them
  expect(names.map((name) => ranks[name]!.reduce((sum, rank) => sum + 1 / rank, 0) / 6)).toEqual(
    rows.map(({ MRR }) => expect.closeTo(MRR, 12) as number),
  );
  await expect(i2iStage({ data: dir, embeddings: [here!, here!] })).rejects.toThrow(`got ${here!} again`);
});

test("vectors of a recommender: the mean of the rows of an item's SID tokens", () => {
  const index = [['<a_0>', '<b_1>'], ['<a_0>', '<b_0>'], ['<a_1>']]; // prettier-ignore
  const tokenizer = wordTokenizer(['x'], index);
  const config = parseShape('qwen2:32x1', tokenizer.vocabSize, 0);
  const model = { config, weights: randomWeights(config, 2) };
  const table = model.weights.get('model.embed_tokens.weight')!.arraySync() as number[][];
  const vectors = meanRows(model, tokenizer, index);
  index.forEach((tokens, item) => {
    const rows = tokens.map((token) => table[tokenizer.tokenId(token)]!);
    const mean = rows[0]!.map((_, d) => rows.reduce((sum, r) => sum + r[d]!, 0) / rows.length);
    rowOf(vectors, item).forEach((x, d) => expect(x).toBeCloseTo(mean[d]!, 6));
  });
  expect(() => meanRows(model, tokenizer, [['<z_9>']])).toThrow('<z_9>');
});
