/**
 * What the model thinks of one item after each prompt, whether the search finds it or not: the log-probability of every
 * token on its path through the trie. An item that scores above one that the search kept, and is not in the list, was
 * pruned: a search error.
 *
 * Shapes: U prompts.
 */
import type { LanguageModel } from '../lm/language-model.js';
import { type Continuations, type Normalize, scoreContinuations } from './continuations.js';
import type { ForestCache } from './forest-cache.js';
import type { ItemTrie } from './item-trie.js';
import { leafOfItem, pathOfItem } from './trie-paths.js';

/**
 * @param cache of the prompts; it grows by the paths
 * @param roots scores of the root's continuations, one row a prompt
 * @param targets item of each prompt [U]; an id that is no item gets an empty list
 * @returns of each prompt's item the log-probability of each token [U][tokens]
 */
export function targetLogProbs(
  model: LanguageModel,
  trie: ItemTrie,
  cache: ForestCache,
  roots: Continuations,
  targets: readonly number[],
  normalize: Normalize,
): number[][] {
  const paths = targets.map((item) => (leafOfItem(trie, item) === undefined ? [] : pathOfItem(trie, item)));
  const [nodes, parents, users]: [number[], number[], number[]] = [[], [], []];
  const first = cache.size;
  paths.forEach((path, user) =>
    path.slice(0, -1).forEach((node, depth) => {
      parents.push(depth === 0 ? cache.ends[user]! : first + nodes.length - 1);
      nodes.push(node);
      users.push(user);
    }),
  );
  const tokens = Int32Array.from(nodes, (node) => trie.childToken[node - 1]!);
  const grown =
    nodes.length === 0
      ? undefined
      : scoreContinuations(model, trie, Int32Array.from(nodes), cache.grow(tokens, parents), normalize, (row) => users[row]!); // prettier-ignore
  let row = 0;
  const edge = (of: Continuations, row: number, node: number, next: number): number =>
    of.logProb[of.start[row]! + next - 1 - trie.childStart[node]!]!;
  return paths.map((path, user) =>
    path.map((node, depth) => (depth === 0 ? edge(roots, user, 0, node) : edge(grown!, row++, path[depth - 1]!, node))),
  );
}
