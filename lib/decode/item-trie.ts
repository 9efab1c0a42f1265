/**
 * The items as a trie of token ids: what may follow a prefix. A prefix outside of it is an error, never an
 * unconstrained step (the reference turns its constraint off there).
 *
 * Nodes are numbered level by level, the children of a node one after the other, so that the trie is a few flat arrays:
 * node e + 1 is where edge e leads to.
 */

/** The items' token sequences as a trie. N nodes, node 0 is the root; N - 1 edges. */
export interface ItemTrie {
  /** First edge of each node, and the number of edges at the end [N + 1]; no edges at a leaf. */
  childStart: Int32Array;
  /** Token of each edge, ascending within a node [N - 1]. Edge e leads to node e + 1. */
  childToken: Int32Array;
  /** First of each node's entries in `items`, and their number at the end [N + 1]. */
  itemStart: Int32Array;
  /** The items, by the node where they end, ascending within a node; several where a SID is shared. */
  items: Int32Array;
  /** Smallest item at or below each node: decides between equal scores [N]. */
  firstItem: Int32Array;
  /** Distinct tokens that occur anywhere, ascending. */
  alphabet: Int32Array;
  /** Distinct complete sequences. */
  leaves: number;
}

/**
 * @param sequences token ids of each item; index = item id
 * @throws if there is no item, or a sequence is empty or the beginning of another
 */
export function buildTrie(sequences: readonly (readonly number[])[]): ItemTrie {
  if (sequences.length === 0) throw new Error('buildTrie: expected at least one item, got none');
  const empty = sequences.findIndex(({ length }) => length === 0);
  if (empty >= 0) throw new Error(`buildTrie: expected tokens for item ${empty}, got none`);
  const order = Int32Array.from(sequences, (_, item) => item); // the items below a node lie together
  const below = [0, sequences.length]; // of each node, where its items begin and end in `order`
  const trie = { childStart: [0], childToken: [] as number[], itemStart: [0], items: [] as number[] };
  let leaves = 0;
  for (let node = 0, depth = 0, level = 1; 2 * node < below.length; node++) {
    if (node === level) [depth, level] = [depth + 1, below.length / 2];
    const from = below[2 * node]!;
    const own = order.subarray(from, below[2 * node + 1]);
    if (endsHere(sequences, own, depth)) {
      leaves++;
      for (const item of own) trie.items.push(item);
    } else {
      sortByToken(sequences, own, depth);
      for (let first = 0; first < own.length;) {
        const token = sequences[own[first]!]![depth]!;
        trie.childToken.push(token);
        below.push(from + first);
        while (first < own.length && sequences[own[first]!]![depth] === token) first++;
        below.push(from + first);
      }
    }
    trie.childStart.push(trie.childToken.length);
    trie.itemStart.push(trie.items.length);
  }
  return {
    childStart: Int32Array.from(trie.childStart),
    childToken: Int32Array.from(trie.childToken),
    itemStart: Int32Array.from(trie.itemStart),
    items: Int32Array.from(trie.items),
    firstItem: smallest(trie.childStart, trie.itemStart, trie.items),
    alphabet: Int32Array.from(new Set(trie.childToken)).sort(),
    leaves,
  };
}

/** Whether the items of a node end there: all of them or none. */
function endsHere(sequences: readonly (readonly number[])[], items: Int32Array, depth: number): boolean {
  const ended = items.find((item) => sequences[item]!.length === depth);
  if (ended !== undefined && items.some((item) => sequences[item]!.length > depth)) {
    throw new Error(`buildTrie: the SID of item ${ended} is the beginning of another; mend the index`);
  }
  return ended !== undefined;
}

/** By the token at `depth`, then by item, in place. */
function sortByToken(sequences: readonly (readonly number[])[], items: Int32Array, depth: number): void {
  if (items.length === 1) return;
  const count = sequences.length;
  const keys = Float64Array.from(items, (item) => sequences[item]![depth]! * count + item).sort();
  keys.forEach((key, i) => (items[i] = key % count));
}

/** Smallest item at or below each node; children have larger numbers than their parent. */
function smallest(childStart: readonly number[], itemStart: readonly number[], items: readonly number[]): Int32Array {
  const first = new Int32Array(childStart.length - 1);
  for (let node = first.length - 1; node >= 0; node--) {
    let least = itemStart[node]! < itemStart[node + 1]! ? items[itemStart[node]!]! : Infinity;
    for (let edge = childStart[node]!; edge < childStart[node + 1]!; edge++) least = Math.min(least, first[edge + 1]!);
    first[node] = least;
  }
  return first;
}

/** Tokens that may follow a node, ascending; none at a leaf. */
export function tokensAfter({ childStart, childToken }: ItemTrie, node: number): Int32Array {
  return childToken.subarray(childStart[node], childStart[node + 1]);
}

/** Node at the end of a prefix. @throws if the prefix is not in the trie */
export function walk(trie: ItemTrie, prefix: readonly number[]): number {
  let at = 0;
  prefix.forEach((token, i) => {
    const step = tokensAfter(trie, at).indexOf(token);
    if (step < 0) throw new Error(`walk: no item's SID begins with tokens [${prefix.slice(0, i + 1).join(', ')}]`);
    at = trie.childStart[at]! + step + 1;
  });
  return at;
}
