/** Failure modes compared: of all rows, which fail with a mode on either side, as the sides' bad-case reports say. */
import type { Measure } from '../evaluate/measures/measure.js';
import { GAINS } from '../evaluate/measures/ranking.js';
import type { RowEntry } from '../evaluate/rows/row-table.js';
import type { CompareOptions } from '../evaluate/statistics/compare.js';
import { readJson } from '../files/files.js';
import { InputError } from '../support/errors.js';
import { corrected, pairsOf, type PairComparison, type SideTables } from './paired-tests.js';
import { compareTables } from '../evaluate/statistics/compare.js';

/**
 * A mode of a pair of sides: `a` and `b` are the shares of all rows that fail with the mode, less is better. p is
 * corrected over all pairs and the modes that one of a pair has.
 */
export interface ModeComparison extends PairComparison {
  mode: string;
  /** Rows that fail with the mode on the first side. */
  firstRows: number;
  secondRows: number;
}

/** What a comparison needs of a bad-case report. */
interface Report {
  rows: number;
  topK?: number;
  modes: Record<string, unknown>;
  cases: { row: number; modes: string[] }[];
}

/** Whether a row fails with a mode. */
type Failures = ReadonlyMap<number, readonly string[]>;

const TOP_K = 10;

/**
 * Modes that the reports of both sides have; of several runs a side there are none.
 * @param reports files, one a side
 * @throws InputError for a report of other results
 */
export function compareModes(
  sides: readonly SideTables[],
  reports: readonly string[],
  options: CompareOptions & { alpha: number },
): ModeComparison[] {
  const read = sides.map(({ tables }, i) => readFailures(reports[i]!, tables[0]!));
  const found = pairsOf([...sides.keys()]).flatMap(([i, j]) => {
    const [a, b] = [read[i]!, read[j]!];
    return a.modes
      .filter((mode) => b.modes.includes(mode))
      .map((mode) => {
        const [first, second] = [failing(sides[i]!, a.failures, mode), failing(sides[j]!, b.failures, mode)];
        const marked: Measure = ({ rank }) => rank;
        const [comparison] = compareTables(first, second, { 'fail with the mode': marked }, options);
        return {
          ...{ first: sides[i]!.name, second: sides[j]!.name, mode },
          ...{ firstRows: sum(first), secondRows: sum(second) },
          ...comparison!,
        };
      });
  });
  return correctedWherePresent(found, options.alpha).map((row) => ({ ...row, verdict: lessIsBetter(row.verdict) }));
}

/** A mode that no side has is no question, and is not counted among those that are asked. */
function correctedWherePresent(found: readonly Omit<ModeComparison, 'pHolm'>[], alpha: number): ModeComparison[] {
  const present = corrected(
    found.filter(({ firstRows, secondRows }) => firstRows + secondRows > 0),
    alpha,
  ).values();
  return found.map((row) =>
    row.firstRows + row.secondRows > 0
      ? present.next().value!
      : { ...row, pHolm: 1, verdict: 'no difference shown' as const },
  );
}

function lessIsBetter(verdict: PairComparison['verdict']): PairComparison['verdict'] {
  if (verdict === 'no difference shown') return verdict;
  return verdict === 'better' ? 'worse' : 'better';
}

/** The rows, with 1 in the place of the rank where the row fails with the mode and 0 elsewhere. */
function failing({ tables }: SideTables, failures: Failures, mode: string): RowEntry[] {
  return tables[0]!.map((row, i) => ({ ...row, rank: failures.get(i)?.includes(mode) ? 1 : 0 }));
}

function sum(rows: readonly RowEntry[]): number {
  return rows.reduce((total, { rank }) => total + rank, 0);
}

function readFailures(file: string, table: readonly RowEntry[]): { modes: string[]; failures: Failures } {
  const report = readJson<Partial<Report> | null>(file);
  if (!Array.isArray(report?.cases) || typeof report.modes !== 'object' || typeof report.rows !== 'number') {
    throw new InputError(`${file}: expected what badcase writes; write it again`);
  }
  const { rows, topK = TOP_K, modes, cases } = report as Report;
  const failures = new Map(cases.map(({ row, modes: of }) => [row, of]));
  const other = table.findIndex(({ rank }, row) => GAINS.HR(rank, topK) === (failures.has(row) ? 1 : 0));
  if (rows !== table.length || other >= 0) {
    const where = rows === table.length ? `row ${other}` : `${rows} rows, the results have ${table.length}`;
    throw new InputError(`${file}: of other results than those compared (${where}); run badcase on these results`);
  }
  return { modes: Object.keys(modes), failures };
}
