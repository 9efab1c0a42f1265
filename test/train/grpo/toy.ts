/** A toy catalogue, model and task of GRPO for tests. */
import * as tf from '@tensorflow/tfjs';
import type { Dataset, Item, Row } from '../../../lib/data/dataset.js';
import type { SidIndex } from '../../../lib/data/sid-index.js';
import { chain } from '../../../lib/lm/forest.js';
import { parseShape } from '../../../lib/lm/config.js';
import type { LanguageModel } from '../../../lib/lm/language-model.js';
import { type TextTokenizer, wordTokenizer } from '../../../lib/lm/tokenizer/tokenizer.js';
import { randomWeights } from '../../../lib/lm/weights.js';
import { Random } from '../../../lib/support/random.js';
import { TEMPLATES, templateWords } from '../../../lib/tasks/templates.js';
import {
  type GrpoBatch,
  GrpoTask,
  type GrpoTaskOptions,
  type GrpoTaskParts,
} from '../../../lib/train/grpo/grpo-task.js';
import { lossDefaults, type PolicyLossOptions } from '../../../lib/train/grpo/loss/policy-loss.js';
import { frozenReference } from '../../../lib/train/grpo/reference.js';
import { type RewardGiven, rewardParts } from '../../../lib/train/grpo/rewards/reward-list.js';
import { type RlTask, rlTask } from '../../../lib/train/grpo/rollout/rl-task.js';
import { forestLogProbs } from '../../../lib/train/loop/forest-loss.js';
import { batchGradients, type BatchGradients, type MicroBatch } from '../../../lib/train/loop/gradients.js';

export const sidsOf = (...texts: string[]): SidIndex => texts.map((sid) => sid.split(' ').map((code) => `<${code}>`));

/** Six items; with `SHARED` items 3 and 5 are one SID. */
export const INDEX = sidsOf('a_0 b_0', 'a_0 b_1', 'a_1 b_0', 'a_1 b_1', 'a_2 b_0', 'a_2 b_1');
export const SHARED = sidsOf('a_0 b_0', 'a_0 b_1', 'a_1 b_0', 'a_1 b_1', 'a_2 b_0', 'a_1 b_1');

export interface Toy {
  model: LanguageModel;
  reference: LanguageModel;
  tokenizer: TextTokenizer;
  index: SidIndex;
  dataset: Dataset;
  rows: Row[];
  task: RlTask;
}

export function toy(
  index: SidIndex = INDEX,
  reward: RewardGiven = 'ranking',
  shape = 'qwen2:32x1',
  template = 'sids',
): Toy {
  const tokenizer = wordTokenizer(
    template === 'sids' ? [] : [...templateWords([TEMPLATES[template]!]), 'item', ...'012345'],
    index,
  );
  const config = parseShape(shape, tokenizer.vocabSize, 0);
  const [model, reference] = [1, 2].map((seed) => ({ config, weights: randomWeights(config, seed) }));
  const items = index.map((_, i): Item => ({
    title: `item ${i}`,
    description: '',
    brand: '',
    categories: `c${i % 2}`,
  }));
  const rows = [5, 0, 3, 1].map((target, user) => ({ user: String(user), history: [user, 4], target }));
  const dataset: Dataset = { name: 'toy', dir: '', items, train: rows, valid: rows, test: [] };
  const context = {
    model: model!,
    tokenizer,
    index,
    reading: { items },
    rewards: rewardParts(reward)!,
    maxTokens: 8,
  };
  const task = rlTask({ name: template, template: TEMPLATES[template]! }, context);
  return { model: model!, reference: reference!, tokenizer, index, dataset, rows, task };
}

export type ToyOptions = Partial<GrpoTaskOptions & PolicyLossOptions>;

export function toyTask(of: Toy, options: ToyOptions = {}, parts: Partial<GrpoTaskParts> = {}): GrpoTask {
  const { model, reference, tokenizer, index, dataset, rows, task } = of;
  return new GrpoTask(
    {
      ...{ model, reference: frozenReference(reference), tasks: [task] },
      rows: () => rows.map((row) => ({ task: 0, row })),
      sources: { tokenizer, index, texts: dataset.items },
      validate: () => Promise.resolve({}),
      ...parts,
    },
    {
      ...{ numGenerations: 6, batchSize: 4, numIterations: 1, rollout: 'beams', temperature: 1, topP: 1 },
      ...{ dynamicSampling: false, addGroundTruth: false, normalize: 'full', tokenBudget: 1 << 20, klIn: 'loss' },
      ...{ aggregateRewards: 'sum_then_normalize', advantages: 'group', scaleRewards: 'group', equalGroups: 'keep' },
      ...{ maskTruncated: false, sftWeight: 0, logRollouts: 0, layerCheckpointing: false, dropout: 0, seed: 1 },
      ...lossDefaults({ beta: 0.05, ...options }),
      ...options,
    },
  );
}

/** log p of each token of a completion, by a chain of its own. */
export function logProbs(of: LanguageModel, prompt: readonly number[], completion: readonly number[]): number[] {
  const targets = completion.map((token, i) => ({ tree: 0, node: prompt.length - 1 + i, token }));
  const scorer = forestLogProbs(of.config, [chain([...prompt, ...completion.slice(0, -1)])], targets);
  const values = tf.tidy(() => scorer.logProbs(of).dataSync().slice());
  scorer.dispose();
  return [...values];
}

export const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;

/** Gradients as arrays, by name; zeros where no part reaches a weight. */
export function gradientsOf(
  model: LanguageModel,
  parts: Iterable<MicroBatch>,
): { loss: number; by: Map<string, Float32Array> } {
  const { loss, gradients } = batchGradients(model, parts);
  const by = new Map(
    [...model.weights].map(([name, { size }]) => [name, gradients.get(name)?.dataSync<'float32'>().slice() ?? new Float32Array(size)]), // prettier-ignore
  );
  tf.dispose([...gradients.values()]);
  return { loss, by };
}

/** Largest relative difference of two gradients, over the weights. */
export function apart(a: ReadonlyMap<string, Float32Array>, b: ReadonlyMap<string, Float32Array>): number {
  return Math.max(
    ...[...a].map(([name, own]) => {
      const other = b.get(name)!;
      return Math.hypot(...own.map((x, i) => x - other[i]!)) / Math.max(Math.hypot(...other), 1e-3);
    }),
  );
}

/** One step against the gradient. */
export function step(model: LanguageModel, { gradients }: BatchGradients, rate: number): void {
  for (const [name, gradient] of gradients) {
    const weight = model.weights.get(name)!;
    tf.tidy(() => weight.assign(tf.sub(weight, tf.mul(gradient, rate))));
  }
  tf.dispose([...gradients.values()]);
}

/** The batch of an update of the first epoch. */
export const batchOf = (task: GrpoTask, update = 0): GrpoBatch => task.batches(0)[update]!;

/** Loss, gradient and log of one update; nothing is changed. */
export async function update(task: GrpoTask, of = toy(), at = 0) {
  const objective = await task.objective(batchOf(task, at), new Random(1), at + 1);
  const gradients = gradientsOf(of.model, objective.microBatches);
  return { ...gradients, metrics: (objective.metrics as () => Record<string, number>)() };
}
