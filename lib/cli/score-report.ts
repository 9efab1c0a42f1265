/** `sidlab score` and `sidlab compare` for people. */
import type { CompareReport } from '../compare/compare-report.js';
import { comparisonNote, comparisonTables, sideLines } from '../compare/comparison-tables.js';
import type { FileScore, ScoreReport } from '../evaluate/score/score-stage.js';
import { intervalText } from '../support/interval-text.js';
import type { Estimate } from '../evaluate/statistics/intervals.js';
import { tableText } from '../figures/show-table.js';
import { record } from './print.js';

/** Tables of each file. */
export function scoreText({ files, level, samples }: ScoreReport): string {
  const note = `in brackets: ${level * 100} % bootstrap interval over users, ${samples} resamples`;
  return [...files.map(fileText), note].join('\n\n');
}

function fileText(score: FileScore): string {
  const { file, rows, users, longest, kind, metrics, baselines = {}, warnings = [], lists, slices, calc } = score;
  const by = kind === 'minionerec' ? 'unnamed users' : `${users} users`;
  const { item, sid } = metrics;
  const names = Object.keys(item ?? sid ?? {});
  const table = names.map((metric) => ({
    metric,
    ...(item && { item: estimateText(item[metric]!) }),
    ...(sid && { SID: estimateText(sid[metric]!) }),
    ...Object.fromEntries(Object.entries(baselines).map(([name, found]) => [name, estimateText(found[metric]!)])),
    ...(calc && { 'calc.py': calc.metrics[metric]?.toFixed(4) ?? '' }),
  }));
  const { invalid } = calc ?? {};
  return [
    [`${file}: ${rows} rows of ${by}`, ...splitText(score), `lists of ${longest}`].join(', '),
    tableText(table),
    ...(warnings.length > 0 ? [warnings.join('\n')] : []),
    ...(invalid === undefined ? [] : [`calc.py: ${invalid} texts up to the hits are no item`]),
    record({ lists }),
    ...Object.entries(slices).map(([name, of]) => `by ${name}\n${tableText(of)}`),
  ].join('\n\n');
}

function splitText({ rows, of }: FileScore): string[] {
  if (!of) return [];
  return [rows < of.rows ? `the first of ${of.rows} of ${of.split}` : `all of ${of.split}`];
}

function estimateText({ mean, low, high }: Estimate): string {
  return intervalText(mean, [low, high]);
}

/** Every table of a comparison, and the files that were written. */
export function compareText(report: CompareReport): string {
  const { sides, rows, notes = [], files } = report;
  return [
    [...sideLines(sides), `${rows} rows`].join('\n'),
    ...comparisonTables(report).map(({ title, rows: of }) => `${title}\n${tableText(of, { width: 36 })}`),
    [comparisonNote(report), ...notes].join('\n'),
    ...(files.length > 0 ? [files.join('\n')] : []),
  ].join('\n\n');
}

/** What another round changed, in a line a metric. */
export function roundLines({ item = [], files }: CompareReport): string[] {
  const lines = item
    .filter(({ metric }) => metric.endsWith('@10'))
    .map(({ first, second, metric, a, b, difference, low, high, verdict }) => {
      const words = { better: 'worse', worse: 'better', 'no difference shown': 'no difference shown' }[verdict];
      return `${metric}: ${first} ${a.toFixed(4)}, ${second} ${b.toFixed(4)}, by ${intervalText(-difference, [-high, -low])}: ${words}`;
    });
  return ['rounds:', ...lines.map((line) => `  ${line}`), ...files.slice(0, 2).map((file) => `  ${file}`)];
}
