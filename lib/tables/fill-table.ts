/** A paper table with measured values beside the published ones. */
import type { Dataset } from '../data/dataset.js';
import { findRuns } from './find-runs.js';
import { longestOf, type Measured, measureRuns } from './measure-runs.js';
import type { PaperDataset, PaperRow, PaperTable, Published } from './paper-table.js';
import { commandOf, needsOf } from './row-command.js';
import { sortRuns, type Today, todayOf } from './sort-runs.js';

/** A cell: a model on a data set. */
export interface FilledRow {
  model: string;
  published: Readonly<Record<string, Published>>;
  /** Absent where nothing was measured. */
  measured?: Measured;
  /** What is to be known: what it needs, the command that makes it, results of other rows. */
  note?: string;
}

/** A data set's part of a table. */
export interface FilledDataset {
  dataset: PaperDataset;
  /** Data folder; absent where none was given. */
  dir?: string;
  /** Why measured values are not comparable with the published ones; absent where they are. */
  otherRows?: string;
  rows: readonly FilledRow[];
}

/** A table with what was measured. */
export interface FilledTable {
  name: string;
  table: PaperTable;
  datasets: readonly FilledDataset[];
}

/** @param data folders in memory; one that the table does not know is left out */
export async function fillTable(name: string, table: PaperTable, data: readonly Dataset[]): Promise<FilledTable> {
  const datasets: FilledDataset[] = [];
  for (const dataset of table.datasets) {
    const own = data.find((one) => one.name === dataset.name);
    const today = own && todayOf(own);
    const rows: FilledRow[] = [];
    for (const row of table.rows) rows.push(await fillRow(row, dataset, today, table.metrics));
    const otherRows = own && differenceOf(dataset, own);
    datasets.push({ dataset, ...(own && { dir: own.dir }), ...(otherRows !== undefined && { otherRows }), rows });
  }
  return { name, table, datasets };
}

async function fillRow(
  row: PaperRow,
  { name }: PaperDataset,
  own: Today | undefined,
  metrics: readonly string[],
): Promise<FilledRow> {
  const { model, run } = row;
  const filled = { model, published: row.published[name] ?? {} };
  const dir = own?.dataset.dir;
  if (!run || !own || dir === undefined) {
    return { ...filled, ...(row.needs !== undefined && { note: needsOf(row, dir) }) };
  }
  const longest = longestOf(metrics);
  const found = findRuns(dir, run);
  const sorted = await sortRuns(found, own, 'baseline' in run ? longest : 0);
  const { stale, short } = sorted;
  const measured = measureRuns(sorted, metrics);
  if (measured) {
    const left = [
      ...(stale.length > 0 ? [`${runsText(stale.length)} on other data`] : []),
      ...(short.length > 0 ? [`${runsText(short.length)} with lists shorter than ${longest}`] : []),
    ];
    return { ...filled, measured, ...(left.length > 0 && { note: left.join(', ') }) };
  }
  const command = commandOf(run, dir, { longest, stale: stale.map(({ folder }) => folder) });
  if (short.length > 0) return { ...filled, note: `its lists are shorter than ${longest}; ${command}` };
  return { ...filled, note: stale.length > 0 ? `its runs are of other data; ${command}` : command };
}

function runsText(count: number): string {
  return count === 1 ? '1 run' : `${count} runs`;
}

/** @returns in what the data folder's rows differ from those of the published values */
function differenceOf({ rows, items }: PaperDataset, own: Dataset): string | undefined {
  const counts = { train: own.train.length, valid: own.valid.length, test: own.test.length };
  const other = Object.entries(rows).some(([split, count]) => counts[split as keyof typeof counts] !== count);
  if (!other && (items === undefined || items === own.items.length)) return undefined;
  const said = (of: Partial<typeof counts>): string =>
    Object.values(of)
      .map((n) => n.toLocaleString('en'))
      .join(' / ');
  return `${said(counts)} rows and ${own.items.length.toLocaleString('en')} items here, ${said(rows)} and ${items?.toLocaleString('en') ?? '?'} there`;
}
