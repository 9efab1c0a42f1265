/** What the filter may be told, and the rules it makes of that. */
import { InputError } from '../../support/errors.js';
import { monthStart } from './months.js';
import { SPLIT_RULES, type SplitRule } from './split-rows.js';

export interface FilterOptions {
  /** Fewest interactions of a user. At least 1; a user with one interaction gives no row anyway. Default 5. */
  userK?: number;
  /** Fewest interactions of an item. At least 1. Default 5. */
  itemK?: number;
  /** First month, `1996-10`, UTC, or `any` for no bound. Default the reference's. */
  from?: string;
  /** Last month, included, or `any`. Default `2018-10`. */
  to?: string;
  /**
   * The reference's widening: while fewer items than this are left, `from` moves back by a year, and no further than
   * the first review. 0 leaves the dates alone. Default 0.
   */
  minItems?: number;
  /** Longest history, in items. Default 10, with leave-one-out 20 (GRec's, LETTER's and TIGER's). */
  window?: number;
  /** `chronological` (8:1:1 of all rows in order of time, default) or `leave-one-out`. */
  split?: SplitRule;
  /** Most words of a title; longer ones drop the item. Default 20. */
  titleWords?: number;
}

/** Options with their defaults, checked. */
export interface Rules extends Required<FilterOptions> {
  /** Seconds, included. */
  start: number;
  /** Seconds, excluded. */
  end: number;
}

/** @throws InputError for an option out of range */
export function parseOptions(options: FilterOptions): Rules {
  const { userK = 5, itemK = 5, from = '1996-10', to = '2018-10', minItems = 0 } = options;
  const { split = 'chronological', window = split === 'leave-one-out' ? 20 : 10, titleWords = 20 } = options;
  for (const [name, value] of Object.entries({ userK, itemK, window, titleWords })) {
    if (!Number.isInteger(value) || value < 1) {
      throw new InputError(`filter: expected ${name} to be a whole number of at least 1, got ${value}`);
    }
  }
  if (!Number.isInteger(minItems) || minItems < 0) {
    throw new InputError(`filter: expected minItems to be a whole number of at least 0, got ${minItems}`);
  }
  if (!SPLIT_RULES.includes(split)) {
    throw new InputError(`filter: expected split to be one of ${SPLIT_RULES.join(', ')}, got ${String(split)}`);
  }
  const start = from === 'any' ? -Infinity : monthStart(from, 'from');
  const end = to === 'any' ? Infinity : monthStart(to, 'to', 1);
  if (start >= end) throw new InputError(`filter: expected from to come before to, got ${from} and ${to}`);
  return { userK, itemK, from, to, minItems, window, split, titleWords, start, end };
}

/** The same rules, a year earlier. */
export function widened(rules: Rules): Rules {
  const from = `${String(Number(rules.from.slice(0, 4)) - 1).padStart(4, '0')}${rules.from.slice(4)}`;
  return { ...rules, from, start: monthStart(from, 'from') };
}
