/** A bandit whose best policy is known: one prompt, six items, one of them rewarded. */
import { beforeAll, describe, expect, test } from 'vitest';
import { beamSearch } from '../../../lib/decode/beam-search.js';
import { useEngine } from '../../../lib/engine/engine.js';
import { trainableWeights } from '../../../lib/lm/language-model.js';
import { Random } from '../../../lib/support/random.js';
import { LOSS_TYPES } from '../../../lib/train/grpo/loss/policy-loss.js';
import { referenceOf } from '../../../lib/train/grpo/reference.js';
import type { Reward } from '../../../lib/train/grpo/rewards/reward-context.js';
import type { RewardGiven } from '../../../lib/train/grpo/rewards/reward-list.js';
import { batchGradients } from '../../../lib/train/loop/gradients.js';
import { Optimizer } from '../../../lib/train/optim/optimizer.js';
import { toy, type ToyOptions, toyTask } from './toy.js';

beforeAll(async () => void (await useEngine()));

/** Probabilities of the six items before and after some updates on one row, whose target is item 5. */
async function play(
  reward: RewardGiven,
  updates: number,
  options: ToyOptions,
): Promise<{ start: number[]; end: number[] }> {
  const of = toy(undefined, reward);
  of.rows = of.rows.slice(0, 1);
  const policy = (): number[] => {
    const prompt = of.task.render.prompt(of.rows[0]!.history);
    const [{ items, scores }] = beamSearch(of.model, of.task.trie!, [prompt], { numBeams: 6, normalize: 'legal' }) as [{ items: number[]; scores: number[] }]; // prettier-ignore
    return of.index.map((_, item) => Math.exp(scores[items.indexOf(item)]!));
  };
  const task = toyTask(of, { rollout: 'sample', numGenerations: 4, normalize: 'legal', ...options }, { reference: referenceOf(of.model) }); // prettier-ignore
  const optimizer = new Optimizer(trainableWeights(of.model), { maxGradNorm: 1 });
  const start = policy();
  const random = new Random('bandit');
  for (let at = 0; at < updates; at++) {
    const batches = task.batches(0);
    const { microBatches } = await task.objective(batches[at % batches.length]!, random, at + 1);
    const { gradients } = batchGradients(of.model, microBatches);
    optimizer.apply(gradients, at + 1, 3e-3);
    for (const gradient of gradients.values()) gradient.dispose();
  }
  optimizer.dispose();
  return { start, end: policy() };
}

describe('solved', () => {
  test.each(LOSS_TYPES)('%s: the rewarded item has nearly all probability', async (lossType) => {
    const { start, end } = await play('rule', 30, { lossType, beta: 0, numIterations: 2 });
    expect(start[5]).toBeLessThan(0.5);
    expect(end[5]).toBeGreaterThan(0.9);
  });

  test.each<[string, RewardGiven]>([
    ['a number a token', 'token'],
    ['the first code, then all', 'hierarchical'],
  ])('%s', async (_, reward) => {
    const { end } = await play(reward, 40, { beta: 0, rollout: 'beams', numGenerations: 6 });
    expect(end[5]).toBeGreaterThan(0.9);
  });

  test('the other way round: a penalty takes its item away', async () => {
    const never: Reward = ({ items }) => items.map((item) => (item === 2 ? -1 : 0));
    const { start, end } = await play(never, 30, { beta: 0 });
    expect(end[2]).toBeLessThan(start[2]! / 4);
  });
});

describe('advantages of the policy', () => {
  const worth = [2, 0, -1, 1, 0, 0.5];
  const reward: Reward = ({ items }) => items.map((item) => worth[item]!);
  const policy: ToyOptions = { advantages: 'policy', scaleRewards: 'none', rollout: 'beams', numGenerations: 6 };

  test.each([1, 2])(
    'with the KL in the reward, beta %f, it becomes the reference times exp(r / beta)',
    async (beta) => {
      const { start, end } = await play(reward, 120, { ...policy, klIn: 'reward', kl: 'k1', beta });
      const best = start.map((p, item) => p * Math.exp(worth[item]! / beta));
      const total = best.reduce((sum, x) => sum + x, 0);
      end.forEach((p, item) => expect(Math.abs(p - best[item]! / total)).toBeLessThan(0.02));
      expect(Math.abs(start[0]! - best[0]! / total)).toBeGreaterThan(0.1);
    },
  );

  test('without a KL the best item has nearly all probability', async () => {
    const { end } = await play(reward, 80, { ...policy, beta: 0 });
    expect(end[0]).toBeGreaterThan(0.9);
  });
});

test('a large beta holds the policy', async () => {
  const { start, end } = await play('rule', 20, { beta: 300, scaleRewards: 'none' });
  end.forEach((p, item) => expect(Math.abs(p - start[item]!)).toBeLessThan(0.1));
});

describe('without a reward', () => {
  const nothing: Reward = ({ items }) => items.map(() => 0);

  test('and without a KL nothing moves, bit for bit', async () => {
    const { start, end } = await play(nothing, 10, { beta: 0 });
    expect(end).toEqual(start);
  });

  test('with a KL to what the policy is, neither', async () => {
    const { start, end } = await play(nothing, 10, { beta: 1 });
    end.forEach((p, item) => expect(p).toBeCloseTo(start[item]!, 6));
  });
});
