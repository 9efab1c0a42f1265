/**
 * Texts that begin alike share their beginning: the examples of a micro-batch as prefix trees, whose prefix goes
 * through the model once.
 *
 * The loss is the same function of the same log-probabilities, so the gradient is that of the separate texts (the
 * shared nodes receive the sum over the branches by the chain rule). With dropout the texts of a tree would share their
 * masks along the prefix; the caller decides.
 */
import { chain, prefixTree, type Tree } from '../../lm/forest.js';
import { commonPrefix, compareTokens } from '../../lm/shared-forest.js';
import type { Example } from '../../tasks/examples.js';
import type { TreeTarget } from '../loop/forest-loss.js';

/** Examples as trees, and their targets in them. */
export interface PackedTrees {
  /** One for each run of examples that share a prefix. */
  trees: Tree[];
  /** Every example's targets, in the order of the sorted examples. */
  targets: LabelTarget[];
}

/** A label of an example at a node. */
export interface LabelTarget extends TreeTarget {
  /** How much it counts. Default 1. */
  weight?: number;
}

/** A chain each. */
export function separateTrees(examples: readonly Example[]): PackedTrees {
  return {
    trees: examples.map(({ tokens }) => chain(tokens)),
    targets: examples.flatMap((example, tree) =>
      example.labelPositions.map((node, i) => labelTarget(example, i, { tree, node })),
    ),
  };
}

/**
 * Sorts the texts and cuts the order into runs so that as few tokens as possible are left; a run of several is a
 * prefix tree whose prefix is what all of its texts begin with.
 */
export function sharePrefixes(examples: readonly Example[]): PackedTrees {
  const order = sortTexts(examples);
  const shared: PackedTrees = { trees: [], targets: [] };
  for (const [from, to] of cutRuns(order)) addTree(shared, order.slice(from, to));
  return shared;
}

/** Texts that begin alike follow one another; lexicographic by tokens. */
export function sortTexts(examples: readonly Example[]): Example[] {
  return [...examples].sort((a, b) => compareTokens(a.tokens, b.tokens));
}

function addTree({ trees, targets }: PackedTrees, examples: readonly Example[]): void {
  const [tree, first] = [trees.length, examples[0]!];
  const trunk = commonPrefix(first.tokens, examples.at(-1)!.tokens); // of sorted texts, so of all between
  const branches = examples.map(({ tokens }) => tokens.slice(trunk));
  const { nodes, ...rest } = prefixTree(first.tokens.slice(0, trunk), branches);
  trees.push(rest);
  examples.forEach((example, b) => {
    example.labelPositions.forEach((position, i) => {
      const node = position < trunk ? position : nodes[b]![position - trunk]!;
      targets.push(labelTarget(example, i, { tree, node }));
    });
  });
}

function labelTarget({ labels, weights }: Example, i: number, place: Omit<TreeTarget, 'token'>): LabelTarget {
  return { ...place, token: labels[i]!, ...(weights && { weight: weights[i]! }) };
}

/**
 * Runs of the sorted texts, `[from, to]`, that save the most tokens: a prefix saves itself once less a text. Of divisions
 * that save as many, the one whose last run is the shortest.
 */
function cutRuns(order: readonly Example[]): [from: number, to: number][] {
  const common = order.slice(1).map(({ tokens }, i) => commonPrefix(order[i]!.tokens, tokens)); // with the next one
  const saved = [0]; // by the best division of the first so many texts
  const begin: number[] = [];
  for (let to = 1; to <= order.length; to++) {
    [saved[to], begin[to]] = [saved[to - 1]!, to - 1];
    let trunk = Infinity;
    for (let from = to - 2; from >= 0; from--) {
      trunk = Math.min(trunk, common[from]!);
      if (trunk === 0) break;
      const total = saved[from]! + (to - from - 1) * trunk;
      if (total > saved[to]!) [saved[to], begin[to]] = [total, from];
    }
  }
  const runs: [number, number][] = [];
  for (let to = order.length; to > 0; to = begin[to]!) runs.unshift([begin[to]!, to]);
  return runs;
}
