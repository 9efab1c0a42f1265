/** The codebooks beside an index, a `NAME.codebook-LETTER.npy` a level [K, D]. */
import { existsSync, rmSync } from 'node:fs';
import { readNpy, type Vectors, writeNpy } from '../../files/npy.js';
import { InputError } from '../../support/errors.js';

/** What an index's name ends in. */
export const INDEX_ENDING = '.index.json';

/** `data/Toys.index.json`, `.sid.json` -> `data/Toys.sid.json` @throws InputError for an index of another ending */
export function besideIndex(index: string, ending: string): string {
  if (!index.endsWith(INDEX_ENDING)) {
    throw new InputError(`sid: expected an index that ends in ${INDEX_ENDING}, got ${index}`);
  }
  return index.slice(0, -INDEX_ENDING.length) + ending;
}

/** 0 -> `.codebook-a.npy` */
export function codebookEnding(level: number): string {
  return `.codebook-${String.fromCharCode(97 + level)}.npy`;
}

/** `data/Toys.index.json`, 0 -> `data/Toys.codebook-a.npy` */
export function codebookFile(index: string, level: number): string {
  return besideIndex(index, codebookEnding(level));
}

/** Letters that a level may have. */
const LEVELS = 26;

/** Writes one file a level, and removes those of levels that an index of the same name had beyond. */
export function writeCodebooks(index: string, codebooks: readonly Vectors[]): string[] {
  const files = codebooks.map((_, level) => codebookFile(index, level));
  codebooks.forEach((codebook, level) => writeNpy(files[level]!, codebook));
  for (let level = codebooks.length; level < LEVELS; level++) rmSync(codebookFile(index, level), { force: true });
  return files;
}

/**
 * @param width of the vectors to be quantized (of a learned method: of their latents); default that of the first level
 * @returns one a level [K, D]
 * @throws InputError for an index of another name, no codebook beside it, one of another width or with a number that
 *   is not finite
 */
export function readCodebooks(index: string, width?: number): Vectors[] {
  const codebooks: Vectors[] = [];
  for (let level = 0; level === 0 || (level < LEVELS && existsSync(codebookFile(index, level))); level++) {
    const file = codebookFile(index, level);
    const codebook = readNpy(file, 'run sidlab sid first');
    const expected = width ?? codebooks[0]?.width ?? codebook.width;
    if (codebook.width !== expected) {
      throw new InputError(
        `${file}: expected a codebook of width ${expected}, got ${codebook.width}; run sidlab sid again, ` +
          'or take the vectors that it was made of',
      );
    }
    if (codebook.rows === 0 || !codebook.data.every(Number.isFinite)) {
      throw new InputError(`${file}: expected codes of finite numbers; run sidlab sid again`);
    }
    codebooks.push(codebook);
  }
  return codebooks;
}
