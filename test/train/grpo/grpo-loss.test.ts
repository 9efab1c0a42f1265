/** GRPO's loss on a model: worked out apart from the code, cut into parts, against separate texts, one step of it. */
import * as tf from '@tensorflow/tfjs';
import fc from '../../fast-check.js';
import { afterAll, describe, expect, test } from 'vitest';
import { buildTrie } from '../../../lib/decode/item-trie.js';
import { useEngine } from '../../../lib/engine/engine.js';
import { parseShape } from '../../../lib/lm/config.js';
import type { LanguageModel } from '../../../lib/lm/language-model.js';
import { loadModel } from '../../../lib/lm/model.js';
import { disposeWeights, randomWeights } from '../../../lib/lm/weights.js';
import { groupAdvantages } from '../../../lib/train/grpo/loss/advantages.js';
import { type Group, hasAdvantage, totalsOf } from '../../../lib/train/grpo/loss/group.js';
import { groupParts, sliceTokens } from '../../../lib/train/grpo/loss/group-parts.js';
import { grpoLoss, type GrpoLossOptions, scoreGroups } from '../../../lib/train/grpo/loss/grpo-loss.js';
import { type PolicySums, LOSS_TYPES } from '../../../lib/train/grpo/loss/policy-loss.js';
import { batchGradients } from '../../../lib/train/loop/gradients.js';
import { apart, gradientsOf, logProbs, mean, step } from './toy.js';

await useEngine();

const config = parseShape('qwen2:32x1', 9, 0);
const model: LanguageModel = { config, weights: randomWeights(config, 1) };
const reference: LanguageModel = { config, weights: randomWeights(config, 2) };
afterAll(() => [model, reference].forEach(({ weights }) => disposeWeights(weights)));

const REWARDS = [
  [1, -0.4, -0.6],
  [0.5, 0],
  [0, 0],
];
/** New ones each time: what is computed once is kept in them. */
const groups = (): Group[] =>
  [
    { prompt: [2, 5, 4], completions: [[2, 5], [3, 6, 0], [4, 5]] }, // prettier-ignore
    { prompt: [3], completions: [[2, 5], [2, 6]] }, // prettier-ignore
    { prompt: [7, 1], completions: [[1, 2], [8]] }, // prettier-ignore
  ].map((group, g) => ({ ...group, advantages: groupAdvantages(REWARDS[g]!) }));

test.each([0, 0.04, 2])('the loss at beta %f: a mean over groups, completions and tokens', (beta) => {
  const byHand = mean(
    groups().map(({ prompt, completions, advantages }) =>
      mean(
        completions.map((completion, g) => {
          const [policy, fixed] = [model, reference].map((of) => logProbs(of, prompt, completion));
          return mean(
            policy!.map((log, i) => {
              const d = fixed![i]! - log;
              return -(advantages[g] as number) + beta * (Math.exp(d) - d - 1);
            }),
          );
        }),
      ),
    ),
  );
  const { loss, by } = gradientsOf(model, grpoLoss(model, groups(), { beta, reference }));
  expect(loss).toBeCloseTo(byHand, 5);
  expect(Math.hypot(...by.get('model.embed_tokens.weight')!)).toBeGreaterThan(0);
});

test('completions that begin alike go through the model as one path, with the gradient of separate texts', () => {
  const completions = [[2, 5, 1], [2, 5, 3], [2, 4, 1], [3, 5, 1]]; // prettier-ignore
  const group = (): Group => ({ prompt: [2, 5, 4], completions, advantages: groupAdvantages([1, 0, -0.5, 0.2]) });
  const parts = [...grpoLoss(model, [group()], { beta: 0.04, reference })];
  expect(parts.map(({ tokens }) => tokens)).toEqual([3 + 5]); // 2, 2 5, 2 4, 3, 3 5
  const shared = gradientsOf(model, parts);
  const separate = gradientsOf(model, grpoLoss(model, [group()], { beta: 0.04, reference, tokenBudget: 5 }));
  expect(shared.loss).toBeCloseTo(separate.loss, 6);
  expect(apart(shared.by, separate.by)).toBeLessThan(1e-5);
});

test('the gradient is that of finite differences of a loss that knows what it was at the rollout', () => {
  const moved: LanguageModel = { config, weights: randomWeights(config, 1) };
  const options: GrpoLossOptions = { beta: 0.3, reference, lossType: 'dapo', epsilon: 0.5, sftWeight: 0.2 };
  const of = groups().map((group, g) => ({ ...group, answer: [3, 5], ...(g === 0 && { temperature: 2.5 }) }));
  scoreGroups(model, of, 'old', 1 << 20);
  const { by } = gradientsOf(moved, grpoLoss(moved, of, options));
  const bias = moved.weights.get('model.norm.weight')!;
  const whole = bias.dataSync<'float32'>().slice();
  const eps = 1e-2;
  for (const at of [0, 7, 31]) {
    const losses = [eps, -eps].map((by) => {
      tf.tidy(() => bias.assign(tf.tensor1d(whole.map((x, i) => (i === at ? x + by : x)))));
      return gradientsOf(moved, grpoLoss(moved, of, options)).loss;
    });
    expect((losses[0]! - losses[1]!) / (2 * eps)).toBeCloseTo(by.get('model.norm.weight')![at]!, 3);
    tf.tidy(() => bias.assign(tf.tensor1d(whole)));
  }
  disposeWeights(moved.weights);
});

describe('parts', () => {
  const answers = (of: Group[]): Group[] => of.map((group, g) => (g === 1 ? group : { ...group, answer: [1, 2, 3] }));
  const options: GrpoLossOptions = { beta: 0.05, reference, sftWeight: 0.1 };

  test.each(LOSS_TYPES)('%s: of any size, the gradient of the whole (1e-5)', (lossType) => {
    const whole = gradientsOf(model, grpoLoss(model, answers(groups()), { ...options, lossType }));
    for (const tokenBudget of [1, 5, 8, 12]) {
      const parts = [...grpoLoss(model, answers(groups()), { ...options, lossType, tokenBudget })];
      expect(parts.length).toBeGreaterThan(1);
      const cut = gradientsOf(model, parts);
      expect(cut.loss).toBeCloseTo(whole.loss, 5);
      expect(apart(cut.by, whole.by)).toBeLessThan(1e-5);
    }
  });

  test('the size of a slice: the prompt, and of every text all but its last token', () => {
    const group: Group = { prompt: [1, 2, 3], completions: [[1, 2], [5], [1, 2, 3, 4]], advantages: [], answer: [1, 2, 3] }; // prettier-ignore
    const sizes = [
      [0, 3],
      [0, 2],
      [1, 2],
      [2, 3],
    ].flatMap(([from, to]) =>
      // prettier-ignore
      [false, true].map((withAnswer) => sliceTokens({ group, from: from!, to: to!, withAnswer })),
    );
    expect(sizes).toEqual([7, 9, 4, 6, 3, 5, 6, 8]);
  });

  test('every completion once, every answer once, none over the budget that can be under it', () => {
    const group = fc.record({
      prompt: fc.array(fc.constant(1), { minLength: 1, maxLength: 5 }),
      completions: fc.array(fc.array(fc.constant(1), { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 5 }),
      answer: fc.option(fc.array(fc.constant(1), { minLength: 1, maxLength: 4 }), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(group, { maxLength: 5 }), fc.integer({ min: 1, max: 30 }), (given, budget) => {
        const of = given.map(({ answer, ...rest }): Group => ({ ...rest, advantages: [], ...(answer && { answer }) }));
        const parts = groupParts(of, budget);
        const seen = parts.flat().flatMap(({ group, from, to }) => Array.from({ length: to - from }, (_, i) => [of.indexOf(group), from + i])); // prettier-ignore
        expect(seen).toEqual(of.flatMap(({ completions }, g) => completions.map((_, i) => [g, i])));
        const withAnswer = parts.flat().flatMap((slice) => (slice.withAnswer ? [of.indexOf(slice.group)] : []));
        expect(withAnswer).toEqual(of.flatMap(({ answer }, g) => (answer ? [g] : [])));
        const sizes = parts.map((slices) => slices.reduce((sum, slice) => sum + sliceTokens(slice), 0));
        parts.forEach((slices, i) => {
          if (sizes[i]! > budget) expect(slices.map(({ from, to }) => to - from)).toEqual([1]);
          if (i > 0) expect(sizes[i - 1]! + sliceTokens(slices[0]!)).toBeGreaterThan(budget); // else it were in that part
        });
        const slices = parts.flat();
        for (const [i, slice] of slices.entries()) {
          const next = slices[i + 1];
          if (next?.group !== slice.group) continue;
          const to = slice.to + 1; // a completion more would not have fitted
          const more = { ...slice, to, withAnswer: next.withAnswer && to === slice.group.completions.length };
          expect(sliceTokens(more)).toBeGreaterThan(budget);
        }
      }),
    );
  });

  test('are made one at a time, and hold no tensor when they are done', () => {
    const before = tf.memory().numTensors;
    const parts = grpoLoss(model, groups(), { ...options, tokenBudget: 5 });
    expect(tf.memory().numTensors).toBe(before);
    const first = parts.next().value!;
    const one = tf.memory().numTensors - before;
    first.dispose();
    parts.next().value!.dispose();
    expect(one).toBeGreaterThan(0);
    expect(tf.memory().numTensors).toBe(before);
  });
});

describe('what needs no gradient', () => {
  test('groups without an advantage are not computed, and count in what is divided by', () => {
    const tokens = (more: GrpoLossOptions): number =>
      [...grpoLoss(model, groups(), more)].reduce((sum, part) => (part.dispose(), sum + part.tokens), 0);
    const all = tokens({ beta: 0.1, reference });
    expect(tokens({ beta: 0 })).toBe(all - 3); // the last group: its prompt, and a token of a completion
    const [two, three] = [groups().slice(0, 2), groups()].map((of) => gradientsOf(model, grpoLoss(model, of)));
    const scaled = new Map([...two!.by].map(([name, own]) => [name, own.map((x) => (2 / 3) * x)]));
    expect(apart(three!.by, scaled)).toBeLessThan(1e-6);
    expect([...grpoLoss(model, groups().slice(2))]).toEqual([]);
  });

  test('hasAdvantage: any that counts, of a completion or of a token', () => {
    const of = (advantages: Group['advantages'], counts?: boolean[]) =>
      hasAdvantage({ prompt: [1], completions: [[1, 2], [2, 1]], advantages, ...(counts && { counts }) }); // prettier-ignore
    expect([of([0, 0]), of([0, 1]), of([[0, 0], [0, 1]]), of([[0, 0], 0])]).toEqual([false, true, true, false]); // prettier-ignore
    expect([of([0, 1], [true, false]), of([0, 1], [false, true])]).toEqual([false, true]);
  });

  test('without a reference the KL is refused', () => {
    expect(() => [...grpoLoss(model, groups(), { beta: 0.1 })]).toThrow('expected a reference, beta is not 0');
  });
});

test('totals: completions that do not count have no tokens, answers are counted apart', () => {
  const [first, second] = groups() as [Group, Group];
  const of = [
    { ...first, counts: [true, false, true] },
    { ...second, answer: [1, 2, 3] },
  ];
  expect(totalsOf(of, 7)).toEqual({ groups: 2, completions: 5, tokens: 8, maxTokens: 7, answerTokens: 3 });
});

test('dr_grpo divides by the longest completion, or by what a completion may have at most', () => {
  const of = (maxTokens?: number): number => {
    const some = groups().map((group) => ({ ...group, advantages: group.advantages.map(() => 1) }));
    return gradientsOf(model, grpoLoss(model, some, { lossType: 'dr_grpo', ...(maxTokens && { maxTokens }) })).loss;
  };
  expect(of()).toBeCloseTo(-14 / (7 * 3), 5); // fourteen tokens of seven completions, the longest of three
  expect(of(10)).toBeCloseTo(-14 / (7 * 10), 5);
  const short: Group = { prompt: [3], completions: [[2], [5]], advantages: [1, 1] };
  expect(gradientsOf(model, grpoLoss(model, [short], { lossType: 'dr_grpo' })).loss).toBeCloseTo(-1, 5);
});

test('a completion that does not count: no gradient, no token, and the others are divided by theirs alone', () => {
  const [group] = groups() as [Group];
  const seen: PolicySums[] = [];
  const options: GrpoLossOptions = { lossType: 'dapo', onSums: (sums) => seen.push(sums) };
  const some = gradientsOf(model, grpoLoss(model, [{ ...group, counts: [true, false, true] }], options));
  const { prompt, completions, advantages } = group;
  const others: Group = { prompt, completions: [completions[0]!, completions[2]!], advantages: [advantages[0]!, advantages[2]!] }; // prettier-ignore
  const alone = gradientsOf(model, grpoLoss(model, [others], options));
  expect(seen.map(({ tokens }) => tokens)).toEqual([4, 4]);
  expect(some.loss).toBeCloseTo(alone.loss, 6);
  expect(apart(some.by, alone.by)).toBeLessThan(1e-5);
});

test('the loss of fine-tuning that is mixed in: the mean negative log-likelihood of the answers', () => {
  const of = groups().map((group, g) => ({ ...group, advantages: group.advantages.map(() => 0), answer: [g, 4] }));
  const byHand = -mean(of.flatMap(({ prompt, answer }) => logProbs(model, prompt, answer)));
  expect(gradientsOf(model, grpoLoss(model, of, { sftWeight: 0.5 })).loss).toBeCloseTo(0.5 * byHand, 5);
  expect([...grpoLoss(model, of)]).toEqual([]); // without a weight there is nothing to learn
  expect(gradientsOf(model, grpoLoss(model, of, { beta: 0.1, reference: model })).loss).toBeCloseTo(0, 6);
  const [word] = groups().map((group): Group => ({ ...group, advantages: [0, 0, 0], answer: [4] }));
  const one = gradientsOf(model, grpoLoss(model, [word!], { sftWeight: 0.5 })).loss;
  expect(one).toBeCloseTo(-0.5 * logProbs(model, word!.prompt, [4])[0]!, 5);
});

test('over the legal continuations: log p of what the trie allows', () => {
  const trie = buildTrie([[2, 5], [2, 6], [3, 6], [4, 5]]); // prettier-ignore
  const group: Group = { prompt: [1, 7], completions: [[2, 5], [3, 6]], advantages: [1, -1], trie }; // prettier-ignore
  scoreGroups(model, [group], 'old', 1 << 20);
  const among = (before: number[], token: number, legal: number[]): number => {
    const of = (one: number): number => logProbs(model, [1, 7, ...before], [one])[0]!;
    return of(token) - Math.log(legal.reduce((sum, one) => sum + Math.exp(of(one)), 0));
  };
  const expected = [
    [among([], 2, [2, 3, 4]), among([2], 5, [5, 6])],
    [among([], 3, [2, 3, 4]), 0],
  ];
  group.old!.forEach((own, g) => own.forEach((x, i) => expect(x).toBeCloseTo(expected[g]![i]!, 5)));
  const { by } = gradientsOf(model, grpoLoss(model, [{ ...group, old: group.old! }]));
  expect(Math.hypot(...by.get('model.norm.weight')!)).toBeGreaterThan(0);
});

test('of what was drawn with a temperature log p is that of the draw; of the right answer it is the policy’s own', () => {
  const drawn = { prompt: [1, 7], completions: [[2, 5], [3, 6, 0]], advantages: [0, 0], temperature: 2.5 }; // prettier-ignore
  const beams = { prompt: [1, 7], completions: [[2, 5]], advantages: [0] };
  const all: Group[] = [drawn, beams];
  scoreGroups(model, all, 'old', 1 << 20);
  const tempered = (before: number[], token: number): number => {
    const powers = Array.from({ length: 9 }, (_, one) => Math.exp(logProbs(model, [1, 7, ...before], [one])[0]! / 2.5));
    return Math.log(powers[token]! / powers.reduce((sum, power) => sum + power, 0));
  };
  const expected = drawn.completions.map((of) => of.map((token, i) => tempered(of.slice(0, i), token)));
  all[0]!.old!.forEach((own, g) => own.forEach((x, i) => expect(x).toBeCloseTo(expected[g]![i]!, 5)));
  logProbs(model, [1, 7], [2, 5]).forEach((x, i) => expect(all[1]!.old![0]![i]).toBeCloseTo(x, 6));
  const taught = all.map((group): Group => ({ ...group, answer: [2, 5] }));
  const { loss } = gradientsOf(model, grpoLoss(model, taught, { sftWeight: 1 }));
  expect(loss).toBeCloseTo(-mean(logProbs(model, [1, 7], [2, 5])), 5);
  const [parted] = taught.map((group) => ({ group, from: 0, to: 2, withAnswer: true }));
  expect(sliceTokens(parted!)).toBe(2 * 2 + 1 + 2 + 1); // the answer has the prompt to itself
  expect([...grpoLoss(model, taught.slice(0, 1), { sftWeight: 1 })].map(({ tokens }) => tokens)).toEqual([2 + 1 + 2 + 2 + 1]); // prettier-ignore
});

test('several updates on a rollout: log p of the first is kept, ratios move, clipped tokens are counted', () => {
  const moved: LanguageModel = { config, weights: randomWeights(config, 1) };
  const of = groups().slice(0, 2);
  const seen: PolicySums[] = [];
  for (let update = 0; update < 6; update++) {
    step(moved, batchGradients(moved, grpoLoss(moved, of, { epsilon: 0.1, onSums: (sums) => seen.push(sums) })), 0.2);
  }
  expect(seen[0]).toMatchObject({ ratioMin: 1, ratioMax: 1, clippedHigh: 0, clippedLow: 0 });
  of.forEach(
    ({ prompt, completions, old }) =>
    completions.forEach((completion, g) => old![g]!.forEach((x, i) => expect(x).toBeCloseTo(logProbs(model, prompt, completion)[i]!, 5))), // prettier-ignore
  );
  expect(seen.at(-1)!.ratioMax).toBeGreaterThan(1.1);
  expect(seen.at(-1)!.clippedHigh).toBeGreaterThan(0);
  disposeWeights(moved.weights);
});

describe('one step', () => {
  const stepped = (of: Group[], options: GrpoLossOptions): { before: number[]; after: number[] } => {
    const moved: LanguageModel = { config, weights: randomWeights(config, 1) };
    const { prompt, completions } = of[0]!;
    const score = (): number[] => completions.map((completion) => logProbs(moved, prompt, completion).reduce((a, b) => a + b, 0)); // prettier-ignore
    const before = score();
    step(moved, batchGradients(moved, grpoLoss(moved, of, options)), 0.05);
    const after = score();
    disposeWeights(moved.weights);
    return { before, after };
  };

  test.each(LOSS_TYPES)('%s: raises the log-probability of the hit and lowers that of the worst miss', (lossType) => {
    const { before, after } = stepped([groups()[0]!], { lossType });
    expect(after[0]).toBeGreaterThan(before[0]!);
    expect(after[2]).toBeLessThan(before[2]!);
  });

  test('equal rewards: nothing moves, and with a KL towards the reference alone', () => {
    const equal = (): Group[] => [{ ...groups()[0]!, advantages: groupAdvantages([0, 0, 0]) }];
    const still = stepped(equal(), { beta: 0 });
    expect(still.after).toEqual(still.before);
    const drawn = stepped(equal(), { beta: 1, reference });
    const { prompt, completions } = equal()[0]!;
    const asked = completions.map((completion) => logProbs(reference, prompt, completion).reduce((a, b) => a + b, 0));
    const gap = (values: number[]): number => mean(values.map((x, i) => Math.abs(x - asked[i]!)));
    expect(gap(drawn.after)).toBeLessThan(gap(drawn.before));
  });
});

test('the gradient of a group equals that of its separate texts, 1e-5 in float32', () => {
  const [policy, fixed] = [loadModel('test/golden/qwen2-tied'), loadModel('test/golden/qwen2-tied')];
  for (const weight of fixed.weights.values()) weight.assign(tf.mul(weight, 1.05)); // a KL that is not zero
  const whole: Group[] = [
    { prompt: [5, 9, 31, 2, 14], completions: [[8, 3, 1], [8, 20, 11], [39, 2, 7]], advantages: [1.2, -0.5, -0.7] }, // prettier-ignore
    { prompt: [1, 2], completions: [[3, 4], [5, 6]], advantages: [-0.7, 0.7] }, // prettier-ignore
  ];
  const options: GrpoLossOptions = { beta: 0.05, reference: fixed };
  const together = gradientsOf(policy, grpoLoss(policy, whole.map((group) => ({ ...group })), options)); // prettier-ignore
  const texts = new Map<string, Float32Array>();
  for (const { prompt, completions, advantages } of whole) {
    completions.forEach((completion, g) => {
      const single = { prompt, completions: [completion], advantages: [advantages[g]!] };
      for (const [name, gradient] of gradientsOf(policy, grpoLoss(policy, [single], options)).by) {
        const sum = texts.get(name) ?? new Float32Array(gradient.length);
        gradient.forEach((x, i) => (sum[i]! += x / (whole.length * completions.length)));
        texts.set(name, sum);
      }
    });
  }
  expect(apart(together.by, texts)).toBeLessThan(1e-5);
});
