/**
 * The items as a trie of token ids: what may follow a prefix. A prefix outside of it is an error, never an
 * unconstrained step (the reference turns its constraint off there).
 */

export interface TrieNode {
  /** Token ids of the legal continuations, ascending. Empty at a leaf. */
  tokens: number[];
  /** Index of the node that each token leads to. */
  children: number[];
  /** Items that end here, ascending; several where a SID is shared. */
  items: number[];
  /** Smallest item at or below the node: decides between equal scores. */
  firstItem: number;
}

/** The items' token sequences as a trie. */
export interface ItemTrie {
  /** Node 0 is the root. */
  nodes: TrieNode[];
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
  const nodes: TrieNode[] = [emptyNode()];
  const edges: Map<number, number>[] = [new Map()];
  sequences.forEach((sequence, item) => {
    if (sequence.length === 0) throw new Error(`buildTrie: expected tokens for item ${item}, got none`);
    let at = 0;
    for (const token of sequence) {
      nodes[at]!.firstItem = Math.min(nodes[at]!.firstItem, item);
      let next = edges[at]!.get(token);
      if (next === undefined) {
        next = nodes.push(emptyNode()) - 1;
        edges.push(new Map());
        edges[at]!.set(token, next);
      }
      at = next;
    }
    nodes[at]!.firstItem = Math.min(nodes[at]!.firstItem, item);
    nodes[at]!.items.push(item);
  });
  let leaves = 0;
  nodes.forEach((node, n) => {
    const sorted = [...edges[n]!].sort(([a], [b]) => a - b);
    node.tokens = sorted.map(([token]) => token);
    node.children = sorted.map(([, child]) => child);
    if (node.items.length === 0) return;
    leaves++;
    if (sorted.length > 0) {
      throw new Error(`buildTrie: the SID of item ${node.items[0]} is the beginning of another; mend the index`);
    }
  });
  const alphabet = Int32Array.from([...new Set(sequences.flat())]).sort();
  return { nodes, alphabet, leaves };
}

/** Node at the end of a prefix. @throws if the prefix is not in the trie */
export function walk(trie: ItemTrie, prefix: readonly number[]): number {
  let at = 0;
  prefix.forEach((token, i) => {
    const step = trie.nodes[at]!.tokens.indexOf(token);
    if (step < 0) throw new Error(`walk: no item's SID begins with tokens [${prefix.slice(0, i + 1).join(', ')}]`);
    at = trie.nodes[at]!.children[step]!;
  });
  return at;
}

function emptyNode(): TrieNode {
  return { tokens: [], children: [], items: [], firstItem: Infinity };
}
