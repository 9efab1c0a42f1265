/** The `table` stage: a paper table and data folders -> measured values beside published ones, as files and a figure. */
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

/** @throws InputError for a table or folder that there is none of, or folders of no data set of the table */
export async function tableStage(options: TableOptions): Promise<TableReport> {
  const { table: asked, data: folders, run, seeds, out = join(folders[0]!, 'tables') } = TABLE_OPTIONS.parse(options);
  const table = paperTable(asked);
  const data = [];
  for (const folder of folders) data.push(await loadDataset(folder));
  checkNames(table, data);
  if (run) await runMissing(table, data, seeds);
  const name = basename(asked, '.json');
  const filled = await fillTable(name, table, data);
  const path = join(out, name);
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

function checkNames({ datasets }: PaperTable, data: readonly { name: string; dir: string }[]): void {
  const names = datasets.map(({ name }) => name);
  const unknown = data.find(({ name }) => !names.includes(name));
  if (!unknown) return;
  throw new InputError(
    `${unknown.dir}: expected the data set to be one of ${names.join(', ')}, got ${unknown.name}; filter with --dataset ${names[0]}`,
  );
}
