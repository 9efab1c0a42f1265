/**
 * Beam search without the trie: the likeliest texts after a prompt, items or not. GRec's ranking metrics come from it.
 *
 * Follows transformers' `generate(num_beams=B, length_penalty=0)`: a step keeps the B best unended texts; a text that
 * ends counts where it is among the step's B best; a prompt is done when it has B ended texts and no unended one is
 * better than the worst of them. Departures: as in `generate`; equal scores go by the beam's rank, then by the token.
 *
 * Shapes: U prompts of a batch, B beams, V vocabulary, D width.
 */
import * as tf from '@tensorflow/tfjs';
import { outputTable } from '../lm/lora/adapted-weights.js';
import type { LanguageModel } from '../lm/language-model.js';
import { tableLogits } from '../ops/split-table.js';
import { InputError } from '../support/errors.js';
import { startProgress } from '../support/progress.js';
import { checkFinite, namingRows } from './finite-scores.js';
import { checkRoom, type GenerateOptions, type GenerateSettings, parseGenerateOptions } from './generate-options.js';
import { PrefixCache } from './prefix-cache.js';

/** How many texts, how long, and what ends them. */
export interface FreeBeamOptions extends Pick<GenerateOptions, 'maxTokens' | 'endTokens' | 'stop' | 'label'> {
  /** Texts a prompt. Default 20. */
  numBeams?: number;
  /** Prompts that grow together, as far as the longest of them has room. Default 16. */
  batchRows?: number;
}

/** One text of a search. */
export interface FreeBeam {
  /** Token ids, without the token that ended it. */
  tokens: number[];
  /** Sum of log-probabilities, that of the end included. */
  score: number;
  /** False where it was truncated at `maxTokens`. */
  ended: boolean;
}

/** A text that has not ended. */
interface Live {
  tokens: number[];
  score: number;
  /** Grown node of the cache that holds its last token; -1 before the first. */
  grown: number;
}

interface Search {
  live: Live[];
  /** Best first, at most B. */
  done: FreeBeam[];
  closed: boolean;
}

/**
 * @param prompts token ids [prompts][...]
 * @returns of each prompt at most B texts, best first; none of the prompts that `stop` left open
 * @throws InputError as `generate` does, NonFiniteScores among them
 */
export async function freeBeams(
  model: LanguageModel,
  prompts: readonly (readonly number[])[],
  options: FreeBeamOptions = {},
): Promise<FreeBeam[][]> {
  const { numBeams = 20, batchRows = 16, ...others } = options;
  const settings = parseGenerateOptions(model, { ...others, batchRows });
  if (!Number.isInteger(numBeams) || numBeams < 1 || numBeams > model.config.vocabSize) {
    throw new InputError(
      `generate: expected numBeams from 1 to the vocabulary's ${model.config.vocabSize}, got ${numBeams}`,
    );
  }
  const room = prompts.map((prompt, number) => checkRoom(model, prompt, number, settings.maxTokens));
  const progress = startProgress(settings.label, prompts.length, 'rows');
  const order = [...prompts.keys()].sort((a, b) => prompts[a]!.length - prompts[b]!.length);
  const found = prompts.map((): FreeBeam[] => []);
  for (let from = 0; from < order.length && !settings.stop(); from += batchRows) {
    const batch = order.slice(from, from + batchRows);
    const most = Math.min(...batch.map((number) => room[number]!));
    const ofBatch = batch.map((number) => prompts[number]!);
    const searches = await namingRows(
      (u) => `generate: prompt ${batch[u]! + 1}`,
      () => searchBatch(model, ofBatch, numBeams, most, settings),
    );
    batch.forEach((number, u) => (found[number] = searches[u]!.closed ? searches[u]!.done : []));
    progress.tick(batch.length);
  }
  progress.end();
  return found;
}

async function searchBatch(
  model: LanguageModel,
  prompts: readonly (readonly number[])[],
  numBeams: number,
  maxTokens: number,
  { endTokens, stop }: GenerateSettings,
): Promise<Search[]> {
  const cache = new PrefixCache(model, prompts);
  try {
    const searches = prompts.map((): Search => ({
      live: [{ tokens: [], score: 0, grown: -1 }],
      done: [],
      closed: false,
    }));
    let hidden = cache.last.clone();
    let width = 1; // hidden rows a prompt
    let grown = 0; // nodes of the cache a prompt
    for (let step = 1; ; step++) {
      const best = bestTokens(model, hidden, Math.min(numBeams + endTokens.length, model.config.vocabSize));
      hidden.dispose();
      const rows = prompts.length * width;
      checkFinite('generate', model, best.totals, rows, (row) => Math.floor(row / width));
      searches.forEach((search, u) => advance(search, best, u * width, numBeams, endTokens, step === maxTokens));
      await new Promise(setImmediate); // computing blocks the event loop: let plots draw and interrupts arrive
      if (searches.every(({ closed }) => closed) || stop()) return searches;
      width = Math.max(...searches.map(({ live }) => live.length));
      hidden = grow(cache, searches, width, grown);
      grown += width;
    }
  } finally {
    cache.dispose();
  }
}

interface Best {
  /** [rows * K] log-probabilities, best first. */
  scores: Float32Array;
  /** [rows * K] */
  tokens: Int32Array;
  /** Logarithm of the sum of all exponentials [rows]; not finite if any logit is NaN or +Infinity. */
  totals: Float32Array;
  /** K */
  count: number;
}

/** The best tokens after each hidden state [rows, D]. */
function bestTokens({ config, weights }: LanguageModel, hidden: tf.Tensor2D, count: number): Best {
  const computed = tf.tidy(() => {
    const logits = tableLogits(hidden, outputTable(config, weights));
    const total = tf.logSumExp(logits, 1, true);
    const best = tf.topk(logits, count);
    return { scores: tf.sub(best.values, total), tokens: best.indices, totals: total };
  });
  const scores = computed.scores.dataSync<'float32'>();
  const tokens = computed.tokens.dataSync<'int32'>();
  const totals = computed.totals.dataSync<'float32'>();
  tf.dispose(computed);
  return { scores, tokens, totals, count };
}

/** One step of a prompt's search. @param last no text grows after this step */
function advance(
  search: Search,
  { scores, tokens, count }: Best,
  firstRow: number,
  numBeams: number,
  endTokens: readonly number[],
  last: boolean,
): void {
  if (search.closed) return;
  const candidates = search.live.flatMap(({ tokens: text, score, grown }, b) =>
    Array.from({ length: count }, (_, k) => {
      const at = (firstRow + b) * count + k;
      return { text, token: tokens[at]!, score: score + scores[at]!, grown };
    }),
  );
  candidates.sort((a, b) => b.score - a.score); // stable: by beam, then by token
  const ends = ({ token }: { token: number }): boolean => endTokens.includes(token);
  for (const candidate of candidates.slice(0, numBeams)) {
    const { text, token, score } = candidate;
    if (ends(candidate)) search.done.push({ tokens: text, score, ended: true });
    else if (last) search.done.push({ tokens: [...text, token], score, ended: false });
  }
  search.done = search.done.sort((a, b) => b.score - a.score).slice(0, numBeams);
  const going = candidates.filter((candidate) => !ends(candidate)).slice(0, numBeams);
  search.live = going.map(({ text, token, score, grown }) => ({ tokens: [...text, token], score, grown }));
  const worst = search.done.length === numBeams ? search.done.at(-1)!.score : -Infinity;
  search.closed = last || search.live[0]!.score <= worst;
}

/** A node for each unended text; prompts with fewer repeat their last one, which nobody reads. @returns [U * width, D] */
function grow(cache: PrefixCache, searches: readonly Search[], width: number, grown: number): tf.Tensor2D {
  const padded = searches.map(({ live }) =>
    Array.from({ length: width }, (_, b) => live[Math.min(b, live.length - 1)]!),
  );
  const hidden = cache.grow(
    padded.map((of) => of.map(({ tokens }) => tokens.at(-1)!)),
    padded.map((of) => of.map(({ grown }) => grown)),
  );
  for (const { live } of searches) live.forEach((text, b) => (text.grown = grown + b));
  return hidden;
}
