/** The options of `generate`. */
import { DATA_OPTIONS, INDEX_OPTIONS, SEED_OPTIONS } from '../../data/data-options.js';
import { PRECISION_OPTIONS } from '../../lm/precision-options.js';
import { omitOptions } from '../../options/derive.js';
import { choice, integer, number, path, pathOrWord, text } from '../../options/kinds.js';
import { defineOptions, type OptionsOf } from '../../options/schema.js';
import { PROMPT_OPTIONS } from '../../tasks/prompt-options.js';

/** Declares the options of `generate`. */
export const GENERATE_OPTIONS = defineOptions('generate', {
  ...DATA_OPTIONS,
  ...INDEX_OPTIONS,
  model: path('model folder, or GGUF file', { required: true, affectsResult: false }),
  task: text('what is asked: the name of a template, such as index2item or sid2title', { required: true }),
  split: choice(['valid', 'test'], 'examples that are asked about', { default: 'test' }),
  limit: integer('the first so many examples (0: all)', { default: 0, min: 0 }),
  ...omitOptions(PROMPT_OPTIONS, 'sidTokens'),
  numBeams: integer('beam search with so many beams, in place of one text (0: none)', { default: 0, min: 0 }),
  temperature: number('of sampling; 0 takes the likeliest token', { default: 0, min: 0 }),
  topP: number('sample from the fewest best tokens with this probability', { default: 1, above: 0, max: 1 }),
  topK: integer('sample from so many best tokens (0: all)', { default: 0, min: 0 }),
  maxTokens: integer('tokens of a text at most', { otherwise: '128; of a SID its own' }),
  batchSize: integer('texts that grow together', { default: 64 }),
  tokenBudget: integer('tokens of prompts that go through the model at once', { default: 16384 }),
  ...PRECISION_OPTIONS,
  encoder: pathOrWord(
    'of the cosine of texts: lsa, none, or a folder or id of a sentence encoder, which gives BERTScore too',
    { default: 'lsa' },
  ),
  ...SEED_OPTIONS,
  results: path('file to write', {
    otherwise: 'generations-TASK.jsonl beside the model folder, with what is not as usual in its name',
    affectsResult: false,
  }),
});

/** Options of `generateStage`. */
export interface GenerateStageOptions extends OptionsOf<typeof GENERATE_OPTIONS> {}
