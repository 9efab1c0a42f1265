/** A comparison's files: JSON, Markdown and two figures beside each other. */
import { basename } from 'node:path';
import { exportFigure } from '../figures/export-figure.js';
import { type DifferenceRow, differences } from './differences.js';
import type { Figure } from '../figures/figure.js';
import { metricBars } from '../figures/metric-bars.js';
import { escapeText, plainText } from '../figures/text.js';
import { writeAllAtomic, writeJson } from '../files/files.js';
import { comparisonNote, comparisonTables, sideLines, type TitledTable } from './comparison-tables.js';
import type { CompareReport } from './compare-report.js';

/**
 * Writes `NAME.json`, `NAME.md`, and as SVG and PNG `NAME-metrics` and `NAME-differences`.
 * @param out the JSON file
 * @returns the report with the files that were written
 */
export async function writeComparison(report: CompareReport, out: string): Promise<CompareReport> {
  const stem = out.replace(/\.json$/, '');
  const written: string[] = [];
  for (const [name, figure] of Object.entries(comparisonFigures(report))) {
    written.push(...(await exportFigure(figure, `${stem}-${name}`)));
  }
  const text = comparisonMarkdown(report, [`${basename(stem)}-metrics.svg`, `${basename(stem)}-differences.svg`]);
  writeAllAtomic([[`${stem}.md`, text]]);
  const whole = { ...report, files: [out, `${stem}.md`, ...written] };
  writeJson(out, whole);
  return whole;
}

/** Both figures of a comparison. */
export function comparisonFigures(report: CompareReport): { metrics: Figure; differences: Figure } {
  const by = report.item ? 'item' : 'sid';
  const rows = report.sides.map((side) => ({
    model: side.name,
    ...Object.fromEntries(Object.entries(side[by]!).map(([metric, { mean }]) => [metric, mean])),
    intervals: Object.fromEntries(Object.entries(side[by]!).map(([metric, { low, high }]) => [metric, [low, high]])),
  }));
  const usual = Object.keys(report.sides[0]![by]!).filter((metric) => /^(HR|NDCG)@(5|10)$/.test(metric));
  return {
    metrics: metricBars(rows, { ...(usual.length > 0 && { metrics: usual }) }),
    differences: differences(differenceRows(report), {
      title: report.sides.length > 2 ? 'Each pair: the first less the second' : pairTitle(report),
    }),
  };
}

function pairTitle({ sides }: CompareReport): string {
  return `${sides[0]!.name} less ${sides[1]!.name}`;
}

/** Slices that a figure has room for. */
const KINDS = ['popularity', 'history'];

/** NDCG at the length of the slices, of all rows and by slice. */
function differenceRows(report: CompareReport): DifferenceRow[] {
  const { item, sid, slices, sides } = report;
  const all = item ?? sid!;
  const metric = slices.find(({ metric: name }) => name.startsWith('NDCG'))?.metric ?? all.at(-1)!.metric;
  const shown = [
    ...all.filter((row) => row.metric === metric).map((row) => ({ ...row, label: `${metric} of all rows` })),
    ...slices
      .filter((row) => row.metric === metric && KINDS.includes(row.by))
      .map((row) => ({ ...row, label: `${row.by}: ${row.slice} (${row.rows})` })),
  ];
  return shown.map(({ label, first, second, difference, low, high, verdict }) => ({
    ...{ label, difference, low, high, clear: verdict !== 'no difference shown' },
    ...(sides.length > 2 && { series: `${first} less ${second}` }),
  }));
}

/** Titles of items are escaped: the file is safe where Markdown becomes HTML. @param figures to show, seen from the file */
export function comparisonMarkdown(report: CompareReport, figures: readonly string[] = []): string {
  const { sides, rows, notes = [] } = report;
  return [
    `# ${cell(sides.map(({ name }) => name).join(', '))}`,
    ...sideLines(sides).map((line) => `- ${cell(line)}`),
    `${rows} rows; ${comparisonNote(report)}.`,
    ...notes.map(cell),
    ...figures.map((file) => `![${file.replace(/^.*-|\.svg$/g, '')}](<${file}>)`),
    ...comparisonTables(report).map((table) => `## ${cell(table.title)}\n\n${markdownTable(table)}`),
    '',
  ]
    .join('\n\n')
    .replace(/\n\n(?=- )/g, (_, at: number, all: string) => (all.slice(0, at).split('\n').at(-1)!.startsWith('- ') ? '\n' : '\n\n')); // prettier-ignore
}

function markdownTable({ rows }: TitledTable): string {
  const columns = Object.keys(rows[0]!);
  const line = (cells: readonly (string | number | undefined)[]): string => `| ${cells.map(cell).join(' | ')} |`;
  return [
    line(columns),
    `| ${columns.map(() => '---').join(' | ')} |`,
    ...rows.map((row) => line(columns.map((column) => row[column]))),
  ].join('\n');
}

/** What Markdown would read as markup, or as the end of a cell, is escaped. */
function cell(value: string | number | undefined): string {
  if (typeof value === 'number') return Number.isInteger(value) ? String(value) : value.toFixed(4);
  return escapeText(plainText(value ?? '')).replace(/[\\`*_[\]|!#]/g, '\\$&');
}
