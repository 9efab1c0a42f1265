/**
 * The loss of GRPO over groups that share their prompt: each group is one prefix tree of the forest, its prompt goes
 * through policy and reference once, and the gradient is that of the separate texts.
 *
 * The loss itself is a pure function of numbers (`policy-loss.ts`): log p leaves the engine, its derivative goes back.
 *
 * Shapes: K tokens of the completions of a part, then those of its right answers.
 */
import * as tf from '@tensorflow/tfjs';
import { tokensAfter, walk } from '../../../decode/item-trie.js';
import type { ForwardOptions } from '../../../lm/decoder.js';
import { prefixTree, type Tree } from '../../../lm/forest.js';
import type { LanguageModel } from '../../../lm/language-model.js';
import { type ForestLogProbs, forestLogProbs, forestLoss, type TreeTarget } from '../../loop/forest-loss.js';
import type { MicroBatch } from '../../loop/gradients.js';
import { type Group, type GroupTotals, hasAdvantage, totalsOf } from './group.js';
import { answersApart, groupParts, type GroupSlice } from './group-parts.js';
import { policyLoss, type PolicyLossOptions, type PolicySums, type PolicyTokens } from './policy-loss.js';
import { largest } from '../../../support/extremes.js';

/** How a batch of groups becomes a loss. */
export interface GrpoLossOptions extends PolicyLossOptions {
  /** Tokens that go through the model at once. Default: no bound, one part. */
  tokenBudget?: number;
  /** Weight of the mean negative log-likelihood of the right answers. Default 0. */
  sftWeight?: number;
  /** Tokens of a completion at most, by which `dr_grpo` divides. Default the longest of the batch. */
  maxTokens?: number;
  /** Of the KL; needed where beta is not 0 and a group does not know its own `reference`. */
  reference?: LanguageModel;
  /** Which of the groups that have a gradient are computed here, where processes share the batch. Default all. */
  own?: (groups: readonly Group[]) => readonly Group[];
  /** Called with the sums of each part, when its loss has been computed. */
  onSums?: (sums: PolicySums) => void;
  /** Called around the reference's pass, to tell its seconds from the policy's. */
  onReference?: (seconds: number) => void;
  forward?: ForwardOptions;
}

/**
 * The batch's loss in parts, each made when it is asked for, so that one forest is in memory at a time. Groups without
 * a gradient (no advantage, beta 0, no fine-tuning mixed in) count in what is divided by and are not computed.
 */
export function* grpoLoss(
  model: LanguageModel,
  groups: readonly Group[],
  options: GrpoLossOptions = {},
): Generator<MicroBatch> {
  const { tokenBudget = Infinity, beta = 0, sftWeight = 0, own = (all) => all } = options;
  const { maxTokens = longest(groups) } = options;
  const totals = totalsOf(groups, maxTokens);
  const computed = groups.filter((group) => beta !== 0 || sftWeight !== 0 || hasAdvantage(group));
  for (const slices of groupParts(own(computed), tokenBudget)) yield grpoPart(model, slices, totals, options);
}

function longest(groups: readonly Group[]): number {
  return largest(groups.flatMap(({ completions }) => completions.map(({ length }) => length)));
}

/** One part of the batch. */
function grpoPart(
  model: LanguageModel,
  slices: readonly GroupSlice[],
  totals: GroupTotals,
  { beta = 0, sftWeight = 0, reference, onSums, onReference, forward, ...options }: GrpoLossOptions,
): MicroBatch {
  const { scorer, starts } = layOut(model, slices);
  const tokens = tokensOf(slices, starts);
  if (beta !== 0) tokens.reference = referenceLogProbs(slices, scorer, starts, reference, onReference);
  const count = starts.at(-1)!;
  const loss = (values: Float32Array): { value: number; gradient: Float32Array } => {
    const logProbs = values.subarray(0, count);
    const old = oldLogProbs(slices, logProbs, starts);
    const policy = policyLoss({ ...tokens, logProbs, old }, totals, { ...options, beta });
    onSums?.(policy.sums);
    const gradient = new Float32Array(values.length).fill(-sftWeight / totals.answerTokens);
    gradient.set(policy.gradient);
    let answers = 0;
    for (let k = count; k < values.length; k++) answers += values[k]! * gradient[k]!;
    return { value: policy.loss + answers, gradient };
  };
  return forestLoss(model, scorer, (logProbs) => numericLoss(logProbs, loss), forward);
}

/** A loss of numbers as a node of the tape. */
function numericLoss(
  logProbs: tf.Tensor1D,
  loss: (values: Float32Array) => { value: number; gradient: Float32Array },
): tf.Scalar {
  const node = tf.customGrad((x, save) => {
    const { value, gradient } = loss((x as tf.Tensor).dataSync<'float32'>());
    (save as (tensors: tf.Tensor[]) => void)([tf.tensor1d(gradient)]);
    return { value: tf.scalar(value), gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => tf.mul(dy, saved[0]!) };
  });
  return node(logProbs) as tf.Scalar;
}

/** The completions and right answers of a part in one forest. */
interface Layout {
  scorer: ForestLogProbs;
  /** First token of each completion, and their number at the end [S + 1]. */
  starts: number[];
}

function layOut({ config }: LanguageModel, slices: readonly GroupSlice[]): Layout {
  const [targets, answers]: [TreeTarget[], TreeTarget[]] = [[], []];
  const starts = [0];
  const trees: Tree[] = [];
  const temperatures: number[] = [];
  const grow = (group: Group, texts: readonly (readonly number[])[], answerAt: number, temperature: number): void => {
    const { prompt } = group;
    const packed = prefixTree(
      prompt,
      texts.map((text) => text.slice(0, -1)), // the last predicts nothing
    );
    texts.forEach((text, g) => {
      const allowed = legalTokens(group, text);
      text.forEach((token, i) => {
        const node = i === 0 ? prompt.length - 1 : packed.nodes[g]![i - 1]!;
        const target = { tree: trees.length, node, token, ...(allowed && { legal: allowed[i]! }) };
        (g === answerAt ? answers : targets).push(target);
      });
      if (g !== answerAt) starts.push(targets.length);
    });
    trees.push(packed);
    temperatures.push(temperature);
  };
  for (const slice of slices) {
    const { group, from, to, withAnswer } = slice;
    const { temperature = 1 } = group;
    const [texts, answer] = [group.completions.slice(from, to), withAnswer ? [group.answer!] : []];
    if (answersApart(slice)) {
      grow(group, texts, -1, temperature);
      grow(group, answer, 0, 1);
    } else grow(group, [...texts, ...answer], to - from, temperature);
  }
  return { scorer: forestLogProbs(config, trees, [...targets, ...answers], temperatures), starts };
}

/** What the trie allows at each token of a text. */
function legalTokens({ trie }: Group, text: readonly number[]): Int32Array[] | undefined {
  return trie && text.map((_, i) => tokensAfter(trie, walk(trie, text.slice(0, i))));
}

/** What the loss needs to know of the tokens beside log p. */
function tokensOf(slices: readonly GroupSlice[], starts: readonly number[]): Omit<PolicyTokens, 'logProbs'> {
  const [advantages, mask, groupSizes]: number[][] = [[], [], []];
  for (const { group, from, to } of slices) {
    for (let g = from; g < to; g++) {
      const own = group.advantages[g]!;
      group.completions[g]!.forEach((_, i) => {
        advantages!.push(typeof own === 'number' ? own : own[i]!);
        mask!.push(group.counts?.[g] === false ? 0 : 1);
      });
      groupSizes!.push(group.completions.length);
    }
  }
  return { starts, advantages: advantages!, mask: mask!, groupSizes: groupSizes! };
}

/** log p at the rollout: what the groups know, or, in the first update after it, what is computed now; kept there. */
function oldLogProbs(slices: readonly GroupSlice[], values: Float32Array, starts: readonly number[]): number[] {
  return known(slices, starts, 'old', () => values);
}

/** log p under the reference: what the groups know, or what it says now; kept there. */
function referenceLogProbs(
  slices: readonly GroupSlice[],
  scorer: ForestLogProbs,
  starts: readonly number[],
  reference: LanguageModel | undefined,
  onReference: GrpoLossOptions['onReference'],
): number[] {
  return known(slices, starts, 'reference', () => {
    if (!reference) throw new Error('grpoLoss: expected a reference, beta is not 0');
    const start = performance.now();
    const values = scoreNow(scorer, reference);
    onReference?.((performance.now() - start) / 1000);
    return values;
  });
}

/** @returns one number a token, from the groups, which are told what is missing */
function known(
  slices: readonly GroupSlice[],
  starts: readonly number[],
  name: 'old' | 'reference',
  compute: () => ArrayLike<number>,
): number[] {
  let computed: ArrayLike<number> | undefined;
  let s = 0;
  return slices.flatMap(({ group, from, to }) => {
    const of = (group[name] ??= []);
    return Array.from({ length: to - from }, (_, i) => {
      const [low, high] = [starts[s]!, starts[++s]!];
      of[from + i] ??= Array.from({ length: high - low }, (_, t) => (computed ??= compute())[low + t]!);
      return of[from + i]!;
    }).flat();
  });
}

function scoreNow(scorer: ForestLogProbs, model: LanguageModel): Float32Array {
  const values = tf.tidy(() => scorer.logProbs(model).clone());
  try {
    return values.dataSync<'float32'>().slice();
  } finally {
    values.dispose();
  }
}

/** log p of every completion's tokens, kept in the groups as `old` or `reference`, before there are advantages. */
export function scoreGroups(
  model: LanguageModel,
  groups: readonly Group[],
  name: 'old' | 'reference',
  tokenBudget: number,
): void {
  for (const slices of groupParts(groups, tokenBudget)) {
    const { scorer, starts } = layOut(model, slices);
    known(slices, starts, name, () => scoreNow(scorer, model));
    scorer.dispose();
  }
}
