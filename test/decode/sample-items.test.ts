/**
 * Items drawn under the trie: how often each is drawn against its exact probability, by enumeration of a small trie on a
 * model whose log-probabilities are read from plain scoring.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { beamSearch } from '../../lib/decode/beam-search.js';
import { buildTrie, tokensAfter, walk } from '../../lib/decode/item-trie.js';
import { sampleItems, type SampleItemsOptions } from '../../lib/decode/sample-items.js';
import { useEngine } from '../../lib/engine/engine.js';
import type { LanguageModel } from '../../lib/lm/language-model.js';
import { loadModel } from '../../lib/lm/model.js';
import { plainLogits } from '../lm/plain-decoder.js';

let model: LanguageModel;
beforeAll(async () => {
  await useEngine();
  model = loadModel('test/golden/qwen2-untied');
  const weight = model.weights.get('lm_head.weight')!;
  weight.assign(weight.mul(SHARPER));
});

/** What the logits are multiplied with: neither uniform nor certain. */
const SHARPER = 1.5;
const PROMPT = [3, 4, 5];
/** SIDs of one to three codes, one of them forced on its way, one of them shared by items 2 and 6. */
const SEQUENCES = [[1, 10], [1, 11], [2, 12, 20], [2, 12, 21], [7], [8, 14, 22], [2, 12, 20]];
const trie = buildTrie(SEQUENCES);
const LEAVES = [0, 1, 2, 3, 4, 5]; // by their first items

/** Probability of each SID: at every node the legal logits by temperature, cut to the nucleus. */
function exact(temperature = 1, topP = 1): number[] {
  return LEAVES.map((item) =>
    SEQUENCES[item]!.reduce((product, token, i) => {
      const before = SEQUENCES[item]!.slice(0, i);
      const legal = [...tokensAfter(trie, walk(trie, before))];
      const logits = plainLogits(model, [...PROMPT, ...before]).at(-1)!;
      const weights = legal.map((of) => Math.exp(logits[of]! / temperature));
      const total = weights.reduce((sum, w) => sum + w, 0);
      const order = legal.map((of, c) => ({ of, p: weights[c]! / total })).sort((a, b) => b.p - a.p);
      let mass = 0;
      const kept = order.filter(({ p }) => (mass >= topP ? false : ((mass += p), true)));
      return product * ((kept.find(({ of }) => of === token)?.p ?? 0) / mass);
    }, 1),
  );
}

/** A thousand at a time: WebAssembly has 2 GB. */
function draws(count: number, options: Partial<SampleItemsOptions>): number[][] {
  return Array.from({ length: Math.ceil(count / 1000) }, (_, i) => 1000 * i).flatMap((offset) => {
    const prompts = Array.from({ length: Math.min(1000, count - offset) }, () => PROMPT);
    return sampleItems(model, trie, prompts, { seed: 11, normalize: 'legal', ...options, offset }).map(({ items }) =>
      items.filter((item) => LEAVES.includes(item)),
    );
  });
}

/** Within four standard errors, and three draws where hardly any are expected. */
function expectShare(seen: number, of: number, p: number, what: string): void {
  expect(Math.abs(seen / of - p), `${what}: ${(seen / of).toFixed(4)}, exact ${p.toFixed(4)}`).toBeLessThanOrEqual(
    4 * Math.sqrt((p * (1 - p)) / of) + 3 / of,
  );
}

const N = 6000;

test('the probabilities are a distribution, and not uniform', () => {
  const p = exact();
  expect(p.reduce((sum, x) => sum + x, 0)).toBeCloseTo(1, 9);
  expect(Math.max(...p) / Math.min(...p)).toBeGreaterThan(3);
});

describe('whole sequences', () => {
  test.each([
    [1, 1],
    [2.5, 1],
    [0.5, 1],
    [1, 0.6],
    [2, 0.8],
  ])(
    'temperature %f, nucleus %f: first and second draws are those of drawing without replacement',
    (temperature, topP) => {
      const p = exact(temperature, topP);
      const drawn = draws(N, { count: 2, temperature, topP });
      for (const a of LEAVES) {
        expectShare(drawn.filter(([first]) => first === a).length, N, p[a]!, `first ${a}`);
        for (const b of LEAVES) {
          if (b === a || p[a]! > 1 - 1e-9) continue;
          const both = (p[a]! * p[b]!) / (1 - p[a]!);
          expectShare(drawn.filter(([x, y]) => x === a && y === b).length, N, both, `${a} then ${b}`);
        }
      }
    },
  );

  test('scores over the vocabulary or over the trie: the same draws', () => {
    const [legal, full] = (['legal', 'full'] as const).map((normalize) =>
      sampleItems(
        model,
        trie,
        Array.from({ length: 50 }, () => PROMPT),
        { seed: 3, count: 3, normalize },
      ),
    );
    expect(full!.map(({ items }) => items)).toEqual(legal!.map(({ items }) => items));
    const best = beamSearch(model, trie, [PROMPT], { numBeams: 9, normalize: 'full' })[0]!;
    full![0]!.items.forEach((item, i) =>
      expect(full![0]!.scores[i]).toBeCloseTo(best.scores[best.items.indexOf(item)]!, 4),
    );
    const p = exact();
    legal![0]!.items.forEach((item, i) => {
      const sid = LEAVES.find((leaf) => SEQUENCES[leaf]!.join() === SEQUENCES[item]!.join())!;
      expect(legal![0]!.scores[i]).toBeCloseTo(Math.log(p[sid]!), 4);
      expect(legal![0]!.logProbs[i]).toBeCloseTo(Math.log(p[sid]!), 4);
    });
  });
});

describe('beams of every step', () => {
  test('one beam is an ancestral sample', () => {
    const p = exact(1.5);
    const drawn = draws(N, { count: 1, temperature: 1.5, method: 'beams' });
    for (const a of LEAVES) expectShare(drawn.filter(([first]) => first === a).length, N, p[a]!, `item ${a}`);
  });

  test('two beams: the pairs of first steps are drawn without replacement', () => {
    // all draws of two first codes; the later steps draw among the continuations of those two alone
    const codes = [1, 2, 7, 8];
    const logits = plainLogits(model, PROMPT).at(-1)!;
    const total = codes.reduce((sum, code) => sum + Math.exp(logits[code]!), 0);
    const p = codes.map((code) => Math.exp(logits[code]!) / total);
    const drawn = draws(N, { count: 2, method: 'beams' });
    // a draw of two items under different first codes can only come from those two
    const of = (items: readonly number[]): Set<number> => new Set(items.map((item) => SEQUENCES[item]![0]!));
    const pair = drawn.filter((items) => of(items).size === 2 && of(items).has(7) && of(items).has(8)).length;
    const [seven, eight] = [p[2]!, p[3]!];
    // both are forced from there on: nothing else can take their place
    expectShare(pair, N, (seven * eight) / (1 - seven) + (seven * eight) / (1 - eight), 'codes 7 and 8');
  });
});

describe.each(['sequences', 'beams'] as const)('in any case: %s', (method) => {
  test('no item twice; all items where as many are asked for; those of one SID together', () => {
    for (const { items, scores, logProbs } of sampleItems(model, trie, [PROMPT, [9, 8]], {
      seed: 1,
      count: 50,
      method,
    })) {
      expect([...items].sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
      expect(Math.abs(items.indexOf(2) - items.indexOf(6))).toBe(1);
      expect([scores.length, logProbs.length]).toEqual([7, 7]);
    }
  });

  test('draws depend on the seed and the prompt’s number, not on the prompts beside it', () => {
    const of = (prompts: number[][], seed: number) =>
      sampleItems(model, trie, prompts, { seed, count: 3, method }).map(({ items }) => items);
    const two = of([PROMPT, [9, 8]], 5);
    expect(of([PROMPT], 5)[0]).toEqual(two[0]);
    expect(of([PROMPT, [9, 8]], 5)).toEqual(two);
    const seeds = Array.from({ length: 20 }, (_, seed) => of([PROMPT], seed)[0]!.join());
    expect(new Set(seeds).size).toBeGreaterThan(3);
  });

  test('a temperature near 0 gives the best beams', () => {
    const cold = sampleItems(model, trie, [PROMPT], {
      seed: 2,
      count: 3,
      method,
      temperature: 1e-3,
      normalize: 'legal',
    });
    expect(cold[0]!.items).toEqual(beamSearch(model, trie, [PROMPT], { numBeams: 3, maxItems: 9, normalize: 'legal' })[0]!.items); // prettier-ignore
  });
});

test('entropy: of every node with a choice on the way, by hand', () => {
  const entropyAfter = (before: number[]): number => {
    const logits = plainLogits(model, [...PROMPT, ...before]).at(-1)!;
    const weights = [...tokensAfter(trie, walk(trie, before))].map((of) => Math.exp(logits[of]!));
    const total = weights.reduce((sum, w) => sum + w, 0);
    return -weights.reduce((sum, w) => sum + (w / total) * Math.log(w / total), 0);
  };
  const byHand = (entropyAfter([]) + entropyAfter([1]) + entropyAfter([2, 12])) / 3;
  for (const normalize of ['full', 'legal'] as const) {
    const [all] = beamSearch(model, trie, [PROMPT], { numBeams: 9, withEntropy: true, normalize });
    expect(all!.entropy).toBeCloseTo(byHand, 5);
    expect(sampleItems(model, trie, [PROMPT], { seed: 1, count: 9, normalize })[0]!.entropy).toBeCloseTo(byHand, 5);
  }
  expect(beamSearch(model, trie, [PROMPT])[0]).not.toHaveProperty('entropy');
});

test.each([
  ['count', { count: 0 }],
  ['temperature', { temperature: 0 }],
  ['topP', { topP: 0 }],
  ['topP', { topP: 1.1 }],
])('%s out of range', (name, options) => {
  expect(() => sampleItems(model, trie, [PROMPT], { seed: 1, ...options })).toThrow(
    `sampleItems: expected ${name} to be`,
  );
  expect(sampleItems(model, trie, [], { seed: 1 })).toEqual([]);
});
