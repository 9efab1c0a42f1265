/** Rollouts: which completions a group has, under every option. */
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { beamSearch } from '../../../lib/decode/beam-search.js';
import { generate } from '../../../lib/decode/generate.js';
import { sampleItems } from '../../../lib/decode/sample-items.js';
import { useEngine } from '../../../lib/engine/engine.js';
import { disposeWeights, randomWeights } from '../../../lib/lm/weights.js';
import type { LanguageModel } from '../../../lib/lm/language-model.js';
import { rewardParts } from '../../../lib/train/grpo/rewards/reward-list.js';
import type { Reward } from '../../../lib/train/grpo/rewards/reward-context.js';
import { rewardedGroup } from '../../../lib/train/grpo/rollout/rolled-groups.js';
import {
  type Completions,
  rollOut,
  type RolloutOptions,
  type RolloutRequest,
} from '../../../lib/train/grpo/rollout/rollout.js';
import { logProbs, SHARED, type Toy, toy } from './toy.js';

let of: Toy;
let requests: RolloutRequest[];
beforeAll(async () => {
  await useEngine();
  of = toy(SHARED);
  requests = of.rows.map((row, r) => ({
    ...{ prompt: of.task.render.prompt(row.history, row.target), target: row.target },
    ...{ answer: of.task.render.answer(row.target), name: `row ${r}` },
  }));
});

const roll = (more: Partial<RolloutOptions> = {}, seed = 's', asked = requests): Promise<Completions[]> =>
  rollOut(of.model, of.task, asked, { ...OPTIONS, ...more }, seed);
const OPTIONS: RolloutOptions = {
  ...{ rollout: 'beams', numGenerations: 3, temperature: 1, topP: 1, normalize: 'full', dynamicSampling: false },
  ...{ addGroundTruth: false, tokenBudget: 1 << 20 },
};
const texts = ({ tokens }: Completions): string[] => [...new Set(tokens.map((text) => text.join()))];

describe('beams', () => {
  test('the best texts, with all items of each, the same every time', async () => {
    const found = await roll();
    const best = beamSearch(of.model, of.task.trie!, requests.map(({ prompt }) => prompt), { numBeams: 3, maxItems: 9 }); // prettier-ignore
    expect(found.map(({ items }) => items)).toEqual(best.map(({ items }) => items));
    expect(found.map(({ scores }) => scores)).toEqual(best.map(({ scores }) => scores));
    for (const one of found) expect(texts(one)).toHaveLength(3);
    expect(found.some(({ items }) => items.length === 4)).toBe(true); // a SID of two items
    expect((await roll({}, 'other')).map(({ items }) => items)).toEqual(found.map(({ items }) => items));
  });

  test('dynamic: half as many again are found, hits are kept, then the best others', async () => {
    const [many, more] = [await roll({ numGenerations: 2, dynamicSampling: true }), await roll({ numGenerations: 3 })];
    let late = 0;
    many.forEach((group, r) => {
      const { target } = requests[r]!;
      const hit = more[r]!.items.includes(target);
      expect(group.items.includes(target)).toBe(hit);
      expect(texts(group)).toHaveLength(2);
      expect(group.items[0]).toBe(more[r]!.items[0]);
      if (hit && !texts(more[r]!).slice(0, 2).includes(requests[r]!.answer.join())) late++;
    });
    expect(late).toBeGreaterThan(0); // a hit that two beams would have missed
  });
});

describe.each(['beams', 'sample', 'sample-beams', 'free'] as const)('ground truth: %s', (rollout) => {
  test('in the last place of a group that lacks it, in place of the last', async () => {
    const [without, given] = [await roll({ rollout }), await roll({ rollout, addGroundTruth: true })];
    let added = 0;
    given.forEach((group, r) => {
      const { target, answer, prompt } = requests[r]!;
      expect(texts(group)).toContain(answer.join());
      if (texts(without[r]!).includes(answer.join())) return expect(group).toEqual(without[r]);
      added++;
      expect(group.truthAdded).toBe(true);
      expect(group.items.at(-1)).toBe(target);
      const kept = texts(without[r]!).slice(0, 2);
      expect(texts(group)).toEqual([...kept, answer.join()]);
      if (group.scores) expect(group.scores.at(-1)).toBeCloseTo(logProbs(of.model, prompt, answer).reduce((a, b) => a + b, 0), 4); // prettier-ignore
    });
    expect(added).toBeGreaterThan(0);
  });
});

describe.each(['sample', 'sample-beams'] as const)('drawn: %s', (rollout) => {
  test('distinct, best first, another group by another seed, whatever the budget', async () => {
    const one = await roll({ rollout });
    for (const { scores } of one) expect(scores).toEqual([...scores!].sort((a, b) => b - a));
    for (const group of one) expect(texts(group)).toHaveLength(3);
    const cut = await roll({ rollout, tokenBudget: 1 });
    expect(cut.map(({ items }) => items)).toEqual(one.map(({ items }) => items));
    const seeds = await Promise.all(['a', 'b', 'c', 'd'].map((seed) => roll({ rollout }, seed)));
    expect(new Set(seeds.map((groups) => groups.map(({ items }) => items.join()).join())).size).toBeGreaterThan(1);
  });
});

describe('free texts', () => {
  test('items where they are SIDs, -1 where not; equal texts are one', async () => {
    const groups = await roll({ rollout: 'free', numGenerations: 40, temperature: 2 });
    const all = groups.flatMap(({ items, tokens }) => items.map((item, g) => ({ item, text: tokens[g]! })));
    expect(all.some(({ item }) => item < 0)).toBe(true);
    expect(all.some(({ item }) => item >= 0)).toBe(true);
    for (const { item, text } of all) {
      const right = SHARED.flatMap((_, i) => (of.task.render.answer(i).join() === text.join() ? [i] : []));
      if (item < 0) expect(right).toEqual([]);
      else expect(right).toContain(item);
      expect(text).toHaveLength(2); // as long as a SID: the template has no end
    }
    for (const { items, tokens } of groups) expect(new Set(items.map((item, g) => `${item} ${tokens[g]!.join()}`)).size).toBe(items.length); // prettier-ignore
    expect(groups[0]).not.toHaveProperty('scores');
  });

  test('a group is of its own prompt alone: where nothing is left to chance it is one text', async () => {
    const asked = Array.from({ length: 7 }, (_, token) => ({ ...requests[0]!, prompt: [token] }));
    const groups = await roll({ rollout: 'free', numGenerations: 4, temperature: 1e-4 }, 's', asked);
    for (const group of groups) expect(texts(group)).toHaveLength(1);
    expect(new Set(groups.flatMap(texts)).size).toBeGreaterThan(1);
    const single = await roll({ rollout: 'free', numGenerations: 1, temperature: 1e-4 }, 's', asked);
    expect(single.map(texts)).toEqual(groups.map(texts)); // the first text counts, too
  });

  test('with an end: it is a part of the text, and what ran out of tokens is told', async () => {
    const words = toy(undefined, 'rule', 'qwen2:32x1', 'words');
    const asked = words.rows.map((row, r) => ({
      ...{ prompt: words.task.render.prompt(row.history, row.target), target: row.target },
      ...{ answer: words.task.render.answer(row.target), name: `row ${r}` },
    }));
    expect(words.task.end).toBe(words.task.render.answer(0).at(-1));
    const groups = await rollOut(words.model, words.task, asked, { ...OPTIONS, rollout: 'free', numGenerations: 30, temperature: 3 }, 's'); // prettier-ignore
    const all = groups.flatMap(({ tokens, ended }) => tokens.map((text, g) => ({ text, ended: ended[g]! })));
    expect(new Set(all.map(({ ended }) => ended)).size).toBe(2);
    for (const { text, ended } of all) expect(text.at(-1) === words.task.end).toBe(ended);
  });
});

describe('draws', () => {
  const prompts = () => requests.map(({ prompt }) => prompt);

  test.each([
    ['sample', 'sequences'],
    ['sample-beams', 'beams'],
  ] as const)('%s are those of sampleItems by %s, best first', async (rollout, method) => {
    const groups = await roll({ rollout });
    const drawn = sampleItems(of.model, of.task.trie!, prompts(), { count: 3, method, seed: 's' });
    drawn.forEach(({ items, scores }, r) => {
      const order = [...items.keys()].sort((a, b) => scores[b]! - scores[a]!);
      expect(groups[r]!.items).toEqual(order.map((i) => items[i]!));
    });
    const rest = await rollOut(of.model, of.task, requests.slice(2), { ...OPTIONS, rollout }, 's', 2);
    expect(rest.map(({ items }) => items)).toEqual(groups.slice(2).map(({ items }) => items)); // whoever draws them
  });

  test('free texts are those of generate by the seed; of another process by another one', async () => {
    const free = { ...OPTIONS, rollout: 'free', temperature: 2 } as const;
    const at = async (offset?: number) => (await rollOut(of.model, of.task, requests, free, 's', offset)).map(texts);
    const written = async (seed: string) => {
      const each = prompts().flatMap((prompt) => [prompt, prompt, prompt]);
      const { texts: all } = await generate(of.model, each, { temperature: 2, topP: 1, seed, maxTokens: of.task.maxTokens, endTokens: [] }); // prettier-ignore
      return requests.map((_, r) => [...new Set(all.slice(3 * r, 3 * r + 3).map(({ tokens }) => tokens.join()))]);
    };
    expect(await at()).toEqual(await written('s'));
    expect(await at(0)).toEqual(await written('s'));
    expect(await at(1)).toEqual(await written('s/1'));
  });
});

describe('a budget of tokens', () => {
  afterEach(() => vi.restoreAllMocks());

  test('cuts the prompts, each with all that will grow from it, into runs', async () => {
    const size = requests[0]!.prompt.length + 3 * of.task.maxTokens;
    expect(requests.map(({ prompt }) => prompt.length + 3 * of.task.maxTokens)).toEqual([size, size, size, size]);
    const waits = vi.spyOn(globalThis, 'setImmediate');
    for (const [tokenBudget, runs] of [
      [4 * size, 1],
      [4 * size - 1, 2],
      [2 * size, 2],
      [2 * size - 1, 4],
    ] as const) {
      waits.mockClear(); // others have a turn after every run
      await roll({ tokenBudget });
      expect(waits, String(tokenBudget)).toHaveBeenCalledTimes(runs);
    }
  });

  test('holds for texts without the trie, whose draws do not depend on it', async () => {
    const waits = vi.spyOn(globalThis, 'setImmediate');
    const turns: number[] = [];
    const written: unknown[] = [];
    for (const tokenBudget of [1 << 20, 1]) {
      waits.mockClear();
      written.push(await roll({ rollout: 'free', temperature: 2, tokenBudget }));
      turns.push(waits.mock.calls.length);
    }
    expect(written[1]).toEqual(written[0]);
    expect(turns[1]).toBeGreaterThan(2 * turns[0]!); // one text at a time
  });
});

test('a group knows the temperature that it was drawn with, where it was drawn', async () => {
  const words = toy(undefined, 'rouge', 'qwen2:32x1', 'sid2title');
  const made = async ({ task, tokenizer }: Toy, options: object) => {
    const completions = { items: [3], tokens: [[4, 5]], ended: [true] };
    const sources = { tokenizer, index: SHARED };
    return (await rewardedGroup(task, of.rows[0]!, requests[0]!, completions, sources, options)).temperature;
  };
  expect(await made(of, { rollout: 'sample', temperature: 2 })).toBe(2);
  expect(await made(of, { rollout: 'free', temperature: 2 })).toBe(2);
  expect(await made(of, { rollout: 'sample', temperature: 1 })).toBeUndefined();
  expect(await made(of, { rollout: 'beams', temperature: 2 })).toBeUndefined();
  expect(await made(words, { rollout: 'beams', temperature: 2 })).toBe(2);
});

describe('a right answer in words that was put in', () => {
  test('is no item, and no hit', async () => {
    const words = toy(undefined, 'rouge', 'qwen2:32x1', 'sid2title');
    const { render } = words.task;
    const asked = [2, 3].map((item) => ({ prompt: render.prompt([], item), target: item, answer: render.answer(item), name: 'row' })); // prettier-ignore
    const free = { ...OPTIONS, rollout: 'free', temperature: 2, addGroundTruth: true } as const;
    for (const { items, truthAdded } of await rollOut(words.model, words.task, asked, free, 's')) {
      expect(truthAdded).toBe(true);
      expect(new Set(items)).toEqual(new Set([-1]));
    }
  });
});

describe('scores that are not finite', () => {
  /** Its embedding of a token is not a number; the output layer has weights of its own. */
  function spoilt(token: number): LanguageModel {
    const config = { ...of.model.config, tied: false };
    const model = { config, weights: randomWeights(config, 1) };
    const table = model.weights.get('model.embed_tokens.weight')!;
    const values = table.dataSync<'float32'>().slice();
    values.fill(NaN, token * config.width, (token + 1) * config.width);
    tf.tidy(() => table.assign(tf.tensor(values, table.shape)));
    return model;
  }

  test.each(['beams', 'sample', 'free'] as const)('%s: the row is named', async (rollout) => {
    const [first, last] = of.task.render.answer(0) as [number, number];
    const model = spoilt(last); // which no search reads on from
    const asked = [first, first, last, first].map((token, r) => ({ ...requests[r]!, prompt: [token] }));
    for (const tokenBudget of [1 << 20, 1]) {
      const rolled = rollOut(model, of.task, asked, { ...OPTIONS, rollout, tokenBudget }, 's');
      await expect(rolled).rejects.toThrow(/^row 2: the scores are not finite/);
    }
    disposeWeights(model.weights);
  });
});

test('what was found: all items, but for a right answer that was put in', async () => {
  const tokens = [[4, 5], [4, 6], [5, 5]]; // prettier-ignore
  const completions = { items: [3, 1, 5], tokens, ended: [true, true, true] };
  const sources = { tokenizer: of.tokenizer, index: SHARED };
  const made = (more: object) => rewardedGroup(of.task, of.rows[0]!, requests[0]!, { ...completions, ...more }, sources); // prettier-ignore
  const [own, given] = [await made({}), await made({ truthAdded: true })];
  expect([own.found, own.rank]).toEqual([[3, 1, 5], 3]); // the row's item is 5
  expect([given.found, given.rank]).toEqual([[3, 1], 0]);
});

describe('entries of one text', () => {
  const [one, other] = [[4, 5], [4, 6]]; // prettier-ignore

  /** What is left of three completions, the first two of one text, by rewards of each or of each token. */
  async function kept(...rewards: Reward[]) {
    const task = { ...of.task, rewards: rewardParts(rewards.map((reward, i) => Object.defineProperty(reward, 'name', { value: `r${i}` })))! }; // prettier-ignore
    const completions = { items: [3, 5, 0], tokens: [one, one, other], ended: [true, true, true] };
    const sources = { tokenizer: of.tokenizer, index: SHARED };
    const group = await rewardedGroup(task, of.rows[0]!, requests[0]!, completions, sources);
    return { items: group.items, total: group.rewards.total, perToken: group.rewards.perToken };
  }

  test('the one with the most is kept, numbers a token among them', async () => {
    const both = [[3, 5], [0]]; // prettier-ignore
    expect(await kept(() => [0, 1, 0])).toMatchObject({ items: both, total: [1, 0] });
    expect(await kept(() => [1, 0, 0])).toMatchObject({ items: both, total: [1, 0] });
    expect(await kept(() => [0, 1e-20, 0])).toMatchObject({ total: [1e-20, 0] });
    const tokens = (a: number[], b: number[]): Reward => () => [a, b, [0, 0]]; // prettier-ignore
    expect((await kept(tokens([0, 1], [1, 1]))).perToken).toEqual([[1, 1], [0, 0]]); // prettier-ignore
    expect((await kept(tokens([1, 1], [0, 1]))).perToken).toEqual([[1, 1], [0, 0]]); // prettier-ignore
    expect((await kept(tokens([0, 0], [0, 1e-20]))).perToken).toEqual([[0, 1e-20], [0, 0]]); // prettier-ignore
    expect(await kept(() => [1, 0, 0], tokens([0, 0], [1, 1]))).toMatchObject({ total: [0, 0], perToken: [[1, 1], [0, 0]] }); // prettier-ignore
    expect(await kept(() => [1, 0, 0], tokens([0, 0], [0, 0.5]))).toMatchObject({ total: [1, 0] });
  });
});
