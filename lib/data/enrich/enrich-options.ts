/** The options of `enrich`. */
import { choice, integer, number, path, text } from '../../options/kinds.js';
import { defineOptions, type OptionsOf } from '../../options/schema.js';
import { DATA_OPTIONS } from '../data-options.js';
import { ENRICH_KINDS } from './enrich-prompts.js';

/** Declares the options of `enrich`. */
export const ENRICH_OPTIONS = defineOptions('enrich', {
  ...DATA_OPTIONS,
  what: choice(ENRICH_KINDS, "items: GRec's four texts; preferences: a text of each row's history", {
    default: 'items',
  }),
  model: text('name of the chat model', { required: true }),
  baseUrl: text('address of the API, without /chat/completions', { otherwise: 'OPENAI_BASE_URL, else OpenAI' }),
  keyEnv: text('environment variable that holds the key; it is never written', { default: 'OPENAI_API_KEY' }),
  prompts: path('JSON file of prompts {items, preferences: {system, user}}', { otherwise: "the kit's own" }),
  limit: integer('the first so many items or rows (0: all)', { default: 0, min: 0 }),
  temperature: number('of sampling', { default: 0.4, min: 0 }),
  maxTokens: integer('tokens of an answer at most', { default: 512 }),
  requestsPerMinute: number('requests that start in a minute at most', { default: 60, above: 0, affectsResult: false }),
  concurrency: integer('requests at once', { default: 4, affectsResult: false }),
  retries: integer('tries of a request that was refused, and of an answer that does not fit', { default: 5, min: 0 }),
  timeout: number('seconds until a request is given up', { default: 60, above: 0, affectsResult: false }),
  priceIn: number('price of a million tokens that are read, for the estimate', { default: 0, min: 0 }),
  priceOut: number('price of a million tokens that are written', { default: 0, min: 0 }),
  maxCost: number('refuse to start where the estimate is above it', { min: 0, otherwise: 'never' }),
  answers: path('file that keeps the answers; no question in it is asked again', {
    otherwise: 'NAME.enrich-WHAT.jsonl in the data folder',
    affectsResult: false,
  }),
  out: path('file to write', { otherwise: 'NAME.item.json, which gets the fields; NAME.preferences.jsonl' }),
});

/** Options of `enrich`. */
export interface EnrichOptions extends OptionsOf<typeof ENRICH_OPTIONS> {}
