/** What a comparison is: tables, each a flat list. */
import type { Estimate } from '../evaluate/statistics/intervals.js';
import type { ModeComparison } from './failed-modes.js';
import type { OutcomeCounts, OutcomeExample } from './outcomes.js';
import type { PairComparison } from './paired-tests.js';
import type { Side } from './sides.js';
import type { SliceComparison } from './slices.js';

/** A side and its metrics. */
export interface SideReport extends Side {
  /** HR, NDCG and MRR by item; of MiniOneRec's files there is none. Of several runs the mean of each user's. */
  item?: Record<string, Estimate>;
  /** The same by distinct SIDs, where there is an index. */
  sid?: Record<string, Estimate>;
}

/** What `compare` gives back: tables, each a flat list. */
export interface CompareReport {
  sides: SideReport[];
  rows: number;
  /** Every metric of every pair by item; of MiniOneRec's files there is none. */
  item?: PairComparison[];
  /** By distinct SIDs, where there is an index. */
  sid?: PairComparison[];
  /** By part of the rows; more kinds with a data folder. */
  slices: SliceComparison[];
  /** By failure mode, where every side has a bad-case report of its results. */
  modes?: ModeComparison[];
  /** What was left out of the comparison, and why. */
  notes?: string[];
  /** Rows won and lost of every pair. */
  outcomes: OutcomeCounts[];
  /** Some of them, with titles where there is a data folder. */
  examples: OutcomeExample[];
  alpha: number;
  level: number;
  samples: number;
  seed: number;
  version: string;
  /** Files that were written; none without `out`. */
  files: string[];
}
