/** The options of GRPO. */
import { DATA_OPTIONS, INDEX_OPTIONS, SEED_OPTIONS } from '../../data/data-options.js';
import { withDefault } from '../../options/derive.js';
import { custom, integer, number, text } from '../../options/kinds.js';
import { defineOptions, type OptionsOf } from '../../options/schema.js';
import { checkWarmup, TRAIN_OPTIONS } from '../train-options.js';
import { type Reward, type RewardName, REWARD_NAMES, REWARDS } from './rewards.js';

const REWARD = custom<Reward | RewardName, { default: 'ranking' }>(
  `what an item of a group is worth; ${REWARD_NAMES.map((name) => `${name}: ${REWARDS[name].help}`).join('; ')}; ` +
    'in a notebook also a function of your own',
  {
    default: 'ranking',
    mismatch: (value) =>
      typeof value === 'function' || (REWARD_NAMES as readonly unknown[]).includes(value)
        ? undefined
        : `one of ${REWARD_NAMES.join(', ')}`,
    schema: { enum: REWARD_NAMES },
  },
);

/** Declares the options of `grpo`. */
export const GRPO_OPTIONS = defineOptions(
  'grpo',
  {
    ...DATA_OPTIONS,
    ...INDEX_OPTIONS,
    model: text('model folder to start from; also the reference of the KL term', {
      required: true,
      affectsResult: false, // its files' hashes count
    }),
    template: text('a task of rows that answers with a SID', { otherwise: "the one that the model's run ranked" }),
    numGenerations: integer('beams of a prompt, a group to compare', { default: 16, min: 2 }),
    beta: number('weight of the KL term', { default: 1e-3, min: 0 }),
    reward: { ...REWARD, words: REWARD_NAMES },
    sampleSize: integer('training rows, drawn once by the seed (0: all)', { default: 0, min: 0 }),
    ...TRAIN_OPTIONS,
    epochs: withDefault(TRAIN_OPTIONS.epochs, 2),
    batchSize: integer('prompts an update', { default: 64 }),
    learningRate: withDefault(TRAIN_OPTIONS.learningRate, 1e-5),
    warmupSteps: withDefault(TRAIN_OPTIONS.warmupSteps, 0),
    maxGradNorm: withDefault(TRAIN_OPTIONS.maxGradNorm, 0.3),
    ...SEED_OPTIONS,
  },
  { rules: [checkWarmup] },
);

/** As `sidlab grpo --help` says them; `reward` may also be a function of your own. */
export interface GrpoOptions extends OptionsOf<typeof GRPO_OPTIONS> {}
