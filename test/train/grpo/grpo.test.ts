/** GRPO: rewards by their worked examples, a comb's gradient against its separate texts, a short run on tiny data. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import fc from '../../fast-check.js';
import { beforeAll, describe, expect, test } from 'vitest';
import { filterStage } from '../../../lib/data/filter/filter-stage.js';
import { writeSample } from '../../../lib/data/sample/sample.js';
import { embedItems } from '../../../lib/embed/embed-items.js';
import { useEngine } from '../../../lib/engine/engine.js';
import { loadModel } from '../../../lib/lm/model.js';
import { readMetrics } from '../../../lib/runs/metric-lines.js';
import { sidStage } from '../../../lib/sid/sid-stage.js';
import { groupAdvantages } from '../../../lib/train/grpo/advantages.js';
import { grpo } from '../../../lib/train/grpo/grpo.js';
import { type Group, grpoLoss } from '../../../lib/train/grpo/grpo-loss.js';
import { rankingReward, ruleReward } from '../../../lib/train/grpo/rewards.js';
import { sft } from '../../../lib/train/sft/sft.js';

beforeAll(async () => void (await useEngine()));

describe('rewards', () => {
  test('the worked example of the ranking reward', () => {
    const [miss, hit] = rankingReward({ items: [7, 5], target: 5 });
    expect(miss).toBeCloseTo(-1 / (1 + 1 / Math.log2(3)), 10);
    expect(hit).toBe(1);
  });

  test('a group without a hit is rewarded with nothing, by either', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 50 }), { minLength: 2 }), (items) => {
        expect(rankingReward({ items, target: 99 })).toEqual(items.map(() => 0));
        expect(ruleReward({ items, target: 99 })).toEqual(items.map(() => 0));
      }),
    );
  });

  test('a miss is charged more the higher it stands', () => {
    const rewards = rankingReward({ items: [1, 2, 3, 4], target: 4 });
    expect(rewards[0]).toBeLessThan(rewards[1]!);
    expect(rewards[1]).toBeLessThan(rewards[2]!);
  });

  test('advantages are centred, and all 0 where rewards are equal', () => {
    expect(groupAdvantages([0.3, 0.3, 0.3]).map(Math.abs)).toEqual([0, 0, 0]);
    const advantages = groupAdvantages([1, 0, 0, 0]);
    expect(advantages.reduce((sum, a) => sum + a, 0)).toBeCloseTo(0, 10);
    expect(advantages[0]).toBeCloseTo(0.75 / (0.5 + 1e-4), 10); // TRL: deviation of the sample
  });
});

test('the gradient of a comb equals that of its separate texts, 1e-5 in float32', () => {
  const model = loadModel('test/golden/qwen2-tied');
  const reference = loadModel('test/golden/qwen2-tied');
  for (const weight of reference.weights.values()) weight.assign(tf.mul(weight, 1.05)); // a KL that is not zero
  const groups: Group[] = [
    {
      prompt: [5, 9, 31, 2, 14],
      completions: [
        [8, 3, 1],
        [8, 20, 11],
        [39, 2, 7],
      ],
      rewards: [1, -0.4, -0.6],
    },
    {
      prompt: [1, 2],
      completions: [
        [3, 4],
        [5, 6],
      ],
      rewards: [0, 1],
    },
  ];
  // The same loss with every completion a tree of its own: advantages and weights as in its group.
  const combs = gradients(model, () => grpoLoss(model, reference, groups, 0.05));
  const texts = new Map<string, Float32Array>();
  for (const group of groups) {
    const advantages = groupAdvantages(group.rewards);
    group.completions.forEach((completion, g) => {
      const share = 1 / (groups.length * group.completions.length);
      const single = { prompt: group.prompt, completions: [completion], rewards: [0] };
      const part = (): ReturnType<typeof grpoLoss> => grpoLoss(model, reference, [single], 0.05, [[advantages[g]!]]);
      for (const [name, gradient] of gradients(model, part)) {
        const sum = texts.get(name) ?? new Float32Array(gradient.length);
        gradient.forEach((x, i) => (sum[i]! += share * x));
        texts.set(name, sum);
      }
    });
  }
  for (const [name, comb] of combs) {
    const separate = texts.get(name)!;
    const apart = Math.hypot(...comb.map((x, i) => x - separate[i]!));
    expect(apart / Math.max(Math.hypot(...separate), 1e-3), name).toBeLessThan(1e-5);
  }
});

test('a short run is no worse on validation than its start, by its own log', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sidlab-grpo-'));
  const { reviews, meta } = writeSample({ out: join(folder, 'raw'), size: 'tiny' });
  await filterStage({ reviews, meta, out: folder, dataset: 'tiny' });
  embedItems({ data: folder });
  await sidStage({ embeddings: join(folder, 'tiny.emb-lsa.npy'), codebookSize: 8 });
  const shared = { data: folder, index: join(folder, 'tiny.index.json'), validRows: 50 };
  const start = await sft({
    ...shared,
    run: join(folder, 'sft'),
    model: 'qwen2:32x1',
    epochs: 6,
    batchSize: 8,
    learningRate: 2e-3,
  });
  const report = await grpo({
    ...shared,
    run: join(folder, 'grpo'),
    model: start.model,
    sampleSize: 64,
    batchSize: 16,
    numGenerations: 8,
    learningRate: 1e-3,
    epochs: 1,
    evalSteps: 2,
  });
  expect(report.steps).toBe(4);
  expect(report.best.metrics['NDCG@10']).toBeGreaterThanOrEqual(report.start['NDCG@10']!);
  expect(report.start['NDCG@10']).toBeCloseTo(start.best.metrics['NDCG@10']!, 6); // the same rows, the same search
  const lines = readMetrics(join(folder, 'grpo', 'metrics.jsonl'));
  const validated = lines.flatMap((line) => ('valid NDCG@10' in line ? [line['valid NDCG@10']!] : []));
  expect(Math.max(...validated)).toBe(report.best.metrics['NDCG@10']);
  expect(lines.filter((line) => 'groups with a hit' in line)).toHaveLength(4);
});

function gradients(
  model: ReturnType<typeof loadModel>,
  make: () => ReturnType<typeof grpoLoss>,
): Map<string, Float32Array> {
  const part = make();
  const { grads } = tf.variableGrads(() => part.loss(), [...model.weights.values()]);
  part.dispose();
  return new Map([...model.weights].map(([name, weight]) => [name, grads[weight.name]!.dataSync<'float32'>()]));
}
