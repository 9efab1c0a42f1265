/** The options of free generation, and what they must be. */
import { endTokensOf } from '../lm/config.js';
import type { LanguageModel } from '../lm/language-model.js';
import { InputError } from '../support/errors.js';

/** How texts are written. */
export interface GenerateOptions {
  /** Tokens written at most, that of the end included. Default 128. */
  maxTokens?: number;
  /** 0 takes the likeliest token (equal ones: the smallest); otherwise logits are divided by it. Default 0. */
  temperature?: number;
  /** Sampling keeps to the fewest best tokens that together have this probability, in (0, 1]. Default 1: all. */
  topP?: number;
  /** Sampling keeps to so many best tokens, before `topP`. Default 0: all. */
  topK?: number;
  /** Default 42. */
  seed?: number | string;
  /** Tokens that end a text. Default: all end tokens of the model. */
  endTokens?: readonly number[];
  /** Texts that grow together. Default 64. No text depends on it but by rounding. */
  batchRows?: number;
  /** Tokens of prompts that go through the model at once; a longer prompt goes alone. Default 16384. */
  tokenBudget?: number;
  /** Asked after every step; true leaves the open texts as they are. Default never. */
  stop?: () => boolean;
  /** Shown on the progress line. Default `generate`. */
  label?: string;
  /** Every `size`th batch from number `rank` on; the other texts stay as they are. Default all. */
  share?: { rank: number; size: number };
}

/** Options with every default filled in. */
export type GenerateSettings = Required<GenerateOptions>;

/** @throws InputError if an option is out of range, or sampling is asked of greedy generation */
export function parseGenerateOptions(model: LanguageModel, options: GenerateOptions): GenerateSettings {
  const { maxTokens = 128, temperature = 0, topP = 1, topK = 0, seed = 42, batchRows = 64 } = options;
  const {
    tokenBudget = 16_384,
    endTokens = endTokensOf(model.config),
    stop = () => false,
    label = 'generate',
    share = { rank: 0, size: 1 },
  } = options;
  const check = (name: string, right: boolean, what: string, got: number): void => {
    if (!right) throw new InputError(`generate: expected ${name} to be ${what}, got ${got}`);
  };
  check('maxTokens', Number.isInteger(maxTokens) && maxTokens >= 1, 'a positive integer', maxTokens);
  check('temperature', Number.isFinite(temperature) && temperature >= 0, '0 (greedy) or more', temperature);
  check('topP', topP > 0 && topP <= 1, 'above 0 and at most 1', topP);
  check('topK', Number.isInteger(topK) && topK >= 0, 'a whole number', topK);
  check('batchRows', Number.isInteger(batchRows) && batchRows >= 1, 'a positive integer', batchRows);
  check('tokenBudget', Number.isInteger(tokenBudget) && tokenBudget >= 1, 'a positive integer', tokenBudget);
  if (temperature === 0 && (topP < 1 || topK > 0)) {
    throw new InputError('generate: expected a temperature above 0 beside topP or topK; greedy draws nothing');
  }
  return { maxTokens, temperature, topP, topK, seed, endTokens, batchRows, tokenBudget, stop, label, share };
}

/** Tokens that can be written after a prompt. @throws InputError if it is empty or fills the model's positions */
export function checkRoom(
  { config }: LanguageModel,
  prompt: readonly number[],
  number: number,
  maxTokens: number,
): number {
  if (prompt.length === 0) throw new InputError(`generate: expected prompt ${number + 1} to have tokens, got none`);
  const room = config.maxPositions - prompt.length;
  if (room < 1) {
    throw new InputError(
      `generate: prompt ${number + 1} has ${prompt.length} tokens, the model has ${config.maxPositions} positions; shorten it`,
    );
  }
  return Math.min(maxTokens, room);
}
