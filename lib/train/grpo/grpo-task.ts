/** GRPO as a task of the training loop: prompts are rolled out and rewarded, each group one prefix tree. */
import type { Dataset, Row } from '../../data/dataset.js';
import { beamSearch, type Ranking } from '../../decode/beam-search.js';
import { namingRows } from '../../decode/finite-scores.js';
import type { Recommender } from '../../evaluate/recommender.js';
import type { LanguageModel } from '../../lm/language-model.js';
import { Random } from '../../support/random.js';
import { cutInto } from '../../tasks/examples.js';
import type { Objective, Task } from '../loop/loop.js';
import { validator } from '../loop/validate.js';
import { type Group, grpoLoss } from './grpo-loss.js';
import { rewardGroup } from './reward-group.js';
import type { Reward, RewardName } from './rewards.js';

/** Options of the task, all of them decided. */
export interface GrpoTaskOptions {
  /** Beams of a prompt. */
  numGenerations: number;
  /** Weight of the KL term. */
  beta: number;
  /** A name of `REWARDS`, or a function. */
  reward: Reward | RewardName;
  /** Training rows, drawn once by the seed; 0: all. */
  sampleSize: number;
  /** Prompts an update. */
  batchSize: number;
  /** Computes each layer again for its gradient. Default false. */
  layerCheckpointing?: boolean;
  /** Validation rows that are ranked; 0: all. */
  validRows: number;
  seed: number;
}

/** @param reference the model of the KL term, which is not trained */
export function grpoTask(
  recommender: Recommender,
  reference: LanguageModel,
  dataset: Dataset,
  options: GrpoTaskOptions,
): Task<Row[]> {
  const { sampleSize, batchSize, validRows, seed } = options;
  const drawn = new Random(`${seed}/grpo`).shuffle([...dataset.train]);
  const rows = sampleSize > 0 ? drawn.slice(0, sampleSize) : drawn;
  const validate = validator(recommender, dataset.valid, validRows, seed);
  return {
    name: 'grpo',
    batches: (epoch) => cutInto(new Random(`${seed}/grpo/${epoch}`).shuffle([...rows]), batchSize),
    objective: (batch) => objective(recommender, reference, dataset, batch, options),
    validate,
    validRows: () => validate.rows,
  };
}

/** Rolls out, rewards, and makes the loss of the groups. */
function objective(
  recommender: Recommender,
  reference: LanguageModel,
  dataset: Dataset,
  rows: readonly Row[],
  { numGenerations, reward, beta, layerCheckpointing = false }: GrpoTaskOptions,
): Objective {
  const { model, trie, render } = recommender;
  const prompts = rows.map(({ history }) => render.prompt(history));
  const named = (r: number): string => `grpo: the row of user ${JSON.stringify(rows[r]!.user)}`;
  const rankings = namingRows(named, () => beamSearch(model, trie, prompts, { numBeams: numGenerations }));
  const groups = rankings.map((ranking, r) => rewarded(recommender, dataset, rows[r]!, prompts[r]!, ranking, reward));
  const rewards = groups.flatMap((group) => group.rewards);
  const hits = rankings.filter(({ items }, r) => items.includes(rows[r]!.target));
  const metrics = {
    reward: rewards.reduce((sum, r) => sum + r, 0) / rewards.length,
    'groups with a hit': hits.length / groups.length,
  };
  return { microBatches: [grpoLoss(model, reference, groups, beta, undefined, { layerCheckpointing })], metrics };
}

/** The group of one row: its distinct completions and what they are worth. */
function rewarded(
  { render, tokenizer }: Recommender,
  { items: texts }: Dataset,
  row: Row,
  prompt: number[],
  { items, scores }: Ranking,
  reward: Reward | RewardName,
): Group {
  const tokens = items.map((item) => render.answer(item));
  const context = { items, target: row.target, ...(texts.length > 0 && { texts }), tokens, scores, row };
  const rewards = rewardGroup(reward, {
    ...context,
    get prompt() {
      return tokenizer.decode(prompt); // only for a reward that reads it
    },
  });
  return { prompt, ...distinctCompletions(tokens, rewards) };
}

/**
 * Completions that are the same tokens as one, at the place of the first, with the largest of their rewards: a group
 * compares texts, and one text must not be pushed up and down at once.
 *
 * @param completions token ids, best beam first [G][...] @param rewards one a completion [G]
 * @example distinctCompletions([[1, 2], [1, 2], [1, 3]], [-0.4, 1, -0.2]) // [[1, 2], [1, 3]] and [1, -0.2]
 */
export function distinctCompletions(
  completions: readonly (readonly number[])[],
  rewards: readonly number[],
): Pick<Group, 'completions' | 'rewards'> {
  const best = new Map<string, { completion: number[]; reward: number }>();
  completions.forEach((completion, g) => {
    const same = best.get(completion.join());
    if (same) same.reward = Math.max(same.reward, rewards[g]!);
    else best.set(completion.join(), { completion: [...completion], reward: rewards[g]! });
  });
  const kept = [...best.values()];
  return { completions: kept.map(({ completion }) => completion), rewards: kept.map(({ reward }) => reward) };
}
