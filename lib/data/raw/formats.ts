/**
 * Formats of raw files, and telling them apart by a file's name and first lines.
 *
 * | format | interactions | item texts |
 * |---|---|---|
 * | `amazon-2014`, `amazon-2018` | JSON lines: reviewerID, asin, unixReviewTime, overall | asin, title, description, brand, category or categories; Python's dict lines (2014) too |
 * | `amazon-2023` | JSON lines: user_id, parent_asin, timestamp (ms), rating | parent_asin, title, description, features, store, categories |
 * | `movielens` | `u.data`, `ratings.dat`, `ratings.csv` | `u.item`, `movies.dat`, `movies.csv` |
 * | `recbole` | `.inter`: user_id, item_id, timestamp, rating with types | `.item`: item_id and text columns |
 * | `inter-json` | `NAME.inter.json` (LETTER, LC-Rec): {user: [items in order]}, no times | `NAME.item.json` |
 * | `csv`, `parquet` | any table with a header; `columns` says which is which | likewise |
 */
import { InputError } from '../../support/errors.js';
import { readHead } from './blocks.js';
import { RAW_FORMATS, type RawFormat } from './format-names.js';

/**
 * The format of a file of interactions. JSON lines that are not Amazon 2023's pass for Amazon 2018's, so that a broken
 * first line is told by the reader of it.
 * @throws InputError for a missing file, or one that is like none of the formats
 */
export async function detectReviews(path: string): Promise<RawFormat> {
  const { head, line } = await opening(path);
  if (isParquet(path, head)) return 'parquet';
  if (/^\s*\{\s*"[^"]*"\s*:\s*\[/.test(head)) return 'inter-json';
  if (head.trim() === '' || /^\s*[{[]/.test(head)) {
    return /"parent_asin"|"timestamp"/.test(line) && !line.includes('"reviewerID"') ? 'amazon-2023' : 'amazon-2018';
  }
  if (isRecbole(line)) return 'recbole';
  if (/^\d+(\t|::)\d+\1[\d.]+\1\d+$/.test(line) || line === 'userId,movieId,rating,timestamp') return 'movielens';
  if (/[,\t]/.test(line)) return 'csv';
  throw unknown(path, line);
}

/** The format of a file of item texts; the Amazon formats need not be told apart. @throws as `detectReviews` */
export async function detectMetadata(path: string): Promise<RawFormat> {
  const { head, line } = await opening(path);
  if (isParquet(path, head)) return 'parquet';
  if (/^\s*\{\s*"[^"]*"\s*:\s*\{/.test(head)) return 'inter-json';
  if (head.trim() === '' || /^\s*[{[]/.test(head)) return 'amazon-2018';
  if (isRecbole(line)) return 'recbole';
  if (/^\d+::/.test(line) || /^\d+\|.*\|/.test(line) || line === 'movieId,title,genres') return 'movielens';
  if (/[,\t]/.test(line)) return 'csv';
  throw unknown(path, line);
}

async function opening(path: string): Promise<{ head: string; line: string }> {
  const head = await readHead(path);
  return { head, line: head.split('\n', 1)[0]!.replace(/\r$/, '') };
}

function isParquet(path: string, head: string): boolean {
  return head.startsWith('PAR1') || path.endsWith('.parquet');
}

function isRecbole(line: string): boolean {
  return line.includes('\t') && line.split('\t').every((name) => /:(token|float|token_seq|float_seq)$/.test(name));
}

function unknown(path: string, line: string): InputError {
  const met = JSON.stringify(line.slice(0, 60));
  return new InputError(`${path}:1: expected one of ${RAW_FORMATS.join(', ')}, got ${met}; name it with --format`);
}
