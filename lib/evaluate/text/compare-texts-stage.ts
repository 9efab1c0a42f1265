/** `compare-texts`: several models' texts of one task -> one CSV file. */
import { resolve } from 'node:path';
import { spreadsheetCsv } from '../../data/spreadsheet-csv.js';
import { writeAtomic } from '../../files/files.js';
import { InputError } from '../../support/errors.js';
import { COMPARE_TEXTS_OPTIONS, type CompareTextsOptions } from './compare-texts-options.js';
import { type ComparedTexts, compareTexts, type TextComparison } from './compare-texts.js';

/** What was compared, and where it is. */
export interface CompareTextsReport extends Omit<TextComparison, 'columns' | 'rows'> {
  rows: number;
  /** The first five rows. */
  examples: ComparedTexts[];
  /** The CSV file. */
  out: string;
}

/** @throws InputError as `compareTexts`, and where `out` is one of its files: before anything is written */
export async function compareTextsStage(options: CompareTextsOptions): Promise<CompareTextsReport> {
  const { results, out } = COMPARE_TEXTS_OPTIONS.parse(options);
  if (results.some((file) => resolve(file) === resolve(out))) {
    throw new InputError(`${out}: is one of the files that are compared; write the CSV to another`);
  }
  const { columns, rows, ...comparison } = await compareTexts(results);
  writeAtomic(out, spreadsheetCsv(records(columns, rows)));
  return { ...comparison, rows: rows.length, examples: rows.slice(0, 5), out };
}

function* records(columns: readonly string[], rows: readonly ComparedTexts[]) {
  yield columns;
  for (const row of rows) yield columns.map((column) => row[column]!);
}
