/** Search error: not the model but the beam search lost the target, which scores above an item that was kept. */
import { searchError } from '../../evaluate/measures/search.js';
import { rowMaker } from '../../evaluate/rows/row-table.js';
import { defineDetector } from '../detector.js';

/** @example a target of -3 nats that is not in a list whose last item has -4 */
export const SEARCH_ERROR = defineDetector({
  name: 'search error',
  help: 'the true item scores above one that the search kept; more beams would find it',
  kind: 'symptom',
  needs: ['targetScores'],
  detect() {
    const entryOf = rowMaker();
    return (row) => searchError(entryOf(row, row.row)) === 1;
  },
});
