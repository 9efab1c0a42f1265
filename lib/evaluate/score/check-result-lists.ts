/** Whether lists are rankings of a catalogue: metrics of anything else are numbers without a meaning. */
import { InputError } from '../../support/errors.js';
import type { Result } from '../results-file.js';

const LARGE = 1 << 24;

/**
 * @param items in the catalogue; default not known, and ids may be of any size
 * @throws InputError for the first row with an item twice, scores that rise or are not finite, an id that is no item
 */
export function checkResultLists(file: string, results: readonly Result[], items = Infinity): void {
  const largest = largestId(results);
  /** Item -> the last row that lists it; ids too large for an array are looked up in the list itself. */
  const seenIn = new Int32Array(largest < LARGE ? largest + 1 : 0).fill(-1);
  const isItem = (id: number): boolean => Number.isSafeInteger(id) && id >= 0 && id < items;
  results.forEach(({ target, items: list, scores }, row) => {
    const wrong = (what: string, mend: string): InputError =>
      new InputError(`${file}: row ${row + 1}: ${what}; ${mend}`);
    const catalogue = items === Infinity ? 'an item id' : `an item id from 0 to ${items - 1}`;
    const other = 'it may be of another catalogue: check --data';
    if (!isItem(target)) throw wrong(`expected the target to be ${catalogue}, got ${target}`, other);
    for (let i = 0; i < list.length; i++) {
      const id = list[i]!;
      if (!isItem(id)) throw wrong(`expected ${catalogue} at rank ${i + 1}, got ${id}`, other);
      if (seenIn.length > 0 ? seenIn[id] === row : list.indexOf(id) < i)
        throw wrong(`item ${id} is listed twice, again at rank ${i + 1}`, 'rank again');
      if (seenIn.length > 0) seenIn[id] = row;
      if (!Number.isFinite(scores[i]))
        throw wrong(`score ${i + 1} is ${scores[i]}`, 'rank again with a model of finite scores');
      if (i > 0 && scores[i]! > scores[i - 1]!) {
        throw wrong(
          `expected scores to fall, got ${scores[i]} after ${scores[i - 1]} at rank ${i + 1}`,
          'sort the list',
        );
      }
    }
  });
}

function largestId(results: readonly Result[]): number {
  let largest = 0;
  for (const { items } of results) for (const id of items) if (id > largest) largest = id;
  return Number.isFinite(largest) ? Math.ceil(largest) : LARGE;
}
