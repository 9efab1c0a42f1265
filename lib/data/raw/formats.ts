/**
 * Formats of raw files, and detecting them by a file's name and first lines.
 *
 * | format | interactions | item texts |
 * |---|---|---|
 * | `amazon-2014`, `amazon-2018` | JSON lines: reviewerID, asin, unixReviewTime, overall | asin, title, description, brand, category or categories; Python's dict lines (2014) too |
 * | `amazon-2023` | JSON lines: user_id, parent_asin, timestamp (ms), rating | parent_asin, title, description, features, store, categories |
 * | `movielens` | `u.data`, `ratings.dat`, `ratings.csv` | `u.item`, `movies.dat`, `movies.csv` |
 * | `recbole` | `.inter`: user_id, item_id, timestamp, rating with types | `.item`: item_id and text columns |
 * | `inter-json` | `NAME.inter.json` (LETTER, LC-Rec): {user: [items in order]}, no times | `NAME.item.json` |
 * | `csv`, `parquet` | any table; comma, tab, semicolon or bar between cells; `columns` says which is which | likewise |
 */
import { type Encoding } from '../../files/encoding.js';
import { inputFiles } from '../../files/input-files.js';
import { readHead } from '../../files/text-blocks.js';
import { InputError } from '../../support/errors.js';
import { RAW_FORMATS, type RawFormat } from './format-names.js';
import { detectDelimiter } from './records.js';

/**
 * The format of interactions, in one file or several. JSON lines that are not Amazon 2023's pass for Amazon 2018's, so that a broken
 * first line is reported by their reader.
 * @param encoding default detected
 * @throws InputError for a missing file, one that is like none of the formats, one that is already split into rows, and
 *   files of several formats
 */
export async function detectReviews(path: string, encoding?: Encoding): Promise<RawFormat> {
  return sharedFormat(path, encoding, reviewsFormat);
}

function reviewsFormat(path: string, { head, line }: Opening): RawFormat {
  if (isParquet(path, head)) return 'parquet';
  if (head.trim() === '' || /^\s*[{[]/.test(head)) return jsonReviews(head, line);
  checkUnsplit(path, line);
  if (isRecbole(line)) return 'recbole';
  if (/^\d+(\t|::)\d+\1[\d.]+\1\d+$/.test(line) || line === 'userId,movieId,rating,timestamp') return 'movielens';
  if (detectDelimiter(line) !== '') return 'csv';
  throw unknown(path, line);
}

/**
 * The format of a file of item texts; the Amazon formats need not be distinguished.
 * @throws as `detectReviews`
 */
export async function detectMetadata(path: string, encoding?: Encoding): Promise<RawFormat> {
  return sharedFormat(path, encoding, metadataFormat);
}

/** The format of all files of a source; of several, an empty one (a part without rows) can be any. */
async function sharedFormat(
  source: string,
  encoding: Encoding | undefined,
  detect: (path: string, opening: Opening) => RawFormat,
): Promise<RawFormat> {
  const files = inputFiles(source);
  let first: { path: string; format: RawFormat } | undefined;
  for (const path of files) {
    const opened = await opening(path, encoding);
    if (files.length > 1 && opened.head.trim() === '') continue;
    const format = detect(path, opened);
    first ??= { path, format };
    if (format === first.format) continue;
    throw new InputError(
      `${path}: expected ${first.format}, as ${first.path} is, got ${format}; put files of one kind alone into ${source}`,
    );
  }
  return first?.format ?? detect(files[0]!, { head: '', line: '' });
}

function metadataFormat(path: string, { head, line }: Opening): RawFormat {
  if (isParquet(path, head)) return 'parquet';
  if (head.trim() === '' || /^\s*[{[]/.test(head)) {
    return /^\s*\{\s*"[^"]*"\s*:\s*\{/.test(head) && !isAmazon(line) ? 'inter-json' : 'amazon-2018';
  }
  if (isRecbole(line)) return 'recbole';
  if (/^\d+::/.test(line) || /^\d+\|.*\|/.test(line) || line === 'movieId,title,genres') return 'movielens';
  if (detectDelimiter(line) !== '') return 'csv';
  throw unknown(path, line);
}

function jsonReviews(head: string, line: string): RawFormat {
  if (!isAmazon(line) && /^\s*\{\s*"[^"]*"\s*:\s*\[/.test(head)) return 'inter-json';
  return /"parent_asin"|"timestamp"/.test(line) && !line.includes('"reviewerID"') ? 'amazon-2023' : 'amazon-2018';
}

/** Whether a line is an object with one of the names that every Amazon line has, not deeper in it. */
function isAmazon(line: string): boolean {
  return topKeys(line).some((key) => /^(reviewerID|user_id|asin|parent_asin)$/.test(key));
}

/** The keys of an object in JSON, not those of objects in it; as far as the text goes. */
function topKeys(text: string): string[] {
  const keys: string[] = [];
  let depth = 0;
  for (const [token] of text.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"\s*:?|[[\]{}]/g)) {
    if (token === '{' || token === '[') depth++;
    else if (token === '}' || token === ']') depth--;
    else if (depth === 1 && token.endsWith(':')) keys.push(token.slice(1, token.lastIndexOf('"')));
  }
  return keys;
}

/** MiniOneRec's rows have histories: the filter would take each target for an interaction. */
function checkUnsplit(path: string, line: string): void {
  if (!/\bitem_id_list\b|\bhistory_item_id\b/.test(line)) return;
  throw new InputError(
    `${path}:1: expected interactions, got rows that are already filtered and split (${line.slice(0, 60)}); skip filter: put NAME.item.json and NAME.{train,valid,test}.inter into one folder and give it to the next stage with --data`,
  );
}

/** How a file begins. */
interface Opening {
  head: string;
  /** The first line. */
  line: string;
}

async function opening(path: string, encoding?: Encoding): Promise<Opening> {
  const head = await readHead(path, encoding);
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
