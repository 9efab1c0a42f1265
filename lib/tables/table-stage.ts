/** The `table` stage: a paper table and data folders -> measured values beside published ones, as files and a figure. */
import { existsSync, realpathSync } from 'node:fs';
import { basename, join } from 'node:path';
import { loadDataset } from '../data/load.js';
import { exportFigure } from '../figures/export-figure.js';
import { writeAtomic, writeJson } from '../files/files.js';
import { InputError } from '../support/errors.js';
import { type FilledTable, fillTable } from './fill-table.js';
import { paperTable, type PaperTable } from './paper-table.js';
import { runMissing } from './run-missing.js';
import { tableFigure } from './table-figure.js';
import { TABLE_OPTIONS, type TableOptions } from './table-options.js';
import { toCsv, toLatex, toMarkdown } from './table-text.js';

/** What the stage wrote. */
export interface TableReport extends FilledTable {
  /** Markdown, CSV, LaTeX, JSON, and the figure of each data set. */
  files: string[];
}

/**
 * @throws InputError for a table or folder that there is none of, folders of no data set of the table or two of one, or
 *   an output that would take the table's own place; nothing is trained or written then
 */
export async function tableStage(options: TableOptions): Promise<TableReport> {
  const { table: asked, data: folders, run, seeds, out = join(folders[0]!, 'tables') } = TABLE_OPTIONS.parse(options);
  const table = paperTable(asked);
  const name = basename(asked, '.json');
  const path = join(out, name);
  refuseOwnFile(asked, `${path}.json`);
  const data = [];
  for (const folder of folders) data.push(await loadDataset(folder));
  checkNames(table, data);
  if (run) await runMissing(table, data, seeds);
  const filled = await fillTable(name, table, data);
  const texts = { md: toMarkdown(filled), csv: toCsv(filled), tex: toLatex(filled) };
  const files = Object.entries(texts).map(([ending, text]) => {
    writeAtomic(`${path}.${ending}`, text);
    return `${path}.${ending}`;
  });
  writeJson(`${path}.json`, filled);
  files.push(`${path}.json`);
  for (const dataset of filled.datasets) {
    const figure = tableFigure(filled, dataset);
    if (figure.data.length > 0) files.push(...(await exportFigure(figure, `${path}-${dataset.dataset.name}`)));
  }
  return { ...filled, files };
}

/** The filled values have the table's name and ending. */
function refuseOwnFile(asked: string, written: string): void {
  const there = [asked, written].every((file) => existsSync(file));
  if (!there || realpathSync.native(asked) !== realpathSync.native(written)) return;
  throw new InputError(`${asked}: expected files in another folder than the table's own, got ${written}; give --out`);
}

function checkNames({ datasets }: PaperTable, data: readonly { name: string; dir: string }[]): void {
  const names = datasets.map(({ name }) => name);
  const unknown = data.find(({ name }) => !names.includes(name));
  if (unknown) {
    throw new InputError(
      `${unknown.dir}: expected the data set to be one of ${names.join(', ')}, got ${unknown.name}; filter with --dataset ${names[0]}`,
    );
  }
  data.forEach(({ name, dir }, i) => {
    const other = data.slice(0, i).find((one) => one.name === name);
    if (!other) return;
    throw new InputError(`${dir}: expected one folder a data set, got ${name} in ${other.dir} too; leave one out`);
  });
}
