/** Whether lists are rankings of a catalogue: metrics of anything else are numbers without a meaning. */
import { InputError } from '../../support/errors.js';
import type { Result } from '../results-file.js';

const LARGE = 1 << 24;

/**
 * A function that checks one result of a file after the other.
 * @param items in the catalogue; default not known, and ids may be of any size
 * @returns it throws an InputError for an item that is listed twice, scores that rise or are not finite, an id that is
 *   no item
 */
export function listChecker(file: string, items = Infinity): (result: Result) => void {
  /** Item -> the last row that lists it; ids too large for an array are looked up in the list itself. */
  let seenIn = new Int32Array(1 << 10);
  let row = 0;
  const wrong = (what: string, mend: string): InputError => new InputError(`${file}: row ${row}: ${what}; ${mend}`);
  const isItem = (id: number): boolean => Number.isSafeInteger(id) && id >= 0 && id < items;
  const noItem = (where: string, id: number): InputError => {
    const catalogue = items === Infinity ? 'an item id' : `an item id from 0 to ${items - 1}`;
    return wrong(
      `expected ${where.replace('ID', catalogue)}, got ${id}`,
      'it may be of another catalogue: check --data',
    );
  };
  return ({ target, history, items: list, scores }) => {
    row++;
    if (!isItem(target)) throw noItem('the target to be ID', target);
    const stranger = history.findIndex((id) => !isItem(id));
    if (stranger >= 0) throw noItem(`ID at place ${stranger + 1} of the history`, history[stranger]!);
    for (let i = 0; i < list.length; i++) {
      const [id, score] = [list[i]!, scores[i]!];
      if (!isItem(id)) throw noItem(`ID at rank ${i + 1}`, id);
      if (id >= seenIn.length && id < LARGE) seenIn = grown(seenIn, id);
      if (id < LARGE ? seenIn[id] === row : list.indexOf(id) < i)
        throw wrong(`item ${id} is listed twice, again at rank ${i + 1}`, 'rank again');
      if (id < LARGE) seenIn[id] = row;
      if (!Number.isFinite(score))
        throw wrong(`score ${i + 1} is ${score}`, 'rank again with a model of finite scores');
      if (i > 0 && score > scores[i - 1]!) {
        throw wrong(`expected scores to fall, got ${score} after ${scores[i - 1]} at rank ${i + 1}`, 'sort the list');
      }
    }
  };
}

function grown(array: Int32Array<ArrayBuffer>, id: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(2 * id + 1);
  larger.set(array);
  return larger;
}
