/** A comparison as tables of texts: what the command prints, the Markdown file has and a notebook shows. */
import { intervalText } from '../support/interval-text.js';
import type { CompareReport, SideReport } from './compare-report.js';
import type { PairComparison } from './paired-tests.js';

/** A table with its title. */
export interface TitledTable {
  title: string;
  rows: Record<string, string | number>[];
}

/** In the order of interest: the sides, their differences, rows won and lost, slices, modes, examples. */
export function comparisonTables(report: CompareReport): TitledTable[] {
  const { sides, item, sid, outcomes, slices, modes, examples } = report;
  const pairs = sides.length > 2;
  const tables: TitledTable[] = [
    ...(['item', 'sid'] as const).flatMap((by) => (sides[0]![by] ? [sideTable(sides, by)] : [])),
    ...(item ? [{ title: 'Differences by item', rows: item.map((row) => differenceRow(row, pairs)) }] : []),
    ...(sid ? [{ title: 'Differences by SID', rows: sid.map((row) => differenceRow(row, pairs)) }] : []),
    { title: `Rows by whose first ${outcomes[0]!.k} items have the target`, rows: outcomes.map((row) => outcomeRow(row, pairs)) }, // prettier-ignore
    ...kindsOf(slices).map((kind) => ({
      title: `Differences by ${kind}`,
      rows: slices
        .filter(({ by }) => by === kind)
        .map((row) => ({ [kind]: row.slice, rows: row.rows, ...differenceRow(row, pairs) })),
    })),
    ...(modes
      ? [{ title: 'Share of all rows that fail with a mode', rows: modes.map((row) => modeRow(row, pairs)) }]
      : []),
    { title: 'Some rows', rows: examples.map((row) => exampleRow(row, pairs)) },
  ];
  return tables.filter(({ rows }) => rows.length > 0);
}

/** What the brackets and the words mean. */
export function comparisonNote({ level, alpha, sides }: Pick<CompareReport, 'level' | 'alpha' | 'sides'>): string {
  const corrected = sides.length > 2 ? 'the pairs' : 'the slices of a kind, or the modes,';
  return (
    `in brackets: ${level * 100} % bootstrap interval of the metric, or of A - B, the same users in both; p of the ` +
    `sign-flip test over users, corrected after Holm over ${corrected} of a metric; A is better or worse where p < ${alpha}`
  );
}

/** `A: runs/a/results.jsonl` */
export function sideLines(sides: readonly Pick<SideReport, 'name' | 'files'>[]): string[] {
  return sides.map(({ name, files }, i) => {
    const letter = sides.length > 2 ? '' : `${'AB'[i]!}: `;
    return `${letter}${name}${name === files.join(', ') ? '' : ` (${files.join(', ')})`}`;
  });
}

const kindsOf = (slices: readonly { by: string }[]): string[] => [...new Set(slices.map(({ by }) => by))];

function sideTable(sides: readonly SideReport[], by: 'item' | 'sid'): TitledTable {
  const metrics = Object.keys(sides[0]![by]!).filter((metric) => !metric.startsWith('MRR'));
  const rows = sides.map((side) => ({
    side: side.name,
    ...Object.fromEntries(
      metrics.map((metric) => {
        const { mean, low, high } = side[by]![metric]!;
        return [metric, intervalText(mean, [low, high])];
      }),
    ),
  }));
  return { title: by === 'item' ? 'Metrics by item' : 'Metrics by SID', rows };
}

function pairOf({ first, second }: { first: string; second: string }, pairs: boolean): Record<string, string> {
  return pairs ? { A: first, B: second } : {};
}

function differenceRow(row: PairComparison, pairs: boolean): Record<string, string | number> {
  const { metric, a, b, difference, low, high, exact, pHolm, runsP, verdict } = row;
  return {
    ...pairOf(row, pairs),
    metric,
    ...(pairs ? { 'of A': a, 'of B': b } : { A: a, B: b }),
    'A - B': intervalText(difference, [low, high]),
    p: `${exact ? '' : '~'}${pHolm < 0.0001 ? '<.0001' : pHolm.toFixed(4)}`,
    ...(runsP !== undefined && { 'p of runs': runsP.toFixed(4) }),
    verdict,
  };
}

function outcomeRow(row: CompareReport['outcomes'][number], pairs: boolean): Record<string, string | number> {
  const { won, lost, bothHit, bothFailed } = row;
  return { ...pairOf(row, pairs), 'A alone': won, 'B alone': lost, both: bothHit, neither: bothFailed };
}

function modeRow(row: NonNullable<CompareReport['modes']>[number], pairs: boolean): Record<string, string | number> {
  const { metric: _metric, ...difference } = differenceRow(row, pairs);
  return { mode: row.mode, 'rows of A': row.firstRows, 'rows of B': row.secondRows, ...difference };
}

function exampleRow(row: CompareReport['examples'][number], pairs: boolean): Record<string, string | number> {
  const { outcome, target, history, firstRank, secondRank, firstTop, secondTop } = row;
  const words = { won: 'A alone', lost: 'B alone', 'both hit': 'both', 'both failed': 'neither' };
  return {
    ...pairOf(row, pairs),
    row: row.row,
    found: words[outcome],
    ...{ target, 'latest of the history': history.at(-1) ?? '' },
    ...{ 'rank in A': rankText(firstRank), 'rank in B': rankText(secondRank) },
    ...{ 'first of A': firstTop, 'first of B': secondTop },
  };
}

const rankText = (rank: number): string => (rank === 0 ? '-' : String(rank));
