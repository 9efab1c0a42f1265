/**
 * Rollouts: the completions of each prompt that a group compares.
 *
 *   beams          the best beams under the trie: always the same ones for the same model. They are the completions that
 *                  a list would show, but no sample: the policy gradient over them is that of the list's own loss
 *   sample         distinct items drawn from the policy under the trie (`sampleItems`, stochastic beam search), with
 *                  temperature and nucleus: another group every time
 *   sample-beams   beams drawn at every step: the nearest to the reference's rollouts, which are beams of transformers'
 *                  `generate` with `do_sample` and a temperature
 *   free           texts drawn without the trie; what a text is worth may depend on its being a SID at all
 *
 * A task that answers in words is rolled out freely in any case.
 *
 * The policy that learns is the one that was drawn from: the temperature of a draw divides the logits of the loss too, as in
 * TRL. What a nucleus leaves out is not accounted for, as there.
 */
import { beamSearch } from '../../../decode/beam-search.js';
import { generate } from '../../../decode/generate.js';
import { namingRows } from '../../../decode/finite-scores.js';
import type { ItemTrie } from '../../../decode/item-trie.js';
import { sampleItems } from '../../../decode/sample-items.js';
import type { Normalize } from '../../../decode/continuations.js';
import type { LanguageModel } from '../../../lm/language-model.js';
import type { Renderer } from '../../../tasks/prompts.js';
import { largest } from '../../../support/extremes.js';
import { byTokens } from '../../sft/micro-batches.js';
import type { RolloutKind } from '../grpo-words.js';
import type { RlTask } from './rl-task.js';

/** Texts that grow together at most. */
const TEXTS = 64;

/** How prompts are rolled out. */
export interface RolloutOptions {
  rollout: RolloutKind;
  /** Distinct completions a prompt, G. */
  numGenerations: number;
  temperature: number;
  topP: number;
  /** What scores are normalised over. */
  normalize: Normalize;
  /** Half as many again are drawn; hits and the first misses are kept. */
  dynamicSampling: boolean;
  /**
   * The right answer is put in the last place of a group that lacks it. It was not drawn from the policy: its term is
   * no policy gradient but that of fine-tuning, weighted by its advantage, and the estimate is biased towards it.
   */
  addGroundTruth: boolean;
  /** Tokens that are in memory at once, those that will grow among them. */
  tokenBudget: number;
}

/** What is rolled out. */
export interface RolloutRequest {
  prompt: readonly number[];
  /** Item id that is asked for. */
  target: number;
  /** Token ids of the right answer. */
  answer: readonly number[];
  /** What the prompt is called in an error. */
  name: string;
}

/** The completions of a prompt, best first; one entry an item: items of one SID are entries with the same tokens. */
export interface Completions {
  /** -1 where a free text is no item's. */
  items: number[];
  /** Token ids of each, the end among them. */
  tokens: (readonly number[])[];
  /** log p of each; absent in free rollouts. */
  scores?: number[];
  /** Whether each came to its end. */
  ended: boolean[];
  /** Of the policy at the nodes that were visited, in nats; absent in free rollouts. */
  entropy?: number;
  /** Whether the last one was put in, and not found. */
  truthAdded?: true;
}

/**
 * @param seed of this rollout: all draws follow from it
 * @param offset number of the first request among those of all processes
 * @returns one group a request
 */
export async function rollOut(
  model: LanguageModel,
  task: RlTask,
  requests: readonly RolloutRequest[],
  options: RolloutOptions,
  seed: string,
  offset = 0,
): Promise<Completions[]> {
  const { trie, maxTokens } = task;
  const { rollout: kind, numGenerations, tokenBudget } = options;
  const found: Completions[] = [];
  const keep = (candidates: readonly Candidates[]): void => {
    for (const of of candidates) found.push(groupOf(task, of, requests[found.length]!, options));
  };
  const named = (prompt: number): string => requests[found.length + prompt]!.name;
  if (kind === 'free' || !trie) {
    keep(await namingRows((text) => requests[Math.floor(text / candidateCount(options))]!.name, () => freely(model, task, requests, options, offset === 0 ? seed : `${seed}/${offset}`))); // prettier-ignore
    return found;
  }
  const size = ({ prompt }: RolloutRequest): number => prompt.length + numGenerations * maxTokens;
  for (const run of byTokens(requests, tokenBudget, size)) {
    keep(
      namingRows(named, () =>
        underTrie(model, task.render, trie, run, kind, options, { seed, offset: offset + found.length }),
      ),
    );
    await new Promise(setImmediate);
  }
  return found;
}

/** Equal of equal texts. */
export function textKey(tokens: readonly number[]): string {
  return tokens.join();
}

/** What was found, of which a group is chosen: in the order of their draws, or best first. */
interface Candidates extends Completions {
  /** log p of the right answer, where it was asked for. */
  truth?: number;
}

/** Texts found at first: half as many again where hits are kept among them. */
function candidateCount({ numGenerations, dynamicSampling }: RolloutOptions): number {
  return dynamicSampling ? Math.ceil(1.5 * numGenerations) : numGenerations;
}

function underTrie(
  model: LanguageModel,
  render: Renderer,
  trie: ItemTrie,
  requests: readonly RolloutRequest[],
  kind: 'beams' | 'sample' | 'sample-beams',
  options: RolloutOptions,
  draws: { seed: string; offset: number },
): Candidates[] {
  const { temperature, topP, normalize, addGroundTruth } = options;
  const prompts = requests.map(({ prompt }) => prompt);
  const count = candidateCount(options);
  const shared = { normalize, ...(addGroundTruth && { targets: requests.map(({ target }) => target) }) };
  const rankings =
    kind === 'beams'
      ? beamSearch(model, trie, prompts, { ...shared, numBeams: count, maxItems: Infinity, withEntropy: true })
      : sampleItems(model, trie, prompts, {
          ...{ ...shared, ...draws, count, temperature, topP },
          method: kind === 'sample' ? 'sequences' : 'beams',
        });
  return rankings.map(({ items, scores, entropy, targetLogProbs }) => ({
    ...{ items, scores, tokens: items.map((item) => render.answer(item)), ended: items.map(() => true) },
    ...(entropy !== undefined && { entropy }),
    ...(targetLogProbs && { truth: targetLogProbs.reduce((sum, x) => sum + x, 0) }),
  }));
}

/** Texts drawn with temperature and nucleus; equal ones are one completion. */
async function freely(
  model: LanguageModel,
  { end, maxTokens, itemsOf }: RlTask,
  requests: readonly RolloutRequest[],
  options: RolloutOptions,
  seed: string,
): Promise<Candidates[]> {
  const count = candidateCount(options);
  const { tokenBudget } = options;
  const longest = largest(requests.map(({ prompt }) => prompt.length)) + maxTokens;
  const { texts } = await generate(
    model,
    requests.flatMap(({ prompt }) => Array.from({ length: count }, () => prompt)),
    {
      ...{ temperature: options.temperature, topP: options.topP, seed, maxTokens, label: 'rollout', tokenBudget },
      batchRows: Math.max(1, Math.min(TEXTS, Math.floor(tokenBudget / longest))),
      endTokens: end === undefined ? [] : [end],
    },
  );
  return requests.map((_, r) => {
    const found: Candidates = { items: [], tokens: [], ended: [] };
    const written = texts.slice(r * count, (r + 1) * count).map(({ tokens, reason }) => ({
      tokens: reason === 'end' ? [...tokens, end!] : tokens,
      ended: reason === 'end' || end === undefined,
    }));
    const distinct = new Map(written.map((text) => [textKey(text.tokens), text]));
    for (const { tokens, ended } of distinct.values()) {
      for (const item of itemsOf(tokens)) {
        found.items.push(item);
        found.tokens.push(tokens);
        found.ended.push(ended);
      }
    }
    return found;
  });
}

/** As many texts as a group has, hits before misses; best first, but for a right answer that was put in. */
function groupOf(
  { kind }: RlTask,
  { truth, ...found }: Candidates,
  request: RolloutRequest,
  options: RolloutOptions,
): Completions {
  const { target, answer } = request;
  const { numGenerations, addGroundTruth } = options;
  const kept = firstTexts(found, numGenerations, (item) => item === target);
  const { scores } = kept;
  const order = scores ? [...scores.keys()].sort((a, b) => scores[b]! - scores[a]!) : [...kept.items.keys()];
  const group = choose(kept, order); // a stable sort: entries of one text stay together
  if (!addGroundTruth || group.tokens.some((tokens) => textKey(tokens) === textKey(answer))) return group;
  const others = firstTexts(group, numGenerations - 1, () => false);
  return {
    ...{ ...others, items: [...others.items, kind === 'items' ? target : -1], tokens: [...others.tokens, answer] },
    ...{ ended: [...others.ended, true], truthAdded: true },
    ...(others.scores && { scores: [...others.scores, truth!] }),
  };
}

/** The entries of the first so many texts, those of preferred items counting before the others. */
function firstTexts(found: Completions, count: number, prefers: (item: number) => boolean): Completions {
  const keys = found.tokens.map(textKey);
  const preferred = new Set(keys.filter((_, g) => prefers(found.items[g]!)));
  const kept = new Set([...new Set([...preferred, ...keys])].slice(0, count));
  return choose(
    found,
    [...keys.keys()].filter((g) => kept.has(keys[g]!)),
  );
}

function choose({ items, tokens, ended, scores, ...others }: Completions, entries: readonly number[]): Completions {
  return {
    ...others,
    items: entries.map((g) => items[g]!),
    tokens: entries.map((g) => tokens[g]!),
    ended: entries.map((g) => ended[g]!),
    ...(scores && { scores: entries.map((g) => scores[g]!) }),
  };
}
