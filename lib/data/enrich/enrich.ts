/**
 * The `enrich` stage: a chat model writes item texts (GRec's data enricher: a better title, tags, highlights,
 * characteristics) or preferences of users (MiniOneRec), over any API of OpenAI's form.
 *
 * Departures: every answer is kept beside the data (`NAME.enrich-KIND.jsonl`) as soon as it is there, and no question is
 * asked twice; a preference is written of the history alone, never of what followed it; the cost is estimated first.
 */
import { join } from 'node:path';
import { writeAtomic } from '../../files/files.js';
import { InputError, Interrupted } from '../../support/errors.js';
import { interrupted, watchInterrupts } from '../../support/interrupt.js';
import { startProgress, tell } from '../../support/progress.js';
import type { Dataset } from '../dataset.js';
import { itemPieces } from '../item-file.js';
import { loadDataset } from '../load.js';
import { AnswerCache } from './answer-cache.js';
import { askChat, type ChatOptions } from './chat-client.js';
import { ENRICH_OPTIONS, type EnrichOptions } from './enrich-options.js';
import { type EnrichKind, enrichPrompt } from './enrich-prompts.js';
import { enrichedFields, type Question, questionsOf } from './questions.js';
import { inParallel, rateLimit } from './rate-limit.js';

/** What is still to be asked, and what it would cost. */
export interface EnrichEstimate {
  /** Questions without an answer yet. */
  requests: number;
  /** Questions that were answered before. */
  cached: number;
  /** Tokens that are read, at four characters a token. */
  inputTokens: number;
  /** Tokens that are written, at the most. */
  outputTokens: number;
  /** By the prices given, at the most. */
  cost: number;
  /** At the given rate, at the least. */
  minutes: number;
}

/** What `enrich` did. */
export interface EnrichReport extends Pick<EnrichEstimate, 'requests' | 'cached'> {
  /** Items or rows with an answer. */
  answered: number;
  /** Questions whose answers did not fit, however often they were asked. */
  failed: number;
  /** Tokens as the server counts them. */
  usage: { input: number; output: number };
  /** The file. */
  out: string;
}

/** The estimate in a line. */
export function estimateText({ requests, cached, inputTokens, outputTokens, cost, minutes }: EnrichEstimate): string {
  const price = cost > 0 ? `, ${cost.toFixed(2)} at the prices given at most` : '';
  return `enrich: ${requests} requests (${cached} answered before), about ${inputTokens} tokens read and at most ${outputTokens} written${price}, ${minutes.toFixed(1)} minutes at least`;
}

interface Plan {
  dataset: Dataset;
  kind: EnrichKind;
  questions: { question: Question; key: string }[];
  cache: AnswerCache;
  chat: ChatOptions;
  out: string;
  estimate: EnrichEstimate;
}

/** What it would take; nothing is asked. @throws InputError for options or data that do not fit */
export async function enrichEstimate(options: EnrichOptions): Promise<EnrichEstimate> {
  return (await planOf(options)).estimate;
}

/** @throws InputError as `enrichEstimate`, above `maxCost`, for an API that refuses, and on interrupt: what is answered is kept */
export async function enrich(options: EnrichOptions): Promise<EnrichReport> {
  const { dataset, kind, questions, cache, chat, out, estimate } = await planOf(options);
  const { concurrency, requestsPerMinute, maxCost = Infinity, retries } = ENRICH_OPTIONS.parse(options);
  if (estimate.cost > maxCost) {
    throw new InputError(`enrich: expected a cost of at most ${maxCost}, the estimate is ${estimate.cost.toFixed(2)}; raise --max-cost or set --limit`); // prettier-ignore
  }
  const open = questions.filter(({ key }) => cache.get(key) === undefined);
  if (open.length > 0) tell(estimateText(estimate));
  const usage = { input: 0, output: 0 };
  const turn = rateLimit(requestsPerMinute);
  const progress = startProgress('enrich', open.length, 'answers');
  const release = watchInterrupts();
  let failed = 0;
  try {
    const ask = async ({ question, key }: Plan['questions'][number]): Promise<void> => {
      for (let attempt = 0; ; attempt++) {
        await turn();
        const { text, usage: used } = await askChat(question.prompt, chat);
        usage.input += used.input;
        usage.output += used.output;
        if (fits(kind, text)) {
          cache.put(key, text);
          break;
        }
        if (attempt >= retries) {
          failed++;
          break;
        }
      }
      progress.tick();
    };
    await inParallel(open, concurrency, ask, interrupted);
  } finally {
    release();
    progress.end();
  }
  if (interrupted()) throw new Interrupted('enrich: interrupted; what is answered is kept, the same command goes on');
  const answered =
    kind === 'items' ? writeItems(out, dataset, questions, cache) : writePreferences(out, questions, cache);
  return { requests: open.length, cached: questions.length - open.length, answered, failed, usage, out };
}

async function planOf(options: EnrichOptions): Promise<Plan> {
  const settings = ENRICH_OPTIONS.parse(options);
  const { data, dataset: name, what: kind, model, limit, temperature, maxTokens, retries, timeout } = settings;
  const { baseUrl, key } = accessOf(settings);
  const prompt = enrichPrompt(kind, settings.prompts);
  const dataset = await loadDataset(data, name);
  const { out = join(data, kind === 'items' ? `${dataset.name}.item.json` : `${dataset.name}.preferences.jsonl`) } =
    settings;
  const all = questionsOf(kind, dataset, prompt);
  const questions = (limit > 0 ? all.slice(0, limit) : all).map((question) => {
    return { question, key: AnswerCache.keyOf([model, temperature, maxTokens, question.prompt]) };
  });
  const cache = new AnswerCache(settings.answers ?? answersFile(data, dataset.name, kind));
  const chat = { baseUrl, model, temperature, maxTokens, retries, timeout, ...(key !== undefined && { key }) };
  return { dataset, kind, questions, cache, chat, out, estimate: estimateOf(questions, cache, settings) };
}

/** Where the answers are kept, if nobody says otherwise. */
export function answersFile(data: string, dataset: string, what: EnrichKind): string {
  return join(data, `${dataset}.enrich-${what}.jsonl`);
}

/** @throws InputError for an API that wants a key, and none is in the environment */
export function accessOf({ baseUrl, keyEnv = 'OPENAI_API_KEY' }: Pick<EnrichOptions, 'baseUrl' | 'keyEnv'>): {
  baseUrl: string;
  key?: string;
} {
  const address = baseUrl ?? process.env.OPENAI_BASE_URL ?? 'https://api.openai.com/v1';
  const key = process.env[keyEnv];
  if (key === undefined && address.includes('api.openai.com')) {
    throw new InputError(`enrich: expected a key in the environment variable ${keyEnv}; set it, or --key-env`);
  }
  return { baseUrl: address, ...(key !== undefined && { key }) };
}

function estimateOf(
  questions: Plan['questions'],
  cache: AnswerCache,
  { maxTokens, priceIn, priceOut, requestsPerMinute }: Record<'maxTokens' | 'priceIn' | 'priceOut' | 'requestsPerMinute', number>, // prettier-ignore
): EnrichEstimate {
  const open = questions.filter(({ key }) => cache.get(key) === undefined);
  const characters = open.reduce((sum, { question: { prompt } }) => sum + prompt.system.length + prompt.user.length, 0);
  const [inputTokens, outputTokens] = [Math.ceil(characters / 4), open.length * maxTokens];
  return {
    ...{ requests: open.length, cached: questions.length - open.length, inputTokens, outputTokens },
    cost: (inputTokens * priceIn + outputTokens * priceOut) / 1e6,
    minutes: open.length / requestsPerMinute,
  };
}

function fits(kind: EnrichKind, text: string): boolean {
  return kind === 'items' ? enrichedFields(text) !== undefined : text.trim() !== '';
}

/** @returns items that have all four fields */
function writeItems(out: string, { items }: Dataset, questions: Plan['questions'], cache: AnswerCache): number {
  const enriched = [...items];
  let answered = 0;
  for (const { question, key } of questions) {
    const fields = enrichedFields(cache.get(key) ?? '');
    if (!fields) continue;
    const item = items[question.item!]!;
    enriched[question.item!] = { ...item, extra: { ...item.extra, ...fields } };
    answered++;
  }
  writeAtomic(out, itemPieces(enriched));
  return answered;
}

/** @returns rows that have a text */
function writePreferences(out: string, questions: Plan['questions'], cache: AnswerCache): number {
  const lines = questions.flatMap(({ question, key }) => {
    const text = cache.get(key)?.replace(/\s+/g, ' ').trim();
    if (text === undefined) return [];
    return question.rows!.map(({ row, split }) => {
      const context = { history_items: row.history, target_item: row.target };
      return `${JSON.stringify({ user: row.user, user_preference: text, context, split })}\n`;
    });
  });
  writeAtomic(out, lines);
  return lines.length;
}
