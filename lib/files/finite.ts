/**
 * Vectors whose numbers are all finite: a NaN compares as false with everything, so that whatever sorts or counts by
 * distances gives an answer all the same, often the best one.
 */
import { InputError } from '../support/errors.js';
import type { Vectors } from './npy-bytes.js';
import { readNpy } from './npy.js';

/** @throws InputError for numbers that are not rows x width, and naming the first that is not finite */
export function checkFinite({ rows, width, data }: Vectors, where: string, first = 0): void {
  if (data.length !== rows * width) {
    throw new InputError(`${where}: expected ${rows} x ${width} numbers, got ${data.length}`);
  }
  for (let at = 0; at < data.length; at++) {
    if (Number.isFinite(data[at])) continue;
    const [row, column] = [first + Math.floor(at / width), at % width];
    throw new InputError(`${where}: row ${row}, column ${column} is ${data[at]}; embed the items anew`);
  }
}

/**
 * The vectors of a catalogue, row = item id.
 * @param items that there are
 * @param mend what the message advises where there is no file
 * @throws InputError as `readNpy`, for another number of rows, and for a number that is not finite
 */
export function readItemVectors(path: string, items: number, mend: string): Vectors {
  const vectors = readNpy(path, mend);
  if (vectors.rows !== items) {
    throw new InputError(`${path}: expected ${items} rows, one an item, got ${vectors.rows}; embed the same data`);
  }
  checkFinite(vectors, path);
  return vectors;
}
