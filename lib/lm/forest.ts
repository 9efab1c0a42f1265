/**
 * Forests of token trees: the one batch format of SFT, GRPO, scoring and decoding.
 *
 * A forest is flat. A path from a root to a node is a text; nodes of different trees never see each other. A chain is
 * a tree without branches (an SFT example); a prefix tree is a shared prefix with branches (a GRPO group: prompt and
 * completions).
 */

/** Trees laid end to end. */
export interface Forest {
  /** Token id of each node [N]. */
  token: Int32Array;
  /** Index of the node's parent, -1 for a root; a parent comes before its children [N]. */
  parent: Int32Array;
  /** Position: 0 for a root, the parent's + 1 otherwise [N]. */
  depth: Int32Array;
  /** First node of each tree, ascending; a tree ends where the next begins. */
  starts: number[];
}

/** A tree by itself; parents count from the tree's own first node. */
export interface Tree {
  /** Token id of each node. */
  token: number[];
  /** Index of each node's parent, -1 for a root; a parent comes before its children. */
  parent: number[];
}

/** A tree without branches. */
export function chain(tokens: readonly number[]): Tree {
  return { token: [...tokens], parent: tokens.map((_, i) => i - 1) };
}

/**
 * A shared prefix with branches, which share their beginnings too: equal beginnings are one path. The first token of every
 * branch is predicted by the prefix's last node.
 * @returns the tree, and the nodes of each branch in the order of its tokens
 */
export function prefixTree(
  prefix: readonly number[],
  branches: readonly (readonly number[])[],
): Tree & { nodes: number[][] } {
  if (prefix.length === 0) throw new Error('prefixTree: expected a prefix of at least one token, got none');
  const tree = chain(prefix);
  const children = new Map<number, Map<number, number>>(); // node -> token -> child
  const nodes = branches.map((branch) => {
    let at = prefix.length - 1;
    return branch.map((token) => {
      const known = children.get(at) ?? new Map<number, number>();
      children.set(at, known);
      const child = known.get(token) ?? tree.token.push(token) - 1;
      if (!known.has(token)) tree.parent.push(at);
      known.set(token, child);
      return (at = child);
    });
  });
  return { ...tree, nodes };
}

/** Lays trees end to end. @returns the forest; node i of tree t is `starts[t] + i` */
export function packTrees(trees: readonly Tree[]): Forest {
  const size = trees.reduce((sum, tree) => sum + tree.token.length, 0);
  const forest: Forest = {
    token: new Int32Array(size),
    parent: new Int32Array(size),
    depth: new Int32Array(size),
    starts: [],
  };
  let at = 0;
  for (const tree of trees) {
    forest.starts.push(at);
    for (let i = 0; i < tree.token.length; i++) {
      const parent = tree.parent[i]!;
      if (parent >= i || parent < -1)
        throw new Error(`packTrees: expected node ${i}'s parent before it, got ${parent}`);
      forest.token[at + i] = tree.token[i]!;
      forest.parent[at + i] = parent < 0 ? -1 : at + parent;
      forest.depth[at + i] = parent < 0 ? 0 : forest.depth[at + parent]! + 1;
    }
    at += tree.token.length;
  }
  return forest;
}
