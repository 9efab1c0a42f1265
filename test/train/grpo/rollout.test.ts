/** Rollouts: which completions a group has, under every option. */
import { beforeAll, describe, expect, test } from 'vitest';
import { beamSearch } from '../../../lib/decode/beam-search.js';
import { useEngine } from '../../../lib/engine/engine.js';
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
