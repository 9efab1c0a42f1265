/** GRPO as a task of the training loop: prompts are rolled out, rewarded, and laid out as one tree a group. */
import type { Dataset, Row } from '../../data/dataset.js';
import { beamSearch } from '../../decode/beam-search.js';
import { namingRows } from '../../decode/finite-scores.js';
import type { Recommender } from '../../evaluate/recommender.js';
import type { LanguageModel } from '../../lm/language-model.js';
import { Random } from '../../support/random.js';
import { cutInto } from '../../tasks/examples.js';
import type { Objective, Task } from '../loop/loop.js';
import { validator } from '../loop/validate.js';
import { grpoLoss } from './grpo-loss.js';
import { type RewardName, REWARDS } from './rewards.js';

export interface GrpoTaskOptions {
  numGenerations: number;
  beta: number;
  reward: RewardName;
  sampleSize: number;
  batchSize: number;
  /** Default false. */
  layerCheckpointing?: boolean;
  validRows: number;
  seed: number;
}

export function grpoTask(
  recommender: Recommender,
  reference: LanguageModel,
  dataset: Dataset,
  options: GrpoTaskOptions,
): Task<Row[]> {
  const { sampleSize, batchSize, validRows, seed } = options;
  const drawn = new Random(`${seed}/grpo`).shuffle([...dataset.train]);
  const rows = sampleSize > 0 ? drawn.slice(0, sampleSize) : drawn;
  return {
    name: 'grpo',
    batches: (epoch) => cutInto(new Random(`${seed}/grpo/${epoch}`).shuffle([...rows]), batchSize),
    objective: (batch) => objective(recommender, reference, batch, options),
    validate: validator(recommender, dataset.valid, validRows, seed),
  };
}

/** Rolls out, rewards, and lays each group out as a prefix tree. */
function objective(
  recommender: Recommender,
  reference: LanguageModel,
  rows: readonly Row[],
  { numGenerations, reward, beta, layerCheckpointing = false }: GrpoTaskOptions,
): Objective {
  const { model, trie, render } = recommender;
  const prompts = rows.map(({ history }) => render.prompt(history));
  const named = (r: number): string => `grpo: the row of user ${JSON.stringify(rows[r]!.user)}`;
  const rankings = namingRows(named, () => beamSearch(model, trie, prompts, { numBeams: numGenerations }));
  const groups = rankings.map(({ items }, r) => {
    const rewards = REWARDS[reward](items, rows[r]!.target);
    return { prompt: prompts[r]!, completions: items.map((item) => render.answer(item)), rewards };
  });
  const rewards = groups.flatMap((group) => group.rewards);
  const metrics = {
    reward: rewards.reduce((sum, r) => sum + r, 0) / rewards.length,
    'groups with a hit': groups.filter((group) => group.rewards.includes(1)).length / groups.length,
  };
  return { microBatches: [grpoLoss(model, reference, groups, beta, undefined, { layerCheckpointing })], metrics };
}
