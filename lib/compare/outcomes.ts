/** Row by row: which side has the target among the first k, and examples with titles. */
import { GAINS, type RankField } from '../evaluate/measures/ranking.js';
import type { RowEntry } from '../evaluate/rows/row-table.js';
import { smallest } from '../support/extremes.js';
import { pairsOf, type SideTables } from './paired-tests.js';

/** What became of a row: of the first side seen from the second. Several runs a side: by their hits on average. */
export type Outcome = 'won' | 'lost' | 'both hit' | 'both failed';

/** Rows of a pair by what became of them; together they are all rows. */
export interface OutcomeCounts {
  first: string;
  second: string;
  /** Length of the lists that a hit is counted in. */
  k: number;
  /** The first side has the target, the second has not. */
  won: number;
  lost: number;
  bothHit: number;
  bothFailed: number;
}

/** A row to look at. */
export interface OutcomeExample {
  first: string;
  second: string;
  outcome: Outcome;
  /** Place among the rows, from 0. */
  row: number;
  user: string;
  /** Title of the target, or what stands for it where there are no texts. */
  target: string;
  /** The last items of the history, the latest one last. */
  history: string[];
  /** Rank of the target in the first side's (first) run; 0 where its list lacks it. */
  firstRank: number;
  secondRank: number;
  /** What that list has first. */
  firstTop: string;
  secondTop: string;
}

/** What outcomes are counted by. */
export interface OutcomeOptions {
  k: number;
  /** Examples of each kind. */
  examples: number;
  by: RankField;
  /** What people read in the place of an id. */
  titleOf(id: number): string;
}

const SHOWN: readonly Outcome[] = ['won', 'lost', 'both failed'];
/** Items of a history that an example has. */
const LATEST = 3;

/** Counts of every pair, and its examples: won and lost ones with the best ranks first, others in their order. */
export function outcomes(
  sides: readonly SideTables[],
  options: OutcomeOptions,
): { counts: OutcomeCounts[]; examples: OutcomeExample[] } {
  const { k, examples, by } = options;
  const of = pairsOf(sides).map(([a, b]) => {
    const found = a.tables[0]!.map((_, i) => outcomeOf(hits(a, i, k, by), hits(b, i, k, by)));
    const count = (outcome: Outcome): number => found.filter((other) => other === outcome).length;
    const counts: OutcomeCounts = {
      ...{ first: a.name, second: b.name, k },
      ...{ won: count('won'), lost: count('lost'), bothHit: count('both hit'), bothFailed: count('both failed') },
    };
    const shown = SHOWN.flatMap((outcome) =>
      [...found.keys()]
        .filter((i) => found[i] === outcome)
        .sort((i, j) => bestRank(a, b, i, by) - bestRank(a, b, j, by) || i - j)
        .slice(0, examples)
        .map((i) => exampleOf(a, b, i, outcome, options)),
    );
    return { counts, shown };
  });
  return { counts: of.map(({ counts }) => counts), examples: of.flatMap(({ shown }) => shown) };
}

/** @example outcomeOf(1, 0) // 'won' */
function outcomeOf(a: number, b: number): Outcome {
  if (a === b) return a > 0 ? 'both hit' : 'both failed';
  return a > b ? 'won' : 'lost';
}

/** Share of a side's runs that hit. */
function hits({ tables }: SideTables, row: number, k: number, by: RankField): number {
  return tables.reduce((sum, table) => sum + GAINS.HR(table[row]![by]!, k), 0) / tables.length;
}

function bestRank(a: SideTables, b: SideTables, row: number, by: RankField): number {
  const ranks = [a, b].flatMap(({ tables }) => tables.map((table) => table[row]![by]! || Infinity));
  return smallest(ranks, Number.MAX_SAFE_INTEGER);
}

function exampleOf(
  a: SideTables,
  b: SideTables,
  row: number,
  outcome: Outcome,
  { by, titleOf }: OutcomeOptions,
): OutcomeExample {
  const [one, other] = [a.tables[0]![row]!, b.tables[0]![row]!];
  const top = ({ items: [first] }: RowEntry): string => (first === undefined ? '' : titleOf(first));
  return {
    ...{ first: a.name, second: b.name, outcome, row, user: one.user },
    target: titleOf(one.target),
    history: one.history.slice(-LATEST).map((id) => titleOf(id)),
    ...{ firstRank: one[by]!, secondRank: other[by]!, firstTop: top(one), secondTop: top(other) },
  };
}
