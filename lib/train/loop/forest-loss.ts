/**
 * A share of an update on a forest: log-probabilities of targets, and a loss of them. SFT and GRPO differ in the trees
 * and in the loss alone.
 */
import * as tf from '@tensorflow/tfjs';
import { disposeForest, forwardForest, type ForwardOptions, prepareForest } from '../../lm/decoder.js';
import { packTrees, type Tree } from '../../lm/forest.js';
import { outputTable } from '../../lm/lora/adapted-weights.js';
import { trainableWeights } from '../../lm/language-model.js';
import { type LanguageModel } from '../../lm/language-model.js';
import { chooseRows, scaleRows } from '../../ops/embedding.js';
import type { LegalSets } from '../../ops/legal-scores.js';
import { onTape } from '../../ops/tape.js';
import { targetLogProbs } from '../../ops/target-log-probs.js';
import type { MicroBatch } from './gradients.js';

/** A token predicted at a node of one of the trees. */
export interface TreeTarget {
  tree: number;
  /** Counted from the tree's first node; its children are what it predicts. */
  node: number;
  token: number;
  /** Tokens that its probability is normalised over, the same for all targets of a node. Default the vocabulary. */
  legal?: Int32Array;
}

/** Computes log-probabilities of the targets of a forest. K targets. */
export interface ForestLogProbs {
  /** log p of every target under `model` [K]; within `tf.tidy` or a gradient. */
  logProbs(model: LanguageModel, options?: ForwardOptions): tf.Tensor1D;
  /** In the forest. */
  tokens: number;
  /** Frees its tensors. */
  dispose(): void;
}

/**
 * Lays the trees out once, for as many models as shall score them (policy and reference).
 * @param temperatures that the logits of each tree are divided by. Default 1
 */
export function forestLogProbs(
  config: LanguageModel['config'],
  trees: readonly Tree[],
  targets: readonly TreeTarget[],
  temperatures: readonly number[] = [],
): ForestLogProbs {
  const forest = packTrees(trees);
  const prepared = prepareForest(config, forest);
  const rowOf = new Map<number, number>(); // node -> its row among those that have a target
  const shares: number[] = []; // of the logits, of each row
  const row = Int32Array.from(targets, ({ tree, node }) => {
    const flat = forest.starts[tree]! + node;
    if (!rowOf.has(flat)) {
      rowOf.set(flat, rowOf.size);
      shares.push(1 / (temperatures[tree] ?? 1));
    }
    return rowOf.get(flat)!;
  });
  const factors = shares.every((share) => share === 1) ? undefined : tf.tensor2d(shares, [shares.length, 1]);
  const legal = legalSets(targets, row, rowOf.size);
  const pairs = { row, token: Int32Array.from(targets, ({ token }) => token) };
  const rows = tf.tensor1d([...rowOf.keys()], 'int32');
  const inverse = tf.tensor1d(
    Int32Array.from(forest.token, (_, node) => rowOf.get(node) ?? rowOf.size),
    'int32',
  );
  return {
    tokens: forest.token.length,
    logProbs(model, options) {
      return onTape([...trainableWeights(model).values()], () => {
        const hidden = forwardForest(model.config, model.weights, prepared, options);
        const output = outputTable(model.config, model.weights);
        const chosen = chooseRows(hidden, rows, inverse);
        const tempered = factors ? scaleRows(chosen, factors) : chosen; // logits are linear in them
        return targetLogProbs(tempered, output, pairs, legal, model.config.precision);
      });
    },
    dispose() {
      disposeForest(prepared);
      tf.dispose([rows, inverse, ...(factors ? [factors] : [])]);
    },
  };
}

/** The legal tokens of each row; undefined where the targets have none. @throws Error where some have, and some not */
function legalSets(targets: readonly TreeTarget[], row: Int32Array, rows: number): LegalSets | undefined {
  const of: (Int32Array | undefined)[] = Array<undefined>(rows).fill(undefined);
  targets.forEach(({ legal }, k) => (of[row[k]!] ??= legal));
  if (of.every((tokens) => tokens === undefined)) return undefined;
  const start = new Int32Array(rows + 1);
  of.forEach((tokens, r) => {
    if (!tokens) throw new Error('forestLogProbs: expected legal tokens at every node with a target, or at none');
    start[r + 1] = start[r]! + tokens.length;
  });
  const token = new Int32Array(start[rows]!);
  of.forEach((tokens, r) => token.set(tokens!, start[r]));
  return { start, token };
}

/** @param loss of the targets' log-probabilities [K], in their order */
export function forestLoss(
  model: LanguageModel,
  scorer: ForestLogProbs,
  loss: (logProbs: tf.Tensor1D) => tf.Scalar,
  options?: ForwardOptions,
): MicroBatch {
  return {
    tokens: scorer.tokens,
    loss: () => loss(scorer.logProbs(model, options)),
    dispose: () => scorer.dispose(),
  };
}
