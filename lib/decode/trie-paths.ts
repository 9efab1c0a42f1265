/** From items to nodes of the trie: the way to an item, and the nodes below which nothing is wanted. */
import type { ItemTrie } from './item-trie.js';

/** Nodes from the root's child to the item's leaf. @throws RangeError if the trie has no such item */
export function pathOfItem(trie: ItemTrie, item: number): number[] {
  const leaf = leafOfItem(trie, item);
  if (leaf === undefined) throw new RangeError(`pathOfItem: expected an item of the trie, got ${item}`);
  const path: number[] = [];
  for (let node = leaf; node > 0; node = parentOf(trie, node)) path.unshift(node);
  return path;
}

/** Node where the item ends; undefined for an id that is no item. */
export function leafOfItem(trie: ItemTrie, item: number): number | undefined {
  const place = placesOf(trie).get(item);
  return place === undefined ? undefined : lastAtMost(trie.itemStart, place);
}

/** Tokens from the root to a node. */
export function depthOf(trie: ItemTrie, node: number): number {
  let depth = 0;
  for (let at = node; at > 0; at = parentOf(trie, at)) depth++;
  return depth;
}

/** Tokens from the root to a node of which the trie leaves a choice: those that have a sibling. */
export function choicesOf(trie: ItemTrie, node: number): number {
  let choices = 0;
  for (let at = node; at > 0;) {
    const parent = parentOf(trie, at);
    if (trie.childStart[parent + 1]! - trie.childStart[parent]! > 1) choices++;
    at = parent;
  }
  return choices;
}

/**
 * Nodes below which every item is among `items`: a search that must not find these does not enter them, and none of its
 * beams ends in nothing.
 */
export function closedNodes(trie: ItemTrie, items: Iterable<number>): Set<number> {
  const closed = new Set<number>();
  const counts = new Map<number, number>(); // of a leaf its items, of another node its closed children
  for (const item of new Set(items)) {
    let node = leafOfItem(trie, item);
    if (node === undefined) continue;
    let all = trie.itemStart[node + 1]! - trie.itemStart[node]!;
    for (;;) {
      counts.set(node, (counts.get(node) ?? 0) + 1);
      if (counts.get(node)! < all) break;
      closed.add(node);
      if (node === 0) break;
      node = parentOf(trie, node);
      all = trie.childStart[node + 1]! - trie.childStart[node]!;
    }
  }
  return closed;
}

function parentOf({ childStart }: ItemTrie, node: number): number {
  return lastAtMost(childStart, node - 1);
}

const known = new WeakMap<ItemTrie, Map<number, number>>();

/** Place of each item among the trie's, made once a trie. */
function placesOf(trie: ItemTrie): Map<number, number> {
  const places = known.get(trie) ?? new Map(Array.from(trie.items, (item, place) => [item, place]));
  known.set(trie, places);
  return places;
}

/** Where the value falls among ascending starts: the last of those that are at most it. */
function lastAtMost(starts: Int32Array, value: number): number {
  let [low, high] = [0, starts.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (starts[middle]! <= value) low = middle;
    else high = middle;
  }
  return low;
}
