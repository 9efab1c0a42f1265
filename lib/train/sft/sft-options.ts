/** The options of supervised fine-tuning. */
import { DATA_OPTIONS, INDEX_OPTIONS, SEED_OPTIONS } from '../../data/data-options.js';
import { EMBEDDING_INITS, FREEZE, SID_VOCABULARIES } from '../../lm/choices.js';
import { LORA_OPTIONS, type LoraOptions } from '../../lm/lora/lora-options.js';
import { withDefault } from '../../options/derive.js';
import { choice, group, integer, number, pathOrWord, text } from '../../options/kinds.js';
import { defineOptions, type OptionsOf, type SettingsOf } from '../../options/schema.js';
import { EXAMPLE_OPTIONS } from '../../tasks/example-options.js';
import { EXAMPLE_MODES, LOSS_ON } from '../../tasks/examples.js';
import { PROMPT_OPTIONS } from '../../tasks/prompt-options.js';
import { AVERAGE_HELP, OPTIMIZER_OPTIONS, TRAIN_OPTIONS } from '../train-options.js';
import { SFT_RULES } from './sft-rules.js';

/** Declares the options of `sft`. */
export const SFT_OPTIONS = defineOptions(
  'sft',
  {
    ...DATA_OPTIONS,
    ...INDEX_OPTIONS,
    model: pathOrWord('model folder, GGUF file, or the shape of one from random weights (width x layers)', {
      default: 'qwen2:128x4',
    }),
    template: text('task whose rows are ranked on validation rows; alone, the task that is trained', {
      otherwise: 'sids, or of a mix the first that answers with a SID',
    }),
    tasks: text('mix of tasks: sids,title2sid:0.5,sid2title:n=5000 (weight, examples at most, row, chain)', {
      otherwise: 'the template alone',
    }),
    dataRatio: number("share of every task's examples, drawn once by the seed", { default: 1, above: 0, max: 1 }),
    mode: choice(EXAMPLE_MODES, 'chain: loss at every item of a history; row: at the answer of each row', {
      otherwise: 'chain for a bare sequence of items, such as sids, else row',
    }),
    ...EXAMPLE_OPTIONS,
    ...PROMPT_OPTIONS,
    promptsPerExample: integer("different prompts of its task that each example has in a pass (GRec's sample number)", {
      default: 1,
    }),
    lossOn: choice(LOSS_ON, 'answer, or all: the loss of row mode is on the prompt too', { default: 'answer' }),
    sidVocabulary: choice(SID_VOCABULARIES, 'SID tokens that join the vocabulary: those of the index, or all codes', {
      default: 'used',
    }),
    init: choice(EMBEDDING_INITS, "embeddings of new tokens: the mean, or the words of their items' titles", {
      default: 'mean',
    }),
    initNoise: number('deviation of new embeddings about their start, in deviations of the old ones', {
      min: 0,
      otherwise: '1; a model from random weights has no old ones',
    }),
    vocabSize: integer('subwords in the vocabulary of a model from random weights, where its tasks hold text', {
      min: 257,
      otherwise: '8192',
    }),
    window: integer('items of context that an item has at the least in chain mode', { default: 10 }),
    ...TRAIN_OPTIONS,
    ...OPTIMIZER_OPTIONS,
    epochs: number('passes over the training examples; a fraction stops within the last one', {
      above: 0,
      otherwise: '30; of chains alone as many as make 24,000 updates, or 3,000 where a SID is one token, 8 to 30',
    }),
    warmupSteps: { ...TRAIN_OPTIONS.warmupSteps, otherwise: '100, with warmup-ratio 0' },
    weightDecay: withDefault(TRAIN_OPTIONS.weightDecay, 0.01),
    batchSize: integer('examples an update', { default: 32 }),
    batchTokens: integer('tokens an update, in place of batch-size (0: by examples)', { default: 0, min: 0 }),
    tokenBudget: integer('tokens that go through the model at once; a larger batch is cut into micro-batches', {
      default: 8192,
    }),
    dropout: number('share of embeddings and residual branches set to zero while training', {
      default: 0.3,
      min: 0,
      below: 1,
    }),
    averageDecay: number(AVERAGE_HELP, { default: 0, min: 0, below: 1, cameLater: true }),
    evalEpochs: number('share of an epoch between validations, at least an update', { default: 2, above: 0 }),
    evalSteps: { ...withDefault(TRAIN_OPTIONS.evalSteps, 0), otherwise: '0: by eval-epochs' },
    bestMetric: text('validation metric that decides which model is the best, such as HR@10 or loss', {
      otherwise: 'NDCG@10; loss where no task is ranked, or where a SID is one token',
    }),
    ...SEED_OPTIONS,
    lora: group<LoraOptions>(
      'train adapters of low rank in place of the matrices, saved in the format of peft',
      LORA_OPTIONS.options,
    ),
    freeze: choice(FREEZE, 'what is frozen', { default: 'none' }),
  },
  { rules: SFT_RULES },
);

/** Options of `sft`. */
export interface SftOptions extends OptionsOf<typeof SFT_OPTIONS> {}
/** The options with every default that does not depend on the data. */
export type SftParsed = SettingsOf<typeof SFT_OPTIONS>;
