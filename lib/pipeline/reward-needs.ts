/** What the rewards of a configuration read beside the groups, known before anything runs. */
import { existsSync } from 'node:fs';
import { QUICK_BASELINES } from '../baselines/baselines.js';
import { rewardParts } from '../train/grpo/rewards/reward-list.js';
import type { RewardNeed } from '../train/grpo/rewards/rewards.js';
import { InputError } from '../support/errors.js';
import type { PipelineConfig } from './config.js';
import { loops } from './loop-options.js';
import type { SourceStages } from './source-stages.js';

/** Whether GRPO runs and one of its rewards reads this. */
export function rewardNeeds({ grpo }: PipelineConfig, need: RewardNeed): boolean {
  if (!grpo) return false;
  return (rewardParts(grpo.reward ?? 'ranking') ?? []).some(({ named }) => named?.needs === need);
}

/**
 * @throws InputError for options of a SASRec that nothing trains. In a loop a strategy may ask for one later, and the seed is
 *   that of the other baselines too
 */
export function checkSasrec(config: PipelineConfig): void {
  const { baselines = QUICK_BASELINES, grpo, evaluate, sasrec = {} } = config;
  const scores = grpo?.scorer === undefined && rewardNeeds(config, 'scorer');
  const [own] = Object.keys(sasrec).filter((name) => name !== 'seed');
  if (own === undefined || scores || loops(config) || [...baselines, evaluate?.assistant].includes('sasrec')) return;
  throw new InputError(
    `pipeline: sasrec.${own}: expected sasrec among the baselines, as the assistant or behind a reward; leave it out`,
  );
}

/** @throws InputError for what a reward reads and nothing of the pipeline makes */
export function checkRewards({ config, ownEmbeddings, embeddings }: SourceStages): void {
  const { embeddings: named, embed } = config.grpo ?? {};
  if (rewardNeeds(config, 'vectors') && named === undefined && ownEmbeddings && !existsSync(embeddings)) {
    throw new InputError(`pipeline: grpo.reward: it reads item vectors, and there is no ${embeddings}; name grpo.embeddings`); // prettier-ignore
  }
  if (rewardNeeds(config, 'embed') && embed === undefined) {
    throw new InputError('pipeline: grpo.reward: it compares texts; expected grpo.embed, a function from texts to vectors, in a notebook'); // prettier-ignore
  }
}
