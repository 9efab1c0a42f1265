/** Repeats pushed where nobody buys the same thing again: lists without the items of the history. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readInter } from '../../data/inter-file.js';
import { nobodyBuysAgain } from '../../evaluate/score/repeats-warning.js';
import type { Strategy } from '../strategy.js';

/** No option of training changes: the places that are lost go to what comes next. */
export const EXCLUDE_HISTORY: Strategy = {
  name: 'exclude_history',
  help: 'lists without the items of the history, where no training row has such a target',
  modes: ['repeats pushed'],
  async propose({ config: { out, dataset, evaluate = {} } }) {
    if (evaluate.excludeHistory) return 'lists are without the items of the history already';
    const file = join(out, `${dataset}.train.inter`);
    if (!existsSync(file)) return `${file} is not there to say whether anybody buys the same thing again`;
    if (!nobodyBuysAgain(await readInter(file, Infinity))) return 'people buy the same thing again here';
    return {
      changes: { 'evaluate.excludeHistory': true },
      expected:
        'Every place that held an item of the history holds another one; a target is lost only where a user is the first to buy again.',
    };
  },
};
