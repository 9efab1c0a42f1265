/** What `strategy-gain` tries: a shop with a fault, the strategy that answers it, and the rows that it is for. */
import type { Row, SidIndex } from 'sidlab/data';

/** What a case may look at. */
export interface AimedShop {
  index: SidIndex;
  /** Times that training has each item as a target. */
  counts: Int32Array;
  /** Training rows before what the fault brought came, where it brought something. */
  trainedOn?: readonly Row[];
}

/** One of the kit's strategies in a shop that needs it. */
export interface GainCase {
  strategy: string;
  /** Of `FAULTS`. */
  fault: string;
  /** The rows that the strategy is for, in words. */
  slice: string;
  /** Whether a test row is one of them. */
  aims(row: Row, shop: AimedShop): boolean;
  /** Whether a row of the shop stays, in every split. Default all do. */
  keeps?(row: Row): boolean;
  /** Epochs of the model without the strategy, as a share of the usual ones. Default 1. */
  epochs?: number;
}

/** Codes from here on are those of the collapsed codebook. */
const FALLEN = 500;

export const GAIN_CASES: readonly GainCase[] = [
  {
    ...{ strategy: 'cold_start', fault: 'cold-start', slice: 'targets that no training row has' },
    aims: ({ target }, { counts }) => counts[target] === 0,
  },
  {
    ...{ strategy: 'short_history', fault: 'one-item-users', slice: 'histories of one item' },
    aims: ({ history }) => history.length === 1,
  },
  {
    ...{ strategy: 'long_tail', fault: 'control', slice: 'targets that were bought, at most 10 times' },
    aims: ({ target }, { counts }) => counts[target]! > 0 && counts[target]! <= 10,
  },
  {
    ...{ strategy: 'sid_quality', fault: 'collapsed-codebook', slice: 'targets under the collapsed code' },
    aims: ({ target }, { index }) => Number(/\d+/.exec(index[target]![0]!)![0]) >= FALLEN,
  },
  {
    ...{ strategy: 'recency_bias', fault: 'old-rows', slice: 'targets that came halfway through the training rows' },
    // an item that training has not at all is no matter of recency
    aims: ({ target }, { counts, trainedOn }) => counts[target]! > 0 && !itemsOf(trainedOn!).has(target),
  },
  {
    ...{ strategy: 'hyperparameter', fault: 'control', slice: 'all rows, after a third of the epochs', epochs: 1 / 3 },
    aims: () => true,
  },
  {
    ...{ strategy: 'exclude_history', fault: 'control', slice: 'all rows, where nobody buys the same thing again' },
    keeps: ({ history, target }) => !history.includes(target),
    aims: () => true,
  },
];

const known = new WeakMap<readonly Row[], Set<number>>();

function itemsOf(rows: readonly Row[]): Set<number> {
  const items = known.get(rows) ?? new Set(rows.flatMap(({ history, target }) => [...history, target]));
  known.set(rows, items);
  return items;
}
