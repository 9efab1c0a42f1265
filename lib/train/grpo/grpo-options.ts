/** The options of GRPO; the rules between them are in `grpo-rules.ts`. */
import { DATA_OPTIONS, INDEX_OPTIONS, SEED_OPTIONS } from '../../data/data-options.js';
import type { Embed } from '../../evaluate/text/cosine.js';
import { FREEZE } from '../../lm/choices.js';
import { LORA_OPTIONS, type LoraOptions } from '../../lm/lora/lora-options.js';
import { withDefault } from '../../options/derive.js';
import { boolean, choice, custom, group, hook, integer, number, path, text } from '../../options/kinds.js';
import { defineOptions, type OptionsOf, type SettingsOf } from '../../options/schema.js';
import { WEIGHT_OPTIONS } from '../../tasks/example-options.js';
import { AVERAGE_HELP, OPTIMIZER_OPTIONS, TRAIN_OPTIONS } from '../train-options.js';
import { ADVANTAGE_SCOPES, BASELINES } from './loss/advantages.js';
import { GRPO_RULES, SYNC } from './grpo-rules.js';
import { AGGREGATIONS, EQUAL_GROUPS, KL_PLACES, NORMALIZES, REFERENCES, ROLLOUTS } from './grpo-words.js';
import { KL_ESTIMATORS } from './loss/kl.js';
import { LOSS_TYPES, RATIO_LEVELS } from './loss/policy-loss.js';
import type { Scorer } from '../../evaluate/scorer.js';
import { type RewardGiven, rewardMismatch } from './rewards/reward-list.js';
import { REWARD_NAMES, REWARDS } from './rewards/rewards.js';

const REWARD = custom<RewardGiven, { default: 'ranking' }>(
  `what a completion is worth; ${REWARD_NAMES.map((name) => `${name}: ${REWARDS[name].help}`).join('; ')}; several with ` +
    'weights (rule:1,semantic:0.5); in a notebook also functions of your own',
  {
    default: 'ranking',
    mismatch: rewardMismatch,
    schema: { type: 'string', pattern: `^(${REWARD_NAMES.join('|')})(:[^:,]+)?(,(${REWARD_NAMES.join('|')})(:[^:,]+)?)*$` }, // prettier-ignore
  },
);

/** What is rolled out, and how. */
const ROLLOUT_OPTIONS = {
  tasks: text('mix of tasks that are rolled out: sids,title2sid,titles2sid:n=10000 (weight, examples at most)', {
    otherwise: 'the template alone',
  }),
  template: text('task whose validation rows are ranked; alone, the task that is rolled out', {
    otherwise: "the one that the model's run ranked",
  }),
  numGenerations: integer('completions of a prompt, a group to compare', { default: 16, min: 2 }),
  rollout: choice(
    ROLLOUTS,
    'beams: the best under the trie; sample: items drawn under the trie without replacement; sample-beams: beams drawn ' +
      'at every step; free: texts drawn without the trie',
    { default: 'beams' },
  ),
  temperature: number('of what is drawn; logits are divided by it, in the rollout and in the loss', {
    default: 1,
    above: 0,
  }),
  topP: number('nucleus of what is drawn: the fewest best tokens that together have this probability', {
    default: 1,
    above: 0,
    max: 1,
  }),
  maxTokens: integer('tokens of an answer in words at most', { default: 64 }),
  dynamicSampling: boolean('find half as many again, keep the hits and the best of the others'),
  addGroundTruth: boolean('put the right answer in the last place of a group that lacks it (a biased estimate)'),
  ...WEIGHT_OPTIONS,
  sampleSize: integer('training rows, drawn once by the seed (0: all)', { default: 0, min: 0 }),
};

/** What completions are worth. */
const REWARD_OPTIONS = {
  reward: { ...REWARD, words: REWARD_NAMES },
  embeddings: path('item vectors (.npy), for the semantic reward and for your own', { affectsResult: false }), // its hash counts
  scorer: hook<Scorer>('scores of items after histories, for the sasrec reward'),
  embed: hook<Embed>('texts to vectors, for the cosine reward'),
  aggregateRewards: choice(
    AGGREGATIONS,
    'several rewards are summed as they are, or each is scaled by its group first',
    {
      default: 'sum_then_normalize',
    },
  ),
  advantages: choice(
    BASELINES,
    'whose mean reward is subtracted; policy: what rewards would make of the probabilities within the group, less these',
    { default: 'group' },
  ),
  scaleRewards: choice(ADVANTAGE_SCOPES, 'whose deviation divides', { default: 'group' }),
  equalGroups: choice(EQUAL_GROUPS, 'groups whose rewards are all equal: counted, left out, or replaced by others', {
    default: 'keep',
  }),
  maskTruncated: boolean('leave texts that ran out of tokens out of the loss'),
};

/** How a rollout is learned from. */
const LOSS_OPTIONS = {
  lossType: choice(LOSS_TYPES, "grpo: mean of completions' means; bnpo, dapo: of tokens; dr_grpo: by a constant length; gspo: one ratio a completion; cispo: clipped weights", { default: 'grpo' }), // prettier-ignore
  ratioLevel: choice(RATIO_LEVELS, 'a ratio for each token, or one for the completion', {
    otherwise: 'token, with gspo sequence',
  }),
  epsilon: number('how far a ratio may fall below 1', { default: 0.2, min: 0, max: 1 }),
  epsilonHigh: number('how far a ratio may rise above 1', {
    min: 0,
    otherwise: 'epsilon; 0.28 with dapo, 4 with cispo',
  }),
  delta: number('upper bound of the ratio where the advantage is negative (dual clip; 0: none)', {
    default: 0,
    min: 0,
  }),
  numIterations: integer('updates on every rollout', { default: 1 }),
  normalize: choice(NORMALIZES, "log p over the whole vocabulary, or over the trie's continuations", {
    default: 'full',
  }),
  beta: number('weight of the KL term (0: no reference is loaded)', { default: 1e-3, min: 0 }),
  kl: choice(KL_ESTIMATORS, "estimator of the KL (Schulman's)", { default: 'k3' }),
  klIn: choice(KL_PLACES, 'the KL is a part of the loss, or of the rewards', { default: 'loss' }),
  reference: choice(
    REFERENCES,
    'what the KL is to: the start, one that follows the policy, the model beneath the adapters',
    {
      otherwise: 'frozen, with beta 0 none',
    },
  ),
  syncSteps: integer('updates after which a synchronised reference follows', { default: SYNC.steps }),
  syncWeight: number('share of the policy in it then', { default: SYNC.weight, above: 0, max: 1 }),
  dropout: number('share of embeddings and residual branches set to zero in the pass that is learned from', {
    default: 0,
    min: 0,
    below: 1,
  }),
  sftWeight: number("weight of the right answers' negative log-likelihood (GRec: 1e-3)", { default: 0, min: 0 }),
};

/** Declares the options of `grpo`. */
export const GRPO_OPTIONS = defineOptions(
  'grpo',
  {
    ...DATA_OPTIONS,
    ...INDEX_OPTIONS,
    model: path('model folder, or GGUF file, to start from; also the reference of the KL term', {
      required: true,
      affectsResult: false, // its files' hashes count
    }),
    ...ROLLOUT_OPTIONS,
    ...REWARD_OPTIONS,
    ...LOSS_OPTIONS,
    ...TRAIN_OPTIONS,
    ...OPTIMIZER_OPTIONS,
    epochs: withDefault(TRAIN_OPTIONS.epochs, 2),
    batchSize: integer('prompts an update', { default: 64 }),
    tokenBudget: integer('tokens that go through the model at once; a larger batch is cut into parts', {
      default: 8192,
      affectsResult: false, // but for rounding
    }),
    learningRate: withDefault(TRAIN_OPTIONS.learningRate, 1e-5),
    warmupSteps: withDefault(TRAIN_OPTIONS.warmupSteps, 0),
    maxGradNorm: withDefault(TRAIN_OPTIONS.maxGradNorm, 0.3),
    bestMetric: text('validation metric that decides which model is the best', {
      otherwise: 'NDCG@10, or reward where no task is ranked',
    }),
    averageDecay: number(AVERAGE_HELP, { default: 0, min: 0, below: 1 }),
    logRollouts: integer('groups of every rollout that are written to rollouts.jsonl', {
      default: 0,
      min: 0,
      affectsResult: false,
    }),
    ...SEED_OPTIONS,
    lora: group<LoraOptions>('train adapters of low rank; of an adapter as --model the same ones', {
      ...LORA_OPTIONS.options,
      dropout: withDefault(LORA_OPTIONS.options.dropout, 0),
    }),
    freeze: choice(FREEZE, 'what is frozen', { default: 'none' }),
  },
  { rules: GRPO_RULES },
);

/** As `sidlab grpo --help` says them; `reward` may also be a function of your own, or a list. */
export interface GrpoOptions extends OptionsOf<typeof GRPO_OPTIONS> {}
/** The options with every default that does not depend on the data. */
export type GrpoParsed = SettingsOf<typeof GRPO_OPTIONS>;
