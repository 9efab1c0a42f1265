/** An update of GRPO's task: groups of equal rewards, several updates a rollout, the KL, advantages, seconds. */
import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { beamSearch } from '../../../lib/decode/beam-search.js';
import { useEngine } from '../../../lib/engine/engine.js';
import { Random } from '../../../lib/support/random.js';
import { groupAdvantages, statistics } from '../../../lib/train/grpo/loss/advantages.js';
import { klIntoRewards, processAdvantages, withAdvantages } from '../../../lib/train/grpo/loss/group-advantages.js';
import type { Group } from '../../../lib/train/grpo/loss/group.js';
import { grpoLoss } from '../../../lib/train/grpo/loss/grpo-loss.js';
import type { Reward } from '../../../lib/train/grpo/rewards/reward-context.js';
import { hasEqualRewards, type RolledGroup } from '../../../lib/train/grpo/rollout/rolled-groups.js';
import { batchGradients } from '../../../lib/train/loop/gradients.js';
import { apart, batchOf, gradientsOf, logProbs, mean, step, toy, type ToyOptions, toyTask, update } from './toy.js';

beforeAll(async () => void (await useEngine()));

describe('groups whose rewards are equal', () => {
  const first: Reward = ({ items, row }) => items.map((_, i) => (row.user === '0' && i === 0 ? 1 : 0));

  test('masked: the update is that of the others alone', async () => {
    const of = toy(undefined, first);
    const masked = await update(toyTask(of, { equalGroups: 'mask' }), of);
    const alone = await update(toyTask({ ...of, rows: of.rows.slice(0, 1) }), of);
    expect(masked.loss).toBeCloseTo(alone.loss, 6);
    expect(apart(masked.by, alone.by)).toBeLessThan(1e-6);
    expect(masked.metrics).toMatchObject({ 'groups trained': 1, 'groups with equal rewards': 0.75 });
    expect(masked.metrics).not.toHaveProperty(['groups redrawn']);
    const none: Reward = ({ items }) => items.map(() => 0);
    const still = await update(toyTask(toy(undefined, none), { equalGroups: 'mask' }), of);
    expect(still.loss).toBe(0);
  });

  test('drawn anew: other rows in their place, in rounds, until there are as many', async () => {
    let seen: string[] = [];
    const two: Reward = ({ items, row: { user } }) => (seen.push(user), items.map((_, i) => (['0', '6'].includes(user) && i === 0 ? 1 : 0))); // prettier-ignore
    const of = toy(undefined, two);
    const more = [4, 5, 6, 7].map((user) => ({ user: String(user), history: [1, 4], target: 2 }));
    const rows = () => [...of.rows, ...more].map((row) => ({ task: 0, row }));
    const task = toyTask(of, { equalGroups: 'redraw' }, { rows });
    for (let seed = 0; seed < 8; seed++) {
      seen = [];
      const { metrics, microBatches } = await task.objective(batchOf(task), new Random(seed), 1);
      for (const part of microBatches) part.dispose();
      expect(seen.slice(0, 4)).toEqual(['0', '1', '2', '3']);
      expect(new Set(seen.slice(0, 8)).size).toBe(8); // nobody again before all were tried
      expect(seen.filter((user) => user === '0' || user === '6')).toHaveLength(2); // what is kept is not drawn again
      expect((metrics as () => object)()).toMatchObject({ 'groups trained': 2, 'groups redrawn': seen.length - 4 });
    }
  });

  test('as many rows as there were such groups', async () => {
    let made = 0;
    const later: Reward = ({ items }) => (made++, items.map((_, i) => (made === 1 || made > 4 ? i : 0))); // the first, and all of the second round
    const of = toy(undefined, later);
    const { metrics } = await update(toyTask(of, { equalGroups: 'redraw', rollout: 'sample' }), of);
    expect(metrics).toMatchObject({ 'groups trained': 4, 'groups redrawn': 3 });
  });

  test('three rounds at the most', async () => {
    const of = toy(undefined, (({ items }) => items.map(() => 1)) as Reward);
    const { metrics } = await update(toyTask(of, { equalGroups: 'redraw' }), of);
    expect(metrics).toMatchObject({ 'groups trained': 0, 'groups redrawn': 12 });
    const one = { ...of, rows: of.rows.slice(0, 1) };
    expect((await update(toyTask(one, { equalGroups: 'redraw' }), of)).metrics['groups redrawn']).toBe(3);
    const rows = (epoch: number) => of.rows.flatMap((row) => (epoch === 0 ? [{ task: 0, row }] : [])); // all are in the first epoch
    expect((await update(toyTask(of, { equalGroups: 'redraw' }, { rows }), of)).metrics['groups redrawn']).toBe(12);
  });

  test('all numbers of all tokens', () => {
    const of = (total: number[], perToken?: number[][]) =>
      hasEqualRewards({ rewards: { total, each: {}, ...(perToken && { perToken }) } } as RolledGroup);
    expect([of([1, 1]), of([1, 2]), of([0, 0], [[1, 1], [1]]), of([0, 0], [[1, 0], [1, 0]])]).toEqual([true, false, true, false]); // prettier-ignore
  });
});

test('the answers of fine-tuning go through the model where they have a weight', async () => {
  const of = toy(undefined, 'rule');
  const made = await Promise.all(
    [0, 0.5].map(async (sftWeight) => {
      const options = { sftWeight, numGenerations: 4, beta: 0.05 };
      const { microBatches } = await toyTask(of, options).objective(batchOf(toyTask(of)), new Random(1), 1);
      const parts = [...microBatches];
      const tokens = parts.map((part) => part.tokens);
      return { tokens, loss: gradientsOf(of.model, parts).loss };
    }),
  );
  const lists = of.rows.map(({ history, target }) => ({ prompt: of.task.render.prompt(history, target), answer: of.task.render.answer(target) })); // prettier-ignore
  const likelihoods = lists.flatMap(({ prompt, answer }) => logProbs(of.model, prompt, answer));
  expect(made[1]!.loss - made[0]!.loss).toBeCloseTo(-0.5 * mean(likelihoods), 5);
  const beams = beamSearch(of.model, of.task.trie!, lists.map(({ prompt }) => prompt), { numBeams: 4 }); // prettier-ignore
  const firsts = beams.map(({ items }) => new Set(items.map((item) => of.index[item]![0])).size);
  expect(made[0]!.tokens).toEqual([lists.reduce((sum, { prompt }, r) => sum + prompt.length + firsts[r]!, 0)]);
  expect(made[1]!.tokens[0]).toBeGreaterThan(made[0]!.tokens[0]!);
});

describe('several updates a rollout', () => {
  const options: ToyOptions = { numIterations: 3, rollout: 'sample', normalize: 'legal' };

  test('the later ones are on the same groups, whose ratios have moved', async () => {
    const of = toy();
    const task = toyTask(of, options);
    const ratios: number[] = [];
    for (let at = 0; at < 3; at++) {
      const { microBatches, metrics } = await task.objective(batchOf(task, at), new Random(at), at + 1);
      step(of.model, batchGradients(of.model, microBatches), 0.5);
      const logged = (metrics as () => Record<string, number>)();
      ratios.push(logged['ratio max']!);
      expect('reward' in logged).toBe(at === 0);
    }
    expect(ratios[0]).toBe(1);
    expect(ratios[2]).toBeGreaterThan(ratios[1]!);
  });

  test.each([1, 2])('of %d updates groups are kept for a checkpoint where another one follows', (numIterations) => {
    const folder = mkdtempSync(join(tmpdir(), 'sidlab-kept-'));
    const task = toyTask(toy(), { numIterations });
    task.state.save(folder);
    expect(readdirSync(folder)).toEqual(numIterations === 1 ? [] : ['rollout.json']);
    expect(() => task.state.restore(folder)).not.toThrow();
  });

  test('what is kept goes through a checkpoint, bit for bit', async () => {
    const of = toy();
    const task = toyTask(of, options);
    await update(task, of);
    const folder = mkdtempSync(join(tmpdir(), 'sidlab-kept-'));
    task.state.save(folder);
    const fresh = toyTask(of, options);
    fresh.state.restore(folder);
    tf.tidy(() => {
      const norm = of.model.weights.get('model.norm.weight')!;
      norm.assign(norm.mul(1.1));
    });
    const [whole, resumed] = [await update(task, of, 1), await update(fresh, of, 1)];
    expect(resumed.loss).toBe(whole.loss);
    expect(resumed.by).toEqual(whole.by);
    expect(resumed.metrics['ratio max']).toBe(whole.metrics['ratio max']);
    expect(resumed.metrics['ratio max']).not.toBe(1);
  });
});

describe('the KL', () => {
  test('in the reward: lowered by beta times the sum over tokens', () => {
    const group = {
      rewards: { total: [1, 0], each: {} },
      old: [[-1, -2], [-3]],
      reference: [[-2, -2], [-1]],
    } as unknown as RolledGroup;
    expect(klIntoRewards([group], 0.5, 'k1')).toBeCloseTo((1 + 0 - 2) / 3, 12);
    expect(group.rewards.total).toEqual([0.5, 1]);
    expect(klIntoRewards([], 1, 'k3')).toBe(0);
  });

  test('in the reward it has no gradient of its own, and the policy comes no nearer by equal completions', async () => {
    const of = toy(undefined, (({ items }) => items.map(() => 0)) as Reward);
    const { metrics, by } = await update(toyTask(of, { klIn: 'reward', kl: 'k1', beta: 0.2, numGenerations: 4 }), of);
    expect(metrics.kl).not.toBe(0);
    expect(metrics['reward std']).toBe(0); // what was rewarded, before the KL
    expect(Math.max(...by.get('model.norm.weight')!.map(Math.abs))).toBeGreaterThan(0);
  });

  test.each([0, 0.2, 1])(
    'in the reward, beta %f: the update is that of lowered rewards, without a KL in the loss',
    async (beta) => {
      const of = toy(undefined, ({ items, target }) => items.map((item) => Number(item === target)));
      const own = await update(toyTask(of, { klIn: 'reward', kl: 'k1', beta, numGenerations: 4 }), of);
      const expected = of.rows.map((row): Group => {
        const prompt = of.task.render.prompt(row.history, row.target);
        const [found] = beamSearch(of.model, of.task.trie!, [prompt], { numBeams: 4 });
        const completions = found!.items.map((item) => of.task.render.answer(item));
        const rewards = completions.map((completion, g) => {
          const [policy, fixed] = [of.model, of.reference].map((one) => logProbs(one, prompt, completion));
          const kl = policy!.reduce((sum, log, i) => sum + log - fixed![i]!, 0);
          return Number(found!.items[g] === row.target) - beta * kl;
        });
        return { prompt, completions, advantages: groupAdvantages(rewards) };
      });
      const byHand = gradientsOf(of.model, grpoLoss(of.model, expected));
      expect(own.loss).toBeCloseTo(byHand.loss, 5);
      expect(apart(own.by, byHand.by)).toBeLessThan(1e-4);
      expect('kl' in own.metrics).toBe(beta > 0);
    },
  );

  test('of beta 0 asks no reference', async () => {
    const { tasks: _tasks, ...of } = { ...toy(), tasks: 0 };
    const task = toyTask(of, { beta: 0 }, { reference: undefined as never });
    expect((await update(task, of)).metrics).not.toHaveProperty('kl');
  });
});

describe('advantages of groups', () => {
  const group = (more: Partial<RolledGroup>): RolledGroup =>
    ({ prompt: [1], completions: [[1, 2], [3]], ended: [true, true], rewards: { total: [1, 0], sum: [1, 0], each: {} }, ...more }) as RolledGroup; // prettier-ignore

  test('a reward a token: scaled over the group, then the sum of what follows, beside the completion’s', () => {
    const rewards = [[1, 0], [0, 0]]; // prettier-ignore
    const scale = 1 / (0.5 + 1e-4);
    const expected = [[0.5, -0.25], [-0.5, -0.25]].map((own) => own.map((x) => x * scale)); // prettier-ignore
    processAdvantages(rewards).forEach((own, g) => own.forEach((x, i) => expect(x).toBeCloseTo(expected[g]![i]!, 12)));
    const perToken = [[1, 0], [0]]; // prettier-ignore
    const [own] = withAdvantages(
      [group({ rewards: { total: [1, 0], sum: [2, 0], perToken, each: {} } })],
      {},
      { maskTruncated: false },
    );
    const [hit, miss] = groupAdvantages([1, 0]);
    const process = processAdvantages(perToken);
    expect(own!.advantages).toEqual([process[0]!.map((x) => hit! + x), process[1]!.map((x) => miss! + x)]);
  });

  test('a reward a token follows baseline, scale and its weight beside the others', () => {
    const rewards = [[1, 0], [0, 0]]; // prettier-ignore
    expect(processAdvantages(rewards, { scale: 'none' })).toEqual([[0.5, -0.25], [-0.5, -0.25]]); // prettier-ignore
    expect(processAdvantages(rewards, { baseline: 'none', scale: 'none', share: 7 })).toEqual([[1, 0], [0, 0]]); // prettier-ignore
    const batch = [...rewards, [3, 0]];
    expect(processAdvantages(rewards, { baseline: 'batch', scale: 'none', batch })[0]![1]).toBeCloseTo(-4 / 6, 12);
    const [[plain], [light]] = [1, 0.01].map((share) => processAdvantages(rewards, { share })[0]!) as [
      [number],
      [number],
    ];
    expect(light / plain).toBeCloseTo(0.01, 12);
    const of = (share: number) => ({
      total: [1, 0],
      sum: [2, 0],
      perToken: rewards,
      each: {},
      ofTokens: { names: ['token'], share },
    });
    const two = [group({ completions: [[1, 2], [3, 4]], rewards: of(0.5) }), group({ completions: [[1, 2], [3, 4]], rewards: { ...of(0.5), perToken: [[3, 0], [3, 3]] } })]; // prettier-ignore
    const [first] = withAdvantages(two, { baseline: 'batch', scale: 'batch' }, { maskTruncated: false });
    const all = [1, 0, 0, 0, 3, 0, 3, 3];
    const { mean, deviation } = statistics(all);
    const ofCompletion = 0.5 / (statistics([1, 0, 1, 0]).deviation + 1e-4);
    expect((first!.advantages[0] as number[])[1]).toBeCloseTo(
      ofCompletion + (0.5 * (0 - mean)) / (deviation + 1e-4),
      12,
    );
    expect(() => withAdvantages(two, { baseline: 'policy', scale: 'none' }, { maskTruncated: false })).toThrow(
      'grpo: --advantages policy: a reward of one number a token has no place in it; take group',
    );
  });

  test('what a group knows stays with it, and nothing is made up', () => {
    const known = { answer: [4, 5], old: [[-1, -2], [-3]], reference: [[-2, -1], [-4]] }; // prettier-ignore
    expect(withAdvantages([group(known)], {}, { maskTruncated: false })[0]).toMatchObject(known);
    expect(Object.keys(withAdvantages([group({})], {}, { maskTruncated: false })[0]!).sort()).toEqual(['advantages', 'completions', 'prompt']); // prettier-ignore
  });

  test('texts that ran out of tokens do not count, where that is asked for', () => {
    const of = (ended: boolean[], maskTruncated: boolean) => withAdvantages([group({ ended })], {}, { maskTruncated })[0]!; // prettier-ignore
    expect(of([true, false], true).counts).toEqual([true, false]);
    expect(of([true, false], false)).not.toHaveProperty('counts');
    expect(of([true, true], true)).not.toHaveProperty('counts');
  });
});

describe('seconds', () => {
  /** The only clock: a prompt moves it by a second, a group's rewards by 10, the reference by 100, a part by 1000. */
  let now: number;
  const moved = <T>(seconds: number, value: T): T => {
    now += 1000 * seconds;
    return value;
  };
  beforeEach(() => {
    now = 5e6;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
  });
  afterEach(() => vi.restoreAllMocks());

  /** @param worth what the rewards of a group of six are */
  async function secondsOf(worth: number[], options: ToyOptions) {
    const of = toy(undefined, (({ items }) =>
      moved(
        10,
        items.map((_, i) => worth[i]!),
      )) as Reward);
    const { render } = of.task;
    of.task.render = { ...render, prompt: (...given) => moved(1, render.prompt(...given)) };
    let asked = false;
    const model = {
      config: of.reference.config,
      get weights() {
        if (!asked) moved(100, (asked = true));
        return of.reference.weights;
      },
    };
    const task = toyTask(of, options, { reference: { model, dispose: () => {} } });
    const { microBatches, metrics } = await task.objective(batchOf(task), new Random(1), 1);
    expect((metrics as () => Record<string, number>)()['seconds policy']).toBe(0); // nothing is computed yet
    let parts = 0;
    for (const part of microBatches) {
      part.dispose();
      parts = moved(1000, parts + 1);
      asked = false;
    }
    const all = (metrics as () => Record<string, number>)();
    return { parts, ...Object.fromEntries(Object.entries(all).filter(([name]) => name.startsWith('seconds'))) };
  }

  const six = [0, 1, 2, 3, 4, 5];
  test.each<[string, number[], ToyOptions, object]>([
    ['all of it', six, {}, { parts: 1, rollout: 4, rewards: 40, reference: 100, policy: 1000 }],
    ['in parts', six, { tokenBudget: 1 }, { parts: 24, rollout: 4, rewards: 40, reference: 2400, policy: 24000 }],
    [
      'the KL in the reward',
      six,
      { klIn: 'reward' },
      { parts: 1, rollout: 4, rewards: 40, reference: 100, policy: 1000 },
    ],
    ['no KL', six, { beta: 0 }, { parts: 1, rollout: 4, rewards: 40, policy: 1000 }],
    ['drawn anew in three rounds', six.map(() => 0), { beta: 0, equalGroups: 'redraw' }, { parts: 0, rollout: 16, rewards: 160, policy: 0 }], // prettier-ignore
  ])('%s', async (_, worth, options, expected) => {
    const { parts, ...seconds } = Object.fromEntries(
      Object.entries(expected).map(([name, value]) => [name === 'parts' ? name : `seconds ${name}`, value as number]),
    );
    const own = await secondsOf(worth, options);
    expect(own).toEqual({ parts, ...seconds });
  });
});
