/**
 * What MiniOneRec's constrained RQ-Kmeans leaves, taken over and written: `codebooks_constrained.npz` (`codebook_0` [K, D]
 * and so on), `codes_constrained.npy` (codes from 0 [N, L], before collisions were resolved) and an index whose tokens
 * count from 1, a rank last where items collide. Tokens of an index are kept as they are, since models know them by these.
 *
 * Shapes: N items, L levels, K codes of a level, D width.
 */
import { basename, dirname, join } from 'node:path';
import {
  indexCodes,
  PLAIN_SPELLING,
  readIndex,
  type SidIndex,
  type SidSpelling,
  tokensOfIndex,
} from '../../data/sid-index.js';
import { readNpy, type Vectors } from '../../files/npy.js';
import { readIntegerNpy, writeIntegerNpy } from '../../files/npy-integers.js';
import { readNpz, writeNpz } from '../../files/npz.js';
import { InputError } from '../../support/errors.js';
import { checkFinite } from '../check-input.js';
import { rankCollisions } from '../collisions/collisions.js';
import { meanSquaredError } from '../quantized.js';
import { INDEX_ENDING } from './codebook-files.js';
import { readSids } from './read-sids.js';
import {
  SID_EXPORT_OPTIONS,
  SID_IMPORT_OPTIONS,
  type SidExportOptions,
  type SidImportOptions,
} from './reference-options.js';
import { writeSids } from './saved-sids.js';

/** What was taken over. */
export interface SidImportReport {
  index: string;
  items: number;
  /** Codes a level [L]. */
  codebookSize: number[];
  /** Of the codes, against the vectors. */
  mse: number;
  /** What code 0 is written as in the index. */
  countFrom: number;
}

/** @throws InputError for files that do not fit one another; nothing is written then */
export function importSids(options: SidImportOptions): SidImportReport {
  const { codebooks: npz, codes: npy, from, countFrom: asked, embeddings, index } = SID_IMPORT_OPTIONS.parse(options);
  if (!index.endsWith(INDEX_ENDING)) throw wrong(`--index to end in ${INDEX_ENDING}`, index);
  const vectors = readNpy(embeddings, 'run sidlab embed first');
  checkFinite(vectors, embeddings);
  const books = readReferenceCodebooks(npz, vectors.width);
  const given = npy === undefined ? undefined : readIntegerNpy(npy);
  if (given) checkCodes(given, vectors.rows, books, npy!, true);
  if (!given && from === undefined) throw wrong('--codes or --from', 'neither');
  const tokens = from === undefined ? undefined : readIndex(from, vectors.rows);
  const spelling = tokens ? spellingOf(tokens, given, books, asked, from!) : PLAIN_SPELLING;
  const codes = tokens ? indexCodes(tokens, spelling.countFrom) : rankCollisions(given!);
  checkCodes(codes, vectors.rows, books, from ?? npy!, false);
  const raw = given ?? codes.map((path) => path.slice(0, books.length));
  const mse = meanSquaredError(vectors, codes, books);
  writeSids(index, 'rqkmeans-constrained', vectors.width, { codes, raw, codebooks: books, mse }, spelling);
  const sizes = books.map((book) => book.rows);
  return { index, items: codes.length, codebookSize: sizes, mse, countFrom: spelling.countFrom };
}

/** `codebook_0`, `codebook_1`, ... of an archive. @param width D @throws InputError */
export function readReferenceCodebooks(path: string, width: number): Vectors[] {
  const all = readNpz(path);
  const books: Vectors[] = [];
  for (let level = 0; all[`codebook_${level}`] !== undefined; level++) books.push(all[`codebook_${level}`]!);
  if (books.length === 0 || books.length !== Object.keys(all).length) {
    throw new InputError(`${path}: expected codebook_0, codebook_1, ..., got ${Object.keys(all).join(', ') || 'none'}`);
  }
  for (const book of books) {
    checkFinite(book, path);
    if (book.width !== width) {
      throw new InputError(`${path}: expected codebooks of width ${width}, as the vectors, got ${book.width}`);
    }
  }
  return books;
}

/** Files that were written. */
export interface SidExportReport {
  codebooks: string;
  codes: string;
}

/** @throws InputError for an index without codebooks among its vectors */
export function exportSids(options: SidExportOptions): SidExportReport {
  const { index, out = dirname(options.index) } = SID_EXPORT_OPTIONS.parse(options);
  const { codes, raw, codebooks, model } = readSids(index);
  if (codebooks.length === 0 || model) {
    const got = model ? 'those of a learned method, among latents' : 'none beside the index';
    throw new InputError(`${index}: expected codebooks among the vectors, got ${got}; export another method's index`);
  }
  const name = basename(index).slice(0, -INDEX_ENDING.length);
  const files = {
    codebooks: join(out, `${name}.codebooks_constrained.npz`),
    codes: join(out, `${name}.codes_constrained.npy`),
  };
  writeNpz(files.codebooks, Object.fromEntries(codebooks.map((book, level) => [`codebook_${level}`, book])));
  writeIntegerNpy(files.codes, raw ?? codes.map((path) => path.slice(0, codebooks.length)));
  return files;
}

/** From where an index counts: what its tokens are beside the codes, what was asked, or what they look like. */
function spellingOf(
  tokens: SidIndex,
  codes: readonly number[][] | undefined,
  books: readonly Vectors[],
  asked: number | undefined,
  path: string,
): SidSpelling {
  const written = indexCodes(tokens);
  const levels = books.length;
  const apart = codes && [0, 1].find((from) => written.every((path, i) => path[0]! - from === codes[i]![0]));
  if (codes && apart === undefined) {
    throw new InputError(`${path}: expected tokens of the codes of --codes, counted from 0 or 1; are they of one run?`);
  }
  if (asked !== undefined && apart !== undefined && asked !== apart) throw wrong(`--count-from ${apart}`, asked);
  const zero = written.some((own) => own.slice(0, levels).includes(0));
  return { tokens: tokensOfIndex(tokens), countFrom: apart ?? asked ?? (zero ? 0 : 1) };
}

/** @param raw whether they are codes alone, or may have a rank last */
function checkCodes(
  codes: readonly number[][],
  items: number,
  books: readonly Vectors[],
  path: string,
  raw: boolean,
): void {
  if (codes.length !== items)
    throw new InputError(`${path}: expected ${items} items, as the vectors, got ${codes.length}`);
  codes.forEach((own, item) => {
    const long = own.length === books.length || (!raw && own.length === books.length + 1);
    if (long && books.every((book, level) => own[level]! >= 0 && own[level]! < book.rows)) return;
    throw new InputError(
      `${path}: item ${item}: expected ${books.length} codes of ${books.map((book) => book.rows).join(' x ')}, got ` +
        `${own.join(' ')}; are the codebooks of the same run? --count-from says what code 0 is written as`,
    );
  });
}

function wrong(expected: string, got: unknown): InputError {
  return new InputError(`sid import: expected ${expected}, got ${String(got)}`);
}
