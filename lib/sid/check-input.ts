/** What every method asks of its vectors and sizes, checked before anything is computed. */
import { checkFinite } from '../files/finite.js';
import type { Vectors } from '../files/npy.js';
import { InputError } from '../support/errors.js';
import type { LevelOptions } from './method-options.js';

export { checkFinite };

/**
 * @returns codes a level [L]
 * @throws InputError for no items, or sizes out of range
 */
export function codebookSizes(items: number, options: LevelOptions, where: string): number[] {
  const { codebookSize = Math.min(256, Math.max(Math.min(8, items), Math.ceil(items / 8))) } = options;
  const { levels = typeof codebookSize === 'number' ? 3 : codebookSize.length } = options;
  if (items < 1) throw new InputError(`${where}: expected item vectors, got none; embed the items first`);
  if (!Number.isInteger(levels) || levels < 1 || levels > 25) {
    throw new InputError(`sid: expected --levels from 1 to 25 (one letter each, and one for ranks), got ${levels}`);
  }
  const sizes = typeof codebookSize === 'number' ? Array<number>(levels).fill(codebookSize) : [...codebookSize];
  if (sizes.length !== levels) {
    throw new InputError(`sid: expected ${levels} codebook sizes, one a level, got ${sizes.length}`);
  }
  for (const size of sizes) {
    if (!Number.isInteger(size) || size < 1 || size > items) {
      throw new InputError(
        `${where}: expected a codebook size from 1 to ${items}, the number of items, got ${size}; set --codebook-size`,
      );
    }
  }
  return sizes;
}

/**
 * What whatever computes distances asks of rows and centres: native code takes them as they are.
 * @param vectors [N, D]
 * @param width that they must have; default their own
 * @throws InputError for another width, other numbers than rows x width, a number that is not finite
 */
export function checkRows(vectors: Vectors, where: string, width = vectors.width): void {
  if (vectors.width !== width) throw new InputError(`${where}: expected a width of ${width}, got ${vectors.width}`);
  checkFinite(vectors, where);
}
