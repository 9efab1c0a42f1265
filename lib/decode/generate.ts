/**
 * Free generation, without the trie: greedy, or sampled from the nucleus. For answers that are texts, and for what a
 * model writes where nothing restricts it to the items.
 *
 * Follows transformers' `generate`. Departures:
 *   1. no default of sampling is taken from the model's folder (`generation_config.json`): greedy unless asked;
 *   2. a text's draws depend on the seed and its own number alone, not on the texts beside it;
 *   3. nothing is padded but attention on the prompts, and texts that have ended leave the batch.
 */
import type { LanguageModel } from '../lm/language-model.js';
import { startProgress } from '../support/progress.js';
import { Random } from '../support/random.js';
import { ChainCache } from './generate-cache.js';
import { checkRoom, type GenerateOptions, type GenerateSettings, parseGenerateOptions } from './generate-options.js';
import { nextTokens } from './generate-tokens.js';

/** What the model wrote after a prompt. */
export interface Generation {
  /** Token ids, without the token that ended it. */
  tokens: number[];
  /** `end`: the model wrote an end token. `length`: it had no room. `stopped`: see `stop`. */
  reason: 'end' | 'length' | 'stopped';
}

/** What the model wrote after all prompts, and how fast. */
export interface Generated {
  /** One a prompt, in the prompts' order. */
  texts: Generation[];
  /** Tokens written, ends included. */
  tokens: number;
  /** Wall-clock time. */
  seconds: number;
  /** `tokens` by `seconds`. */
  tokensPerSecond: number;
}

/** A text while it grows. */
interface Open {
  number: number;
  tokens: number[];
  random: Random;
  /** Tokens that it may still write. */
  room: number;
}

/**
 * What the model writes after each prompt.
 * @param prompts token ids [prompts][...]
 * @throws InputError if an option is out of range, or a prompt is empty or fills the model's positions; NonFiniteScores
 *   (one too) if a logit is NaN or infinite
 */
export async function generate(
  model: LanguageModel,
  prompts: readonly (readonly number[])[],
  options: GenerateOptions = {},
): Promise<Generated> {
  const settings = parseGenerateOptions(model, options);
  const texts = openTexts(model, prompts, settings);
  const start = performance.now();
  const written = { tokens: 0, seconds: 0 };
  const generations = prompts.map((): Generation => ({ tokens: [], reason: 'stopped' }));
  const progress = startProgress(settings.label, prompts.length, 'rows');
  const { rank, size } = settings.share;
  for (const [b, batch] of cutIntoBatches(texts, prompts, settings).entries()) {
    if (b % size !== rank) continue;
    if (settings.stop()) break;
    await growBatch(model, batch, prompts, settings, (ended, count) => {
      for (const { text, reason } of ended) generations[text.number] = { tokens: text.tokens, reason };
      written.tokens += count;
      written.seconds = (performance.now() - start) / 1000;
      progress.tick(ended.length, `${Math.round(written.tokens / written.seconds)} tokens/s`);
    });
  }
  progress.end();
  return { texts: generations, ...written, tokensPerSecond: written.tokens / Math.max(written.seconds, 1e-9) };
}

function openTexts(
  model: LanguageModel,
  prompts: readonly (readonly number[])[],
  { maxTokens, seed }: GenerateSettings,
): Open[] {
  return prompts.map((prompt, number) => ({
    number,
    tokens: [],
    random: new Random(`${seed}/${number}`),
    room: checkRoom(model, prompt, number, maxTokens),
  }));
}

/** Like lengths together, so that no short prompt pays for a long one. */
function cutIntoBatches(
  texts: readonly Open[],
  prompts: readonly (readonly number[])[],
  { batchRows, tokenBudget }: GenerateSettings,
): Open[][] {
  const length = ({ number }: Open): number => prompts[number]!.length;
  const batches: Open[][] = [];
  let tokens = Infinity;
  for (const text of [...texts].sort((a, b) => length(a) - length(b))) {
    if (tokens + length(text) > tokenBudget || batches.at(-1)!.length === batchRows) {
      batches.push([]);
      tokens = 0;
    }
    batches.at(-1)!.push(text);
    tokens += length(text);
  }
  return batches;
}

type Ended = { text: Open; reason: Generation['reason'] }[];

/** @param report called after every step with the texts that ended in it and the tokens written */
async function growBatch(
  model: LanguageModel,
  batch: readonly Open[],
  prompts: readonly (readonly number[])[],
  settings: GenerateSettings,
  report: (ended: Ended, tokens: number) => void,
): Promise<void> {
  const cache = new ChainCache(
    model,
    batch.map(({ number }) => prompts[number]!),
  );
  try {
    let rows = [...batch]; // of the cache; an ended text stays until half of them have ended
    const open = new Set(batch);
    let hidden = cache.last.clone();
    for (;;) {
      const tokens = nextTokens(model, hidden, rows, settings);
      hidden.dispose();
      const alive = open.size;
      const ended = rows.flatMap((text, row) => (open.has(text) ? write(text, tokens[row]!, settings) : []));
      for (const { text } of ended) open.delete(text);
      report(ended, alive);
      await new Promise(setImmediate); // computing blocks the event loop: let plots draw and interrupts arrive
      if (open.size === 0) return;
      if (settings.stop()) return report(unfinished(open), 0);
      const going = [...rows.keys()].filter((row) => open.has(rows[row]!));
      const dropped = going.length <= rows.length / 2;
      if (dropped) {
        cache.keep(going);
        rows = going.map((row) => rows[row]!);
      }
      hidden = cache.grow(dropped ? going.map((row) => tokens[row]!) : tokens);
    }
  } finally {
    cache.dispose();
  }
}

function unfinished(open: ReadonlySet<Open>): Ended {
  return [...open].map((text) => ({ text, reason: 'stopped' }));
}

/** Adds a token to a text. @returns the text if that ended it */
function write(text: Open, token: number, { endTokens }: GenerateSettings): Ended {
  text.room--;
  if (endTokens.includes(token)) return [{ text, reason: 'end' }];
  text.tokens.push(token);
  return text.room === 0 ? [{ text, reason: 'length' }] : [];
}
