/**
 * Rules between options of GRPO, each with its reason: combinations that would do nothing, or something else than they
 * say, are refused before anything is read or written.
 */
import { InputError } from '../../support/errors.js';
import { checkExamples } from '../../tasks/example-options.js';
import { checkOptimizer, checkWarmup } from '../train-options.js';
import type { RolloutKind } from './grpo-words.js';
import type { ReferenceKind } from './grpo-words.js';
import { lossDefaults, type PolicyLossOptions } from './loss/policy-loss.js';
import { type RewardGiven, rewardParts } from './rewards/reward-list.js';

type Loss = Required<Pick<PolicyLossOptions, 'lossType' | 'epsilon' | 'delta' | 'beta'>> &
  Pick<PolicyLossOptions, 'ratioLevel' | 'epsilonHigh'>;

/** Defaults of a synchronised reference (MiniOneRec). */
export const SYNC = { steps: 512, weight: 0.6 } as const;

function refuse(wrong: boolean, message: string): void {
  if (wrong) throw new InputError(`grpo: ${message}`);
}

/** GSPO is the loss with one ratio a completion: with a ratio a token it is `grpo`. */
export function checkRatio({ lossType, ratioLevel }: Loss): void {
  refuse(
    lossType === 'gspo' && ratioLevel === 'token',
    'expected --ratio-level sequence with --loss-type gspo, got token; --loss-type grpo is that',
  );
}

/** The dual clip bounds ratios that the upper clip has let through; below that it would clip what is allowed. */
export function checkDelta({ delta, ...options }: Loss): void {
  const { epsilonHigh } = lossDefaults(options);
  refuse(delta > 0 && options.lossType === 'cispo', '--delta: cispo has one bound, --epsilon-high; leave --delta out');
  refuse(
    delta > 0 && delta <= 1 + epsilonHigh,
    `expected --delta above ${Number((1 + epsilonHigh).toPrecision(6))} (1 + epsilon-high), got ${delta}`,
  );
}

/** A KL needs a reference, and without one there is nothing that a reference is for. */
export function checkReference({
  beta,
  reference,
  klIn,
  lora,
}: {
  beta: number;
  reference?: ReferenceKind;
  klIn: string;
  lora?: unknown;
}): void {
  // prettier-ignore
  refuse(beta > 0 && reference === 'none', 'expected a --reference beside --beta, got none; set --beta 0');
  refuse(
    beta === 0 && reference !== undefined && reference !== 'none',
    `--reference ${reference ?? ''}: --beta 0 has no use for it; leave it out`,
  );
  refuse(beta === 0 && klIn === 'reward', '--kl-in reward: expected --beta above 0, got 0; leave it out');
  refuse(
    reference === 'base' && (lora === undefined || lora === false),
    'expected --lora beside --reference base, the model beneath the adapters; take frozen',
  );
}

/** Options of the KL that a run without one, or with another reference, would not look at. */
export function checkKl({
  beta,
  kl,
  reference,
  syncSteps,
  syncWeight,
}: {
  beta: number;
  kl: string;
  reference?: ReferenceKind;
  syncSteps: number;
  syncWeight: number;
}): void {
  refuse(beta === 0 && kl !== 'k3', `--kl ${kl}: --beta 0 has no use for it; leave it out`);
  refuse(
    reference !== 'synchronised' && (syncSteps !== SYNC.steps || syncWeight !== SYNC.weight),
    '--sync-steps, --sync-weight: expected --reference synchronised beside them; leave them out',
  );
}

/** A group that is left out would take its right answer with it, which is all that a group without a hit has to teach. */
export function checkMasked({ equalGroups, sftWeight }: { equalGroups: string; sftWeight: number }): void {
  refuse(
    equalGroups === 'mask' && sftWeight > 0,
    '--equal-groups mask: beside --sft-weight their right answers would be left out too; take keep, in which they have no advantage',
  );
}

/** Under the trie every completion is an item's: `format` would be the same for all, and free texts have no legal tokens. */
export function checkRollout({
  rollout,
  normalize,
  reward,
}: {
  rollout: RolloutKind;
  normalize: string;
  reward: RewardGiven;
}): void {
  // prettier-ignore
  refuse(
    rollout === 'free' && normalize === 'legal',
    '--normalize legal: a free text has no legal continuations; take --normalize full',
  );
  const format = rewardParts(reward)!.find(({ named }) => named?.freeOnly === true);
  refuse(
    format !== undefined && rollout !== 'free',
    `--reward ${format?.name ?? ''}: under the trie every completion is an item; take --rollout free`,
  );
}

/** A ratio of two passes with other dropout masks says nothing of the policy. */
export function checkLora({ lora }: { lora?: boolean | { dropout?: number | undefined } }): void {
  const dropout = typeof lora === 'object' ? (lora.dropout ?? 0) : 0;
  refuse(dropout > 0, `--lora-dropout: expected 0, since log p is compared between passes, got ${dropout}`);
}

/** Probabilities are compared with probabilities: no deviation could divide them, and a token has none of its own. */
export function checkAdvantages({
  advantages,
  scaleRewards,
  reward,
}: {
  advantages: string;
  scaleRewards: string;
  reward: RewardGiven;
}): void {
  refuse(
    advantages === 'policy' && scaleRewards !== 'none',
    `--advantages policy: expected --scale-rewards none beside it, got ${scaleRewards}`,
  );
  refuse(
    advantages === 'policy' && rewardParts(reward)!.some(({ name, named }) => named !== undefined && name === 'token'),
    '--advantages policy: a reward of one number a token has no place in it; take group',
  );
}

/** Dropout is for the one pass that is learned from: a second update's ratio would compare its mask with another. */
export function checkDropout({ dropout, numIterations }: { dropout: number; numIterations: number }): void {
  refuse(dropout > 0 && numIterations > 1, `--dropout: expected --num-iterations 1 beside it, got ${numIterations}`);
}

/** Of a reward a token there is no one number to scale before others are added. */
export function checkAggregation({
  aggregateRewards,
  reward,
}: {
  aggregateRewards: string;
  reward: RewardGiven;
}): void {
  const perToken = rewardParts(reward)!.some(({ name, named }) => named !== undefined && name === 'token');
  refuse(
    perToken && aggregateRewards === 'normalize_then_sum',
    '--aggregate-rewards normalize_then_sum: the token reward is scaled by itself in any case; leave it out',
  );
}

/** The two options of weights; rows are drawn by them, so that a weighted row is rolled out more often. */
export function checkWeights({ rowWeights, rowColumns }: { rowWeights?: string; rowColumns?: string }): void {
  checkExamples({ rowWeights, rowColumns }); // `embeddings` is for rewards here
}

/** All of them. */
export const GRPO_RULES = [
  checkWarmup,
  checkOptimizer,
  checkWeights,
  checkRatio,
  checkDelta,
  checkReference,
  checkKl,
  checkMasked,
  checkRollout,
  checkLora,
  checkAdvantages,
  checkDropout,
  checkAggregation,
];
