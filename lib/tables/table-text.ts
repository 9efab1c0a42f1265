/** A filled table as Markdown, CSV and LaTeX. */
import { formatCsv } from '../data/csv.js';
import { intervalText } from '../support/interval-text.js';
import type { FilledDataset, FilledRow, FilledTable } from './fill-table.js';
import type { Published } from './paper-table.js';

/** `0.0999` -> `.0999`, a range -> `.0380 to .0387`. */
export function publishedText(value: Published | undefined): string {
  if (value === undefined) return '';
  return (typeof value === 'number' ? [value] : [...value]).map(digits).join(' to ');
}

function digits(x: number): string {
  return x.toFixed(4).replace(/^0\./, '.');
}

/** Mean and interval, or nothing. */
export function measuredText({ measured }: FilledRow, metric: string): string {
  return measured ? intervalText(measured.mean[metric]!, measured.intervals[metric]!) : '';
}

/** Seeds of the runs, or their number where they have none. */
export function seedsText({ measured }: FilledRow): string {
  if (!measured) return '';
  const seeds = measured.runs.flatMap(({ seed }) => (seed === undefined ? [] : [seed]));
  return seeds.length > 0 ? seeds.join(', ') : '';
}

/** One section a data set; measured values that are not comparable stand in columns that say so. */
export function toMarkdown({ table, datasets }: FilledTable): string {
  const { metrics } = table;
  const head = [`# ${oneLine(table.title)}`, '', `Published values: ${oneLine(table.source)}.`];
  if (table.claim !== undefined) head.push('', `**Claims:** ${oneLine(table.claim)}.`);
  const sections = datasets.flatMap((filled) => {
    const measured = filled.otherRows === undefined ? 'measured' : 'measured, not comparable';
    const columns = ['model', ...metrics.map((m) => `${m} published`), ...metrics.map((m) => `${m} ${measured}`)];
    const lines = filled.rows.map((row) => [
      row.model,
      ...metrics.map((metric) => publishedText(row.published[metric])),
      ...metrics.map((metric) => measuredText(row, metric)),
      ...[seedsText(row), row.note ?? ''],
    ]);
    return [
      '',
      `## ${oneLine(filled.dataset.label)}`,
      '',
      aboutText(filled),
      '',
      ...markdownTable([...columns, 'seeds', 'note'], lines),
    ];
  });
  return [...head, ...sections, ''].join('\n');
}

/** What a section's values are of. */
function aboutText({ dir, otherRows }: FilledDataset): string {
  if (dir === undefined) return 'No data folder was given: published values alone.';
  const of = `Measured on ${oneLine(dir)}: mean over seeds, 95 % bootstrap interval over users`;
  return otherRows === undefined ? `${of}.` : `${of}. Not comparable with the published values: ${otherRows}.`;
}

function markdownTable(columns: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.map(markdownCell).join(' | ')} |`;
  return [line(columns), line(columns.map(() => '---')), ...rows.map(line)];
}

/** A backslash escapes what follows, a bar ends the cell: both are escaped, or one in front of a bar would free it. */
function markdownCell(text: string): string {
  return oneLine(text).replace(/[\\|]/g, '\\$&');
}

/** Line ends as spaces, where one would end a heading, a cell or a comment. */
function oneLine(text: string): string {
  return text.replace(/\s*[\r\n\u2028\u2029]\s*/g, ' ');
}

/** One line a model, data set and metric. */
export function toCsv({ table, datasets }: FilledTable): string {
  const columns = [
    ...['dataset', 'model', 'metric', 'published_low', 'published_high', 'measured', 'interval_low', 'interval_high'],
    ...['seed_least', 'seed_most', 'seeds', 'comparable', 'note'],
  ];
  const records = datasets.flatMap(({ dataset, rows, otherRows }) =>
    rows.flatMap((row) =>
      table.metrics.map((metric) => {
        const value = row.published[metric];
        const ends = value === undefined ? ['', ''] : typeof value === 'number' ? [value, value] : value;
        const { measured: of } = row;
        const numbers = of ? [of.mean[metric]!, ...of.intervals[metric]!, ...of.spread[metric]!] : ['', '', '', '', ''];
        const last = [seedsText(row), of ? String(otherRows === undefined) : '', row.note ?? ''];
        return [dataset.label, row.model, metric, ...ends, ...numbers, ...last].map(String);
      }),
    ),
  );
  return formatCsv([columns, ...records]);
}

/** `tabular` with booktabs' rules, a block a data set; published values in their own columns. */
export function toLatex({ table, datasets }: FilledTable): string {
  const { metrics } = table;
  const columns = `l${'r'.repeat(metrics.length)}${'l'.repeat(metrics.length)}`;
  const group = (name: string): string => `\\multicolumn{${metrics.length}}{c}{${name}}`;
  const blocks = datasets.flatMap((filled) => [
    '\\midrule',
    `\\multicolumn{${1 + 2 * metrics.length}}{l}{\\textit{${latex(filled.dataset.label)}${filled.otherRows === undefined ? '' : ', measured on other rows: not comparable'}}} \\\\`,
    ...filled.rows.map(
      (row) =>
        [
          firstCell(row.model),
          ...metrics.map((metric) => publishedText(row.published[metric]).replace(' to ', '--') || '--'),
          ...metrics.map((metric) => measuredText(row, metric) || '--'),
        ].join(' & ') + ' \\\\',
    ),
  ]);
  return [
    `% ${oneLine(table.title)}`,
    `% published values: ${oneLine(table.source)}`,
    ...(table.claim === undefined ? [] : [`% claims: ${oneLine(table.claim)}`]),
    `\\begin{tabular}{${columns}}`,
    '\\toprule',
    ['', group('published'), group('measured')].join(' & ') + ' \\\\',
    ['model', ...metrics, ...metrics].map(latex).join(' & ') + ' \\\\',
    ...blocks,
    '\\bottomrule',
    '\\end{tabular}',
    '',
  ].join('\n');
}

/** After the `\\` of the line above, `[` would begin a length and `*` be its own. */
function firstCell(text: string): string {
  return `${/^\s*[[*]/.test(text) ? '{}' : ''}${latex(text)}`;
}

function latex(text: string): string {
  return oneLine(text).replace(/[\\&%$#_{}~^]/g, (letter) =>
    letter === '\\' ? '\\textbackslash{}' : letter === '~' || letter === '^' ? `\\${letter}{}` : `\\${letter}`,
  );
}
