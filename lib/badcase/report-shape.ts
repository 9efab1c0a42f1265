/**
 * The shape of `badcase_report.json`: what the analysis of bad cases found, for people and for the stages that read it
 * (strategies, comparisons). Fields may be added; none changes its meaning without a new `version`.
 *
 * A row *fails* if its target is not among the first `topK` items of its list. A *mode* is a trait of rows, said by its
 * detector. A cause is *named* if rows that fail have it more often than rows that do not, by more than chance.
 */

/** Which strategy answers a finding. */
export type StrategyName =
  'long_tail' | 'cold_start' | 'short_history' | 'sid_quality' | 'recency_bias' | 'exclude_history' | 'hyperparameter';

/**
 * What kind of thing a mode is. A `cause` can be true of any row, found or missed, so that both can be compared. A
 * `symptom` says how a row failed (its target at rank 17), so that no row that was found can have it: it is counted,
 * never named.
 */
export type ModeKind = 'cause' | 'symptom';

/** Odds of failing with a mode over those without, the other causes held fixed (logistic regression). */
export interface HeldFixed {
  /** Odds ratio; above 1 where the mode makes rows fail. */
  odds: number;
  /** Lower end of its 95 % interval, over users. */
  low: number;
  /** Upper end. */
  high: number;
  /** Share of the failed rows that would not fail without the mode, by the fit, in [0, 1]; 0 where odds are below 1. */
  explained: number;
}

/** What was found of one mode. */
export interface ModeReport {
  /** Its definition in one line. */
  help: string;
  /** See `ModeKind`. */
  kind: ModeKind;
  /** Rows of the mode, failed or not. */
  rows: number;
  /** Failed rows of the mode. */
  count: number;
  /** `count` over all failed rows, in [0, 1]; 0 where none failed. */
  share: number;
  /** The mode's rows over all rows that did not fail, in [0, 1]; 0 where every row failed. */
  foundShare: number;
  /** Of the mode's rows, how many fail, in [0, 1]; 0 where it has none. */
  failedShare: number;
  /** `share / foundShare`, each with half a row added where one is 0; null for a symptom, or where all rows or none fail or have it. */
  lift: number | null;
  /** Lower end of the lift's 95 % interval, over users. */
  low: number | null;
  /** Upper end. */
  high: number | null;
  /** Two-sided p-value of a lift of 1. */
  p: number | null;
  /** The same, corrected over all causes that ran (Holm). */
  pHolm: number | null;
  /** With the other causes held fixed; null for a symptom, or where the mode has all rows or none. */
  heldFixed: HeldFixed | null;
  /** A cause with `pHolm < 0.05`, `lift > 1` and `share > 0.2`, whose odds with the others held fixed are above 1. */
  named: boolean;
}

/** Targets by their rank in the list; the list ends at the number of beams. */
export interface RankCounts {
  /** Ranks 1 to 10. */
  '1-10': number;
  /** Ranks 11 to 20. */
  '11-20': number;
  /** Ranks 21 to 50. */
  '21-50': number;
  /** Ranks from 51, and targets that are not listed. */
  beyond: number;
}

/** One level of the semantic IDs. */
export interface SidLevelSummary {
  /** Its letter. */
  level: string;
  /** Codes there are: of the codebook where it is known, else the largest that occurs and one. */
  codes: number;
  /** Codes that an item has. */
  used: number;
  /** Entropy of the codes' shares of the items, in bits. */
  entropy: number;
  /** 2 to the entropy: as many evenly used codes. */
  perplexity: number;
  /** Items of the largest code over those of an average used one; 1 where all are equal. */
  imbalance: number;
}

/** Likeness of items that share a prefix, against that of others. */
export interface SemanticGap {
  /** What likeness is measured by: cosine of vectors, or equal categories. */
  by: 'vectors' | 'categories';
  /** Codes of the prefix. */
  length: number;
  /** Mean likeness of two items with the same prefix; null where no two share one. */
  within: number | null;
  /** Mean likeness of two items of different prefixes; null where there are none. */
  across: number | null;
  /** `within - across`: 0 where a prefix says nothing; null where either is. */
  gap: number | null;
}

/** Quality of the semantic IDs. */
export interface SidQualitySummary {
  /** Items in the index. */
  items: number;
  /** Distinct SIDs. */
  sids: number;
  /** Items beyond the first of each SID. */
  collisions: number;
  /** `collisions / items`. */
  collisionRate: number;
  /** Items that share their SID with another. */
  ambiguousItems: number;
  /** Share of the evaluated rows whose target shares its SID: collisions weighted by traffic. */
  ambiguousTraffic: number;
  /** Share of the evaluated rows whose target is under the most crowded code of the first level. */
  crowdedTraffic: number;
  /** Each level. */
  levels: SidLevelSummary[];
  /** One for each length of prefix and measure of likeness that was there. */
  semanticGap: SemanticGap[];
}

/** What a training curve says. */
export interface CurveFinding {
  /** Stage of the run. */
  stage: 'sft' | 'grpo';
  /** The validation metric that chose the model. */
  metric: string;
  /** At the first validation. */
  first: number;
  /** The best one. */
  best: number;
  /** Step of the best one. */
  bestStep: number;
  /** At the last validation. */
  last: number;
  /** Step of the last validation. */
  lastStep: number;
  /**
   * `still improving`: the best is the last, and by more than a tenth of what was gained; `over-fitted`: the last is worse
   * than the best by more than that; `below its start`: RL's last is worse than its first; else `settled`.
   */
  state: 'still improving' | 'over-fitted' | 'below its start' | 'settled';
}

/** Something that the reader should act on. */
export interface Verdict {
  /** What it is about: `failure rate`, `near miss`, `collisions`, `imbalance`, `semantic gap`, `training`, or a mode. */
  finding: string;
  /** The number that was found. */
  value: number;
  /** The bound that it passed. */
  threshold: number;
  /** The finding in a sentence. */
  words: string;
  /** What to do about it, in a sentence. */
  advice: string;
  /** Strategies that answer it, the first one first; empty where none of the kit's does. */
  strategies: StrategyName[];
}

/** A row that failed. */
export interface ReportedCase {
  /** Place among the results, from 0. */
  row: number;
  user: string;
  /** Item ids, oldest first. */
  history: number[];
  /** Item id. */
  target: number;
  /** The target's title. */
  title: string;
  /** Rank of the target in the whole list, from 1; 0 where it is not listed. */
  rank: number;
  /** The first `topK` item ids of the list. */
  items: number[];
  /** Their scores. */
  scores: number[];
  /** The target's score, in nats, where the evaluation kept it. */
  targetScore: number | null;
  /** Names of the modes that the row is of, in the order of the detectors. */
  modes: string[];
}

/** `badcase_report.json`. */
export interface BadCaseFile {
  /** Of this shape. */
  version: 1;
  /** Rows that were evaluated. */
  rows: number;
  /** Rows whose target is not among the first `topK`. */
  failed: number;
  /** `failed / rows`. */
  failureRate: number;
  topK: number;
  /** Targets by rank. */
  ranks: RankCounts;
  /** By name, in the order of the detectors. */
  modes: Record<string, ModeReport>;
  /** Named causes, the one that explains most failed rows first. */
  named: string[];
  /** Detectors that could not run, and the reason: what to give them. */
  notRun: Record<string, string>;
  /** Null without an index. */
  sidQuality: SidQualitySummary | null;
  /** Of the run that the model is of; empty where there is none. */
  curves: CurveFinding[];
  /** The most urgent first. */
  verdicts: Verdict[];
  /** Titles of the items that the cases name, by item id. */
  titles: Record<string, string>;
  /** The failed rows, in the order of the results. */
  cases: ReportedCase[];
}
