/** Numbers beside the training rows, for weights: a CSV file with a header and a line for each row, in their order. */
import { parseCsv } from '../../data/csv.js';
import { readText } from '../../files/files.js';
import { InputError } from '../../support/errors.js';

/**
 * A function from a column's name to its numbers.
 * @param rows training rows of the data folder
 * @throws InputError for a file with another number of lines; the function for a column that it lacks or a cell that is
 *   no number, by line
 */
export function rowColumns(file: string, rows: number): (name: string) => Float64Array {
  const [header, ...lines] = parseCsv(readText(file), file);
  if (!header) throw new InputError(`${file}: expected a header and a line for each training row, got an empty file`);
  if (lines.length !== rows) {
    throw new InputError(`${file}: expected ${rows} lines below the header, one a training row, got ${lines.length}`);
  }
  return (name) => {
    const place = header.cells.indexOf(name);
    if (place < 0) throw new InputError(`${file}: expected a column ${name}, got ${header.cells.join(', ')}`);
    return Float64Array.from(lines, ({ cells, line }) => {
      const cell = cells[place]?.trim() ?? '';
      const value = cell === '' ? NaN : Number(cell);
      if (Number.isFinite(value)) return value;
      throw new InputError(`${file}:${line}: expected a number in column ${name}, got ${JSON.stringify(cell)}`);
    });
  };
}
