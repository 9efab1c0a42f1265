/**
 * Recency ignored: the list follows older items. It is compared with two lists of the same model: for the history without
 * its last item, and for the last item alone.
 */
import { number } from '../../options/kinds.js';
import { defineDetector } from '../detector.js';

/** @example nine of ten items are listed without the last purchase too, and none of ten for the last purchase alone */
export const RECENCY_IGNORED = defineDetector({
  name: 'recency ignored',
  help: 'the last item changes the list hardly at all, and alone leads to another one',
  advice: 'weigh recent rows more, say in the prompt which item is the last, or shorten the window',
  strategies: ['recency_bias'],
  needs: ['model'],
  options: {
    recencySame: number('recency ignored: this share of the first items is listed without the last item too', {
      default: 0.8,
      above: 0,
      max: 1,
    }),
    recencyOwn: number('recency ignored: at most this share of them is listed for the last item alone', {
      default: 0.2,
      min: 0,
      below: 1,
    }),
  },
  detect({ results, model, topK, options: { recencySame, recencyOwn } }) {
    const rows = results.flatMap(({ history }, row) => (history.length > 1 ? [row] : []));
    const historyOf = (row: number): number[] => results[row]!.history;
    const without = model.listsFor(rows.map((row) => historyOf(row).slice(0, -1)), topK); // prettier-ignore
    const alone = model.listsFor(rows.map((row) => historyOf(row).slice(-1)), topK); // prettier-ignore
    const ignoring = new Set(
      rows.filter((row, i) => {
        const first = results[row]!.items.slice(0, topK);
        return common(first, without[i]!) >= recencySame && common(first, alone[i]!) <= recencyOwn;
      }),
    );
    return ({ row }) => ignoring.has(row);
  },
});

/** Share of a list that another has too; 0 of none. */
function common(list: readonly number[], other: readonly number[]): number {
  return list.filter((item) => other.includes(item)).length / Math.max(1, list.length);
}
