/**
 * A source that may be one file or several: a file, a folder as Spark, DuckDB and Hadoop write it, or a pattern such as
 * `part-*.json.gz`.
 *
 * As in Spark, names that begin with `_` or `.` (`_SUCCESS`, checksums) are passed over. Departure: files come in the
 * order of their names with numbers by size (`part-2` before `part-10`), folders within folders included, so that the
 * same files are always the same rows.
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { InputError } from '../support/errors.js';

/**
 * @param path of a file, a folder, or a pattern: `*` and `?` in the last name, where no file has that name itself
 * @returns the files, at least one; a path that is nothing is returned as it is, for its reader to name
 * @throws InputError for a folder without files, or a pattern that fits none
 */
export function inputFiles(path: string): string[] {
  if (existsSync(path)) {
    if (!statSync(path).isDirectory()) return [path];
    return some(filesBelow(path), `${path}: expected files in the folder, got none that is not hidden; check the path`);
  }
  const name = basename(path);
  const folder = dirname(path);
  if (!/[*?]/.test(name) || !existsSync(folder)) return [path];
  const pattern = new RegExp(
    `^${name
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  );
  const files = entries(folder).filter((entry) => entry.isFile() && pattern.test(entry.name));
  return some(
    files.map((entry) => join(folder, entry.name)),
    `${path}: expected files of such a name, got none; check the path`,
  );
}

/** Whether a path is a file, a folder with files, or a pattern that fits some. */
export function hasInput(path: string): boolean {
  try {
    return existsSync(inputFiles(path)[0]!);
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}

function some(files: string[], message: string): string[] {
  if (files.length === 0) throw new InputError(message);
  return files;
}

function filesBelow(folder: string): string[] {
  return entries(folder).flatMap((entry) => {
    const path = join(folder, entry.name);
    // a link to nothing is a file that its reader will name
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true ? filesBelow(path) : [path];
  });
}

function entries(folder: string) {
  const shown = readdirSync(folder, { withFileTypes: true }).filter(({ name }) => !/^[._]/.test(name));
  return shown.sort((a, b) => inOrder(a.name, b.name));
}

/** By characters, runs of digits by their size. */
function inOrder(a: string, b: string): number {
  const [one, two] = [a, b].map((name) => name.split(/(\d+)/)) as [string[], string[]];
  for (let i = 0; i < Math.min(one.length, two.length); i++) {
    const [x, y] = [one[i]!, two[i]!];
    const bySize = i % 2 === 1 ? Number(x) - Number(y) : 0;
    if (bySize !== 0) return bySize;
    if (x !== y) return x < y ? -1 : 1;
  }
  return one.length - two.length;
}
