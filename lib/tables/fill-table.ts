/** A paper table with measured values beside the published ones. */
import type { Dataset } from '../data/dataset.js';
import { asFlag } from '../options/flags.js';
import { findRuns, type Measured, measureRuns } from './find-runs.js';
import type { BaselineRun, PaperDataset, PaperRow, PaperTable, Published } from './paper-table.js';

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
    const rows: FilledRow[] = [];
    for (const row of table.rows) rows.push(await fillRow(row, dataset, own, table.metrics));
    const otherRows = own && differenceOf(dataset, own);
    datasets.push({ dataset, ...(own && { dir: own.dir }), ...(otherRows !== undefined && { otherRows }), rows });
  }
  return { name, table, datasets };
}

async function fillRow(
  row: PaperRow,
  { name }: PaperDataset,
  own: Dataset | undefined,
  metrics: readonly string[],
): Promise<FilledRow> {
  const { model, run } = row;
  const filled = { model, published: row.published[name] ?? {} };
  if (!run || !own) return { ...filled, ...(row.needs !== undefined && { note: needsOf(row, own?.dir) }) };
  const runs = findRuns(own.dir, run);
  const measured = await measureRuns(runs, own, metrics);
  const command = commandOf(run, own.dir);
  if (measured)
    return { ...filled, measured, ...(measured.stale > 0 && { note: `${measured.stale} runs on other rows` }) };
  return { ...filled, note: runs.length > 0 ? `its runs are of other rows; ${command}` : command };
}

/** What a row needs, and the command for a data folder. */
function needsOf({ needs, command }: PaperRow, dir = 'DIR'): string {
  return [`needs ${needs}`, ...(command === undefined ? [] : [command.replaceAll('DIR', dir)])].join(': ');
}

/** The command that makes a row which the kit can run. */
export function commandOf(run: NonNullable<PaperRow['run']>, dir: string): string {
  if ('baseline' in run) return [`sidlab baseline ${run.baseline} --data ${dir}`, ...flagsOf(run)].join(' ');
  return `sidlab ${run.stage} --data ${dir} && sidlab evaluate --data ${dir} --model ${dir}/runs/${run.stage}/model`;
}

/** @example flagsOf({ baseline: 'sasrec', options: { weightDecay: 0.1 } }) // ['--weight-decay 0.1'] */
function flagsOf({ options = {} }: BaselineRun): string[] {
  return Object.entries(options).map(([name, value]) => (value === true ? asFlag(name) : `${asFlag(name)} ${value}`));
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
