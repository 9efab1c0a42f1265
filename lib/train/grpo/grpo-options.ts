/** The options of GRPO. */
import { DATA_OPTIONS, INDEX_OPTIONS, SEED_OPTIONS } from '../../data/data-options.js';
import { withDefault } from '../../options/derive.js';
import { choice, integer, number, text } from '../../options/kinds.js';
import { defineOptions, type OptionsOf } from '../../options/schema.js';
import { checkWarmup, TRAIN_OPTIONS } from '../train-options.js';
import { REWARDS } from './rewards.js';

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
    reward: choice(
      Object.keys(REWARDS) as (keyof typeof REWARDS)[],
      "what a beam is worth: 1 for the row's item (rule), and less for misses ranked high (ranking)",
      {
        default: 'ranking',
      },
    ),
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

export interface GrpoOptions extends OptionsOf<typeof GRPO_OPTIONS> {}
