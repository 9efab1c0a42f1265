/**
 * Texts as a forest in which equal beginnings are one path: a text that is the beginning of another has no node of its
 * own. Every node then has the hidden state that the model gives at the end of its path, and there are as few of them as
 * can be.
 */
import type { Forest } from './forest.js';

/** Texts that share their beginnings. */
export interface SharedForest {
  forest: Forest;
  /** Node at the end of each text, in the order that the texts were given in. */
  ends: Int32Array;
}

/**
 * @param texts token ids, none without a token
 * @param branching false: only a text that is the beginning of another is shared, so that trees are chains (the plain
 *   attention pads trees, and computes the square of the longest)
 */
export function shareBeginnings(texts: readonly (readonly number[])[], branching = true): SharedForest {
  const order = [...texts.keys()].sort((a, b) => compareTokens(texts[a]!, texts[b]!) || a - b);
  const [token, parent, depth, starts]: number[][] = [[], [], [], []];
  const ends = new Int32Array(texts.length);
  const path: number[] = []; // nodes of the text before
  let before: readonly number[] = [];
  for (const number of order) {
    const text = texts[number]!;
    const common = commonPrefix(before, text);
    path.length = branching || common === before.length ? common : 0;
    if (path.length === 0) starts!.push(token!.length);
    for (let i = path.length; i < text.length; i++) {
      token!.push(text[i]!);
      parent!.push(i === 0 ? -1 : path[i - 1]!);
      depth!.push(i);
      path.push(token!.length - 1);
    }
    ends[number] = path.at(-1)!;
    before = text;
  }
  const forest = {
    token: Int32Array.from(token!),
    parent: Int32Array.from(parent!),
    depth: Int32Array.from(depth!),
    starts: starts!,
  };
  return { forest, ends };
}

/** Nodes from the root to `node`. */
export function pathTo({ parent, depth }: Forest, node: number): Int32Array {
  const path = new Int32Array(depth[node]! + 1);
  for (let i = path.length - 1, at = node; i >= 0; i--, at = parent[at]!) path[i] = at;
  return path;
}

/** Tokens that two texts begin with alike. */
export function commonPrefix(a: readonly number[], b: readonly number[]): number {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return length;
}

/** Lexicographic; a prefix of another comes first. */
export function compareTokens(a: readonly number[], b: readonly number[]): number {
  const at = commonPrefix(a, b);
  return (a[at] ?? -1) - (b[at] ?? -1);
}
