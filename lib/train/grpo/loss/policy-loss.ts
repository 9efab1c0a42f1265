/**
 * The policy loss of a batch's completions: a pure function from log-probabilities and advantages to a number, its
 * derivative by every log-probability, and the sums that are logged. No tensor, no model.
 *
 * With r the ratio of a token's probability to the one at the rollout, A its advantage, KL its estimated divergence:
 *
 *   clipped      -min(min(r, delta) A, clip(r, 1 - epsilon, 1 + epsilonHigh) A) + beta KL
 *   cispo        -stop_gradient(min(r, 1 + epsilonHigh)) A log p + beta KL      (MiniMax-M1, arXiv 2506.13585, eq. 4)
 *
 * and what the sum over tokens is divided by:
 *
 *   grpo, gspo   tokens of the completion, completions of the group, groups     (arXiv 2402.03300, eq. 3; 2507.18071)
 *   bnpo, dapo, cispo   tokens of the batch                                     (DAPO, arXiv 2503.14476, eq. 8)
 *   dr_grpo      completions of the batch times a constant number of tokens     (arXiv 2503.20783)
 *
 * `gspo` has one ratio a completion, the geometric mean of its tokens' (`ratioLevel: 'sequence'`, which any loss may
 * have). `delta` is the dual clip (Ye et al., arXiv 1912.09729; INTELLECT-2, arXiv 2505.07291): it bounds what a token
 * with a negative advantage can cost.
 *
 * Departure: TRL divides by the tokens of a micro-batch in `bnpo`, and of the whole batch in `dapo`. Here a batch may be
 * cut into parts anyhow and gives the same gradient, so that the two are one division; `dapo` has another upper clip by
 * default (`lossDefaults`).
 *
 * Shapes: K tokens of S completions, end to end.
 */
import { klEstimate, type KlEstimator } from './kl.js';

/** Losses by their papers' names. */
export const LOSS_TYPES = ['grpo', 'bnpo', 'dapo', 'dr_grpo', 'gspo', 'cispo'] as const;
/** A word of `LOSS_TYPES`. */
export type LossType = (typeof LOSS_TYPES)[number];

/** Whether every token has its own ratio, or all tokens of a completion have one. */
export const RATIO_LEVELS = ['token', 'sequence'] as const;
/** A word of `RATIO_LEVELS`. */
export type RatioLevel = (typeof RATIO_LEVELS)[number];

/** How the loss is computed. */
export interface PolicyLossOptions {
  /** Default `grpo`. */
  lossType?: LossType;
  /** Default `token`; `sequence` with `gspo`. */
  ratioLevel?: RatioLevel;
  /** How far a ratio may fall below 1. Default 0.2. */
  epsilon?: number;
  /** How far a ratio may rise above 1. Default `epsilon`; 0.28 with `dapo`, 4 with `cispo`. */
  epsilonHigh?: number;
  /** Upper bound of the ratio where the advantage is negative, above 1 + epsilonHigh; 0: none. Default 0. */
  delta?: number;
  /** Weight of the KL. Default 0: no reference is asked for. */
  beta?: number;
  /** Default `k3`. */
  kl?: KlEstimator;
}

/** The options with every default filled in. */
export type PolicyLossSettings = Required<PolicyLossOptions>;

/** What one loss has for default where another has something else; each with its paper's number. */
export function lossDefaults(options: PolicyLossOptions): PolicyLossSettings {
  const { lossType = 'grpo', epsilon = 0.2 } = options;
  const high = { dapo: 0.28, cispo: 4 } as Partial<Record<LossType, number>>;
  return {
    ratioLevel: lossType === 'gspo' ? 'sequence' : 'token',
    epsilonHigh: high[lossType] ?? epsilon,
    ...{ delta: 0, beta: 0, kl: 'k3' },
    ...options,
    ...{ lossType, epsilon },
  };
}

/** The tokens of some completions of a batch. */
export interface PolicyTokens {
  /** log p under the policy [K]. */
  logProbs: ArrayLike<number>;
  /** log p at the rollout [K]; default that of the policy: the first update after it. */
  old?: ArrayLike<number>;
  /** log p under the reference [K]; needed where beta is not 0. */
  reference?: ArrayLike<number>;
  /** [K] */
  advantages: ArrayLike<number>;
  /** First token of each completion, and K at the end [S + 1]. */
  starts: ArrayLike<number>;
  /** Completions of each one's group [S]. */
  groupSizes: ArrayLike<number>;
  /** 1 for a token that counts, 0 for one that does not [K]; default all count. */
  mask?: ArrayLike<number>;
}

/** What the whole batch is, of which the completions are a part: what the loss is divided by. */
export interface BatchTotals {
  groups: number;
  completions: number;
  /** Tokens that count. */
  tokens: number;
  /** Tokens that a completion may have at most. */
  maxTokens: number;
}

/** Sums and extremes over tokens that count; those of parts add up. */
export interface PolicySums {
  tokens: number;
  /** Of the estimated divergence from the reference; 0 without one. */
  kl: number;
  /** Tokens whose gradient the lower bound, the upper bound, and `delta` cut off. */
  clippedLow: number;
  clippedHigh: number;
  clippedDual: number;
  /** Infinite where no token counts. */
  ratioMin: number;
  ratioMax: number;
}

/** Of no token. */
export const NO_TOKENS: PolicySums = {
  ...{ tokens: 0, kl: 0, clippedLow: 0, clippedHigh: 0, clippedDual: 0 },
  ...{ ratioMin: Infinity, ratioMax: -Infinity },
};

/** Sums of two parts together. */
export function addSums(a: PolicySums, b: PolicySums): PolicySums {
  return {
    tokens: a.tokens + b.tokens,
    kl: a.kl + b.kl,
    clippedLow: a.clippedLow + b.clippedLow,
    clippedHigh: a.clippedHigh + b.clippedHigh,
    clippedDual: a.clippedDual + b.clippedDual,
    ratioMin: Math.min(a.ratioMin, b.ratioMin),
    ratioMax: Math.max(a.ratioMax, b.ratioMax),
  };
}

/** A share of the batch's loss. */
export interface PolicyLoss {
  loss: number;
  /** By each log-probability [K]. */
  gradient: Float64Array;
  sums: PolicySums;
}

/** The share of these completions in the batch's loss: the shares of all parts add up to it. */
export function policyLoss(tokens: PolicyTokens, totals: BatchTotals, options: PolicyLossOptions = {}): PolicyLoss {
  const settings = lossDefaults(options);
  const { logProbs, old = logProbs, starts, groupSizes, mask } = tokens;
  const result: PolicyLoss = { loss: 0, gradient: new Float64Array(logProbs.length), sums: { ...NO_TOKENS } };
  if (settings.beta !== 0 && !tokens.reference) throw new Error('policyLoss: expected log p of the reference');
  for (const [s, groupSize] of Array.from(groupSizes).entries()) {
    const counted: number[] = [];
    for (let t = starts[s]!; t < starts[s + 1]!; t++) if (!mask || mask[t]! > 0) counted.push(t);
    if (counted.length === 0) continue;
    const share = tokenShare(settings.lossType, totals, counted.length, groupSize);
    const differences = counted.map((t) => logProbs[t]! - old[t]!);
    if (settings.ratioLevel === 'token') {
      counted.forEach((t, i) => addToken(result, tokens, t, [t], differences[i]!, share, settings));
    } else {
      const mean = differences.reduce((sum, d) => sum + d, 0) / counted.length;
      for (const t of counted) addToken(result, tokens, t, counted, mean, share, settings);
    }
  }
  return result;
}

/** What a token's loss is multiplied with. @param count tokens of its completion that count */
function tokenShare(type: LossType, totals: BatchTotals, count: number, groupSize: number): number {
  switch (type) {
    case 'grpo':
    case 'gspo':
      return 1 / (totals.groups * groupSize * count);
    case 'bnpo':
    case 'dapo':
    case 'cispo':
      return 1 / totals.tokens;
    case 'dr_grpo':
      return 1 / (totals.completions * totals.maxTokens);
    default:
      throw new Error(`policyLoss: expected one of ${LOSS_TYPES.join(', ')}, got ${type satisfies never}`);
  }
}

/**
 * Adds one token's loss and its derivative.
 * @param of the tokens whose mean log ratio `difference` is: the token itself, or its whole completion
 */
function addToken(
  result: PolicyLoss,
  { logProbs, reference, advantages }: PolicyTokens,
  t: number,
  of: readonly number[],
  difference: number,
  share: number,
  settings: PolicyLossSettings,
): void {
  const { gradient, sums } = result;
  const { beta, kl, lossType } = settings;
  const [ratio, advantage, logProb] = [Math.exp(difference), advantages[t]!, logProbs[t]!];
  count(sums, ratio, advantage, settings);
  if (lossType === 'cispo') {
    const weight = Math.min(ratio, 1 + settings.epsilonHigh) * advantage;
    result.loss -= share * weight * logProb;
    gradient[t]! -= share * weight;
  } else {
    const { value, isFree } = clipped(ratio, advantage, settings);
    result.loss -= share * value;
    if (isFree) for (const u of of) gradient[u]! -= (share * ratio * advantage) / of.length;
  }
  if (!reference) return;
  const divergence = klEstimate(kl, logProb, reference[t]!);
  sums.kl += divergence.value;
  result.loss += share * beta * divergence.value;
  gradient[t]! += share * beta * divergence.slope;
}

/** The smaller of the free and the clipped product, and whether the ratio moves it. */
function clipped(
  ratio: number,
  advantage: number,
  { epsilon, epsilonHigh, delta }: PolicyLossSettings,
): { value: number; isFree: boolean } {
  const bounded = delta > 0 ? Math.min(ratio, delta) : ratio;
  const free = bounded * advantage;
  const kept = Math.min(Math.max(ratio, 1 - epsilon), 1 + epsilonHigh) * advantage;
  return { value: Math.min(free, kept), isFree: free <= kept && bounded === ratio };
}

/** What the token adds to the sums. The lower bound acts on negative advantages alone, the upper on positive ones. */
function count(sums: PolicySums, ratio: number, advantage: number, settings: PolicyLossSettings): void {
  const { lossType, epsilon, epsilonHigh, delta } = settings;
  sums.tokens++;
  sums.ratioMin = Math.min(sums.ratioMin, ratio);
  sums.ratioMax = Math.max(sums.ratioMax, ratio);
  if (ratio > 1 + epsilonHigh && advantage > 0) sums.clippedHigh++;
  if (lossType === 'cispo') return; // it has no other bound
  if (ratio < 1 - epsilon && advantage < 0) sums.clippedLow++;
  if (delta > 0 && ratio > delta && advantage < 0) sums.clippedDual++;
}
