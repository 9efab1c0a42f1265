/** What new SID tokens have to do with the words that a vocabulary knows: the titles of the items that carry them. */
import type { Item } from '../../data/dataset.js';
import { type ItemText, itemText } from '../../data/item-text.js';
import type { SidIndex } from '../../data/sid-index.js';
import { InputError } from '../../support/errors.js';
import type { TextTokenizer } from './tokenizer.js';

/** How often the titles of each SID token's items hold each token. S SID tokens, U tokens of titles. */
export interface TitleWeights {
  /** Tokens that occur in titles, ascending [U]. */
  tokens: Int32Array;
  /** Share of each of them in each SID token's titles [S, U]; a row sums to 1, or is 0 where no item has the token. */
  weights: Float32Array;
}

/** Keywords of a SID token at most. */
const KEYWORDS = 16;

/**
 * The words that tell a SID token's items from others (TS-Rec's idea, which has a large model name them): of titles and
 * descriptions, the 16 tokens with the largest share times log(S / SID tokens that have it), in proportion to that.
 * @throws as `titleWeights`
 */
export function keywordWeights(...[sids, index, items, tokenizer]: Parameters<typeof titleWeights>): TitleWeights {
  const text = ({ title, summary }: ItemText): string => `${title} ${summary}`.trim();
  const { tokens, weights } = wordShares(sids, index, items, tokenizer, text, '--init keywords');
  const [S, U] = [sids.length, tokens.length];
  const having = new Int32Array(U);
  weights.forEach((weight, i) => (having[i % U]! += weight > 0 ? 1 : 0));
  const chosen = new Float32Array(S * U);
  for (let s = 0; s < S; s++) {
    const scores = Array.from({ length: U }, (_, u) => weights[s * U + u]! * Math.log((1 + S) / having[u]!));
    const best = [...scores.keys()].sort((a, b) => scores[b]! - scores[a]! || a - b).slice(0, KEYWORDS);
    const total = best.reduce((sum, u) => sum + scores[u]!, 0);
    if (total > 0) for (const u of best) chosen[s * U + u] = scores[u]! / total;
  }
  return { tokens, weights: chosen };
}

/**
 * A SID token's share of a word: the mean over the items that carry the token, each item the mean over its title.
 *
 * @param sids the S tokens @param items index = item id
 * @throws InputError without items, or if no title has a token
 */
export function titleWeights(
  sids: readonly string[],
  index: SidIndex,
  items: readonly Item[],
  tokenizer: TextTokenizer,
): TitleWeights {
  return wordShares(sids, index, items, tokenizer, ({ title }) => title, '--init title');
}

function wordShares(
  sids: readonly string[],
  index: SidIndex,
  items: readonly Item[],
  tokenizer: TextTokenizer,
  textOf: (item: ItemText) => string,
  where: string,
): TitleWeights {
  if (items.length < index.length) {
    throw new InputError(`${where}: expected ${index.length} items with titles, got ${items.length}`);
  }
  const titles = index.map((_, item) => tokenizer.encode(textOf(itemText(items[item]!, tokenizer.special))));
  const tokens = Int32Array.from(new Set(titles.flat())).sort();
  if (tokens.length === 0) throw new InputError(`${where}: no item has a title; take --init mean`);
  const column = new Map([...tokens].map((token, u) => [token, u]));
  const row = new Map(sids.map((token, s) => [token, s]));
  const weights = new Float32Array(sids.length * tokens.length);
  const carriers = new Int32Array(sids.length);
  index.forEach((sid, item) => {
    const title = titles[item]!;
    for (const token of new Set(sid)) {
      const s = row.get(token);
      if (s === undefined || title.length === 0) continue;
      carriers[s]!++;
      for (const word of title) weights[s * tokens.length + column.get(word)!]! += 1 / title.length;
    }
  });
  return { tokens, weights: weights.map((w, i) => w / Math.max(1, carriers[Math.floor(i / tokens.length)]!)) };
}
