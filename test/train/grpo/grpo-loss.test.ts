/** GRPO's loss, reward and advantages worked out apart from the code, and what a batch of its task is. */
import * as tf from '@tensorflow/tfjs';
import { afterAll, expect, test } from 'vitest';
import type { Dataset } from '../../../lib/data/dataset.js';
import { beamSearch } from '../../../lib/decode/beam-search.js';
import { useEngine } from '../../../lib/engine/engine.js';
import { itemMetrics } from '../../../lib/evaluate/metrics.js';
import { createRecommender } from '../../../lib/evaluate/recommender.js';
import { parseShape } from '../../../lib/lm/config.js';
import { chain } from '../../../lib/lm/forest.js';
import type { LanguageModel } from '../../../lib/lm/language-model.js';
import { wordTokenizer } from '../../../lib/lm/tokenizer/tokenizer.js';
import { disposeWeights, randomWeights } from '../../../lib/lm/weights.js';
import { Random } from '../../../lib/support/random.js';
import { groupAdvantages } from '../../../lib/train/grpo/advantages.js';
import { type Group, grpoLoss } from '../../../lib/train/grpo/grpo-loss.js';
import { grpoTask } from '../../../lib/train/grpo/grpo-task.js';
import { rankingReward, ruleReward } from '../../../lib/train/grpo/rewards.js';
import { forestLogProbs } from '../../../lib/train/loop/forest-loss.js';
import { batchGradients } from '../../../lib/train/loop/gradients.js';
import { validator } from '../../../lib/train/loop/validate.js';

await useEngine();

const index = ['<a_0><b_0>', '<a_0><b_1>', '<a_1><b_0>', '<a_1><b_1>', '<a_2><b_0>', '<a_2><b_1>'].map((sid) =>
  sid.split(/(?<=>)/),
);
const tokenizer = wordTokenizer([], index);
const config = parseShape('qwen2:32x1', tokenizer.vocabSize, 0);
const model: LanguageModel = { config, weights: randomWeights(config, 1) };
const reference: LanguageModel = { config, weights: randomWeights(config, 2) };
afterAll(() => [model, reference].forEach(({ weights }) => disposeWeights(weights)));

/** log p of each token of a completion. */
function logProbs(of: LanguageModel, prompt: readonly number[], completion: readonly number[]): number[] {
  const targets = completion.map((token, i) => ({ tree: 0, node: prompt.length - 1 + i, token }));
  const scorer = forestLogProbs(config, [chain([...prompt, ...completion.slice(0, -1)])], targets);
  const values = tf.tidy(() => scorer.logProbs(of).dataSync().slice());
  scorer.dispose();
  return [...values];
}

const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;

const GROUPS: Group[] = [
  {
    prompt: [2, 5, 4],
    completions: [
      [2, 5],
      [3, 6, 0],
      [4, 5],
    ],
    rewards: [1, -0.4, -0.6],
  },
  {
    prompt: [3],
    completions: [
      [2, 5],
      [2, 6],
    ],
    rewards: [0.5, 0],
  },
];

test.each([0, 0.04, 2])(
  'the loss at beta %f: advantages less KL, a mean over groups, completions and tokens',
  (beta) => {
    const byHand = mean(
      GROUPS.map(({ prompt, completions, rewards }) => {
        const deviation = Math.sqrt(
          rewards.reduce((sum, r) => sum + (r - mean(rewards)) ** 2, 0) / (rewards.length - 1),
        );
        return mean(
          completions.map((completion, g) => {
            const [policy, fixed] = [model, reference].map((of) => logProbs(of, prompt, completion));
            return mean(
              policy!.map((log, i) => {
                const d = fixed![i]! - log;
                const advantage = (rewards[g]! - mean(rewards)) / (deviation + 1e-4);
                return -(advantage * log - beta * (Math.exp(d) - d - 1));
              }),
            );
          }),
        );
      }),
    );
    const { loss, gradients } = batchGradients(model, [grpoLoss(model, reference, GROUPS, beta)]);
    tf.dispose([...gradients.values()]);
    expect(loss).toBeCloseTo(byHand, 4);
  },
);

test('the gradient lowers what is rewarded less, and the KL draws back to the reference', () => {
  const step = (beta: number, groups: readonly Group[]): { before: number[]; after: number[] } => {
    const moved: LanguageModel = { config, weights: randomWeights(config, 1) };
    const { prompt, completions } = groups[0]!;
    const score = (): number[] => completions.map((completion) => mean(logProbs(moved, prompt, completion)));
    const before = score();
    const { gradients } = batchGradients(moved, [grpoLoss(moved, reference, groups, beta)]);
    for (const [name, gradient] of gradients) {
      const weight = moved.weights.get(name)!;
      weight.assign(tf.sub(weight, tf.mul(gradient, 0.05)));
    }
    const after = score();
    tf.dispose([...gradients.values()]);
    disposeWeights(moved.weights);
    return { before, after };
  };
  const [rewarded] = [GROUPS[0]!];
  const { before, after } = step(0, [rewarded]);
  expect(after[0]! - after[2]!).toBeGreaterThan(before[0]! - before[2]!);
  const equal = { ...rewarded, rewards: [1, 1, 1] }; // no advantage: the KL alone
  const drawn = step(1, [equal]);
  const asked = equal.completions.map((completion) => mean(logProbs(reference, equal.prompt, completion)));
  const gap = (values: number[]): number => mean(values.map((x, i) => Math.abs(x - asked[i]!)));
  expect(gap(drawn.after)).toBeLessThan(gap(drawn.before));
});

test('rewards and advantages by hand', () => {
  expect(ruleReward({ items: [4, 2, 9], target: 2 })).toEqual([0, 1, 0]);
  const total = 1 + 1 / Math.log2(3) + 1 / 2;
  const [first, hit, third] = rankingReward({ items: [4, 2, 9], target: 2 });
  expect([first, hit, third].map((x) => x!.toFixed(12))).toEqual(
    [-1 / total, 1, -0.5 / total].map((x) => x.toFixed(12)),
  );
  const advantages = groupAdvantages([1, 3, 8]); // mean 4, variance (9 + 1 + 16) / 2
  [-3, -1, 4].forEach((x, i) => expect(advantages[i]).toBeCloseTo(x / (Math.sqrt(13) + 1e-4), 12));
  expect(groupAdvantages([5])).toEqual([0]);
});

const random = new Random('rows');
const rows = Array.from({ length: 12 }, (_, user) => ({
  user: String(user),
  history: Array.from({ length: 1 + random.int(3) }, () => random.int(6)),
  target: random.int(6),
}));
const dataset: Dataset = { name: 'toy', dir: '', items: [], train: rows, valid: rows, test: [] };
const recommender = createRecommender(model, tokenizer, index, 'sids');
const settings = { numGenerations: 4, beta: 0, batchSize: 5, validRows: 12, seed: 1 };

test('the task: as many rows as asked for, each once an epoch, in an order of its own', () => {
  const usersOf = (sampleSize: number, epoch: number): string[][] =>
    grpoTask(recommender, reference, dataset, { ...settings, reward: 'rule', sampleSize })
      .batches(epoch)
      .map((batch) => batch.map(({ user }) => user));
  expect(usersOf(0, 0).map((batch) => batch.length)).toEqual([5, 5, 2]);
  expect(new Set(usersOf(0, 0).flat()).size).toBe(12);
  expect(usersOf(7, 0).map((batch) => batch.length)).toEqual([5, 2]);
  expect(usersOf(7, 1).flat().sort()).toEqual(usersOf(7, 0).flat().sort());
  expect(usersOf(7, 1).flat()).not.toEqual(usersOf(7, 0).flat());
  expect(usersOf(99, 0).flat()).toHaveLength(12);
});

test.each(['rule', 'ranking'] as const)('what a batch logs under the %s reward', (reward) => {
  const task = grpoTask(recommender, reference, dataset, { ...settings, reward, sampleSize: 0 });
  const { metrics, microBatches } = task.objective(rows, new Random(1));
  microBatches.forEach((part) => part.dispose());
  const lists = beamSearch(
    model,
    recommender.trie,
    rows.map(({ history }) => recommender.render.prompt(history)),
    { numBeams: 4 },
  ).map(({ items }) => items);
  const hits = lists.map((items, r) => items.includes(rows[r]!.target));
  const score = { rule: ruleReward, ranking: rankingReward }[reward];
  expect(hits).toContain(true);
  expect(hits).toContain(false);
  expect(metrics!['groups with a hit']).toBeCloseTo(mean(hits.map(Number)), 12);
  expect(metrics!.reward).toBeCloseTo(mean(lists.flatMap((items, r) => score({ items, target: rows[r]!.target }))), 12);
});

test('validation ranks a sample of the rows: all of them where there are fewer, the same each time', async () => {
  const numBeams = 10;
  const lists = beamSearch(
    model,
    recommender.trie,
    rows.map(({ history }) => recommender.render.prompt(history)),
    { numBeams },
  );
  const all = itemMetrics(
    rows.map((row, r) => ({ ...row, ...lists[r]! })),
    [1, 5, 10],
  );
  for (const limit of [12, 99]) expect(await validator(recommender, rows, limit, 1)()).toEqual(all);
  const one = await validator(recommender, rows, 1, 1)();
  expect(one['HR@10']).toBe(1); // every item is among ten of six
  expect(one).not.toEqual(all);
  const some = validator(recommender, rows, 5, 1);
  expect(await some()).toEqual(await some());
});
