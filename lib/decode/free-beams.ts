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
import { ForestCache } from './forest-cache.js';
import { smallest } from '../support/extremes.js';

/** How many texts, how long, and what ends them. */
export interface FreeBeamOptions extends Pick<GenerateOptions, 'maxTokens' | 'endTokens' | 'stop' | 'label' | 'share'> {
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
  /** Node of the cache that holds its last token, or that of its parent while it is not grown. */
  at: number;
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
  const { rank, size } = settings.share;
  for (let from = rank * batchRows; from < order.length && !settings.stop(); from += size * batchRows) {
    const batch = order.slice(from, from + batchRows);
    const most = smallest(batch.map((number) => room[number]!));
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
  const cache = new ForestCache(model, prompts);
  try {
    const searches = prompts.map((_, u): Search => ({
      live: [{ tokens: [], score: 0, at: cache.ends[u]! }],
      done: [],
      closed: false,
    }));
    let hidden = cache.last.clone();
    let promptOf = [...prompts.keys()]; // of the rows
    for (let step = 1; ; step++) {
      const best = bestTokens(model, hidden, Math.min(numBeams + endTokens.length, model.config.vocabSize));
      hidden.dispose();
      checkFinite('generate', model, best.totals, (row) => promptOf[row]!);
      let row = 0;
      for (const search of searches) {
        if (search.closed) continue;
        const first = row;
        row += search.live.length;
        advance(search, best, first, numBeams, endTokens, step === maxTokens);
      }
      await new Promise(setImmediate); // computing blocks the event loop: let plots draw and interrupts arrive
      if (searches.every(({ closed }) => closed) || stop()) return searches;
      promptOf = searches.flatMap(({ live, closed }, u) => (closed ? [] : live.map(() => u)));
      hidden = grow(cache, searches);
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
    const logits = tableLogits(hidden, outputTable(config, weights), config.precision);
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
  const candidates = search.live.flatMap(({ tokens: text, score, at: parent }, b) =>
    Array.from({ length: count }, (_, k) => {
      const at = (firstRow + b) * count + k;
      return { text, token: tokens[at]!, score: score + scores[at]!, parent };
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
  search.live = going.map(({ text, token, score, parent }) => ({ tokens: [...text, token], score, at: parent }));
  const worst = search.done.length === numBeams ? search.done.at(-1)!.score : -Infinity;
  search.closed = last || search.live[0]!.score <= worst;
}

/** A node for each unended text of the prompts that are not done. @returns [rows, D] */
function grow(cache: ForestCache, searches: readonly Search[]): tf.Tensor2D {
  const texts = searches.flatMap(({ live, closed }) => (closed ? [] : live));
  const first = cache.size;
  const hidden = cache.grow(
    Int32Array.from(texts, ({ tokens }) => tokens.at(-1)!),
    texts.map(({ at }) => at),
  );
  texts.forEach((text, row) => (text.at = first + row));
  return hidden;
}
