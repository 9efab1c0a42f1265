/** The metric of validation: which rows are ranked, how far down, and what is kept of them. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Row } from '../../../lib/data/dataset.js';
import { buildTrie } from '../../../lib/decode/item-trie.js';
import { useEngine } from '../../../lib/engine/engine.js';
import type { Recommender } from '../../../lib/evaluate/recommender.js';
import { parseShape } from '../../../lib/lm/config.js';
import { wordTokenizer } from '../../../lib/lm/tokenizer/tokenizer.js';
import { disposeWeights, randomWeights } from '../../../lib/lm/weights.js';
import { validator } from '../../../lib/train/loop/validate.js';

const ITEMS = 20;
const index = Array.from({ length: ITEMS }, (_, item) => [`<a_${item}>`]);
const tokenizer = wordTokenizer([], index);
const config = parseShape('qwen2:32x1', tokenizer.vocabSize, 0);
const sequences = index.map((sid) => sid.map((token) => tokenizer.tokenId(token)));
let recommender: Recommender;
beforeAll(async () => {
  await useEngine();
  recommender = {
    ...{ model: { config, weights: randomWeights(config, 3) }, tokenizer, index },
    trie: buildTrie(sequences),
    render: { prompt: () => [0], answer: (item) => sequences[item]!, truncated: 0 },
  };
});
afterAll(() => disposeWeights(recommender.model.weights));

/** One prompt for all: each item is the target of a row, so that the ranks are those of all items. */
const rows = Array.from({ length: ITEMS }, (_, item): Row => ({ user: `u${item}`, history: [0], target: item }));

test('ranks down to ten, metrics of them, and the rows that they are means of', async () => {
  const validate = validator(recommender, rows, 0, 1);
  expect(validate.rows).toBeUndefined();
  const metrics = await validate();
  expect(validate.rows!.map(({ user }) => user).sort()).toEqual(rows.map(({ user }) => user).sort());
  const ranks = validate.rows!.map(({ rank }) => rank).sort((a, b) => a - b);
  expect(ranks).toEqual([...Array<number>(ITEMS - 10).fill(0), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  expect(Object.keys(metrics).sort()).toEqual(['HR@1', 'HR@10', 'HR@5', 'NDCG@1', 'NDCG@10', 'NDCG@5']);
  for (const k of [1, 5, 10]) expect(metrics[`HR@${k}`]).toBeCloseTo(k / ITEMS, 12);
});

test.each([
  [0, ITEMS],
  [1, 1],
  [7, 7],
  [ITEMS, ITEMS],
  [ITEMS + 1, ITEMS],
])('a limit of %i: %i rows, drawn by the seed', async (limit, count) => {
  const users = async (seed: number): Promise<string[]> => {
    const validate = validator(recommender, rows, limit, seed);
    await validate();
    return validate.rows!.map(({ user }) => user);
  };
  const drawn = await users(1);
  expect(new Set(drawn).size).toBe(count);
  expect(drawn).toHaveLength(count);
  expect(await users(1)).toEqual(drawn);
  expect(await users(3)).not.toEqual(drawn);
});

test('a single row is enough, none is not', async () => {
  expect(await validator(recommender, rows.slice(0, 1), 0, 1)()).toHaveProperty('HR@10');
  expect(() => validator(recommender, [], 0, 1)).toThrow('validation: expected rows in the valid split, got none');
});
