/**
 * History that does not fit: by what training saw bought together, the target is no likelier given this history than given
 * another row's. The likelihood is counted, not the model's: a model's own is low wherever it fails, whatever the cause.
 *
 * People buy what does not fit all the time; a share of such rows beyond what the mode's bound allows points at histories
 * that were mixed up (by a join, a shuffled file, shared accounts).
 */
import type { Row } from '../../data/dataset.js';
import { integer, number } from '../../options/kinds.js';
import { Random } from '../../support/random.js';
import { defineDetector } from '../detector.js';

/** Other histories that a row is compared with. */
const OTHERS = 25;

/** @example a target that training never saw beside an item of this history, but beside those of other histories */
export const HISTORY_DOES_NOT_FIT = defineDetector({
  name: 'history does not fit',
  help: "by what is bought together, the true item fits most other rows' histories as well as this one",
  advice: 'look at how histories were joined with their users: rows of different users may be mixed up',
  needs: ['rows'],
  options: {
    fitQuantile: number("history does not fit: the target fits this share of other rows' histories as well, or more", {
      default: 0.2,
      above: 0,
      below: 1,
    }),
    fitRows: number('history does not fit: fewer rows than this share are what people do; then none is of the mode', {
      default: 0.4,
      min: 0,
      below: 1,
    }),
    fitItems: integer('history does not fit: a shorter history, or a target of fewer training rows, cannot tell', {
      default: 3,
    }),
  },
  detect({ rows, results, counts, options: { fitQuantile, fitRows, fitItems } }) {
    const beside = boughtBeside(rows);
    const fits = (history: readonly number[], target: number): number => {
      let sum = 0;
      for (const item of history) {
        if (item !== target) sum += (beside.get(target)?.get(item) ?? 0) / (counts.items.get(item) ?? 1);
      }
      return sum / history.length;
    };
    const random = new Random('history does not fit');
    const telling = results.flatMap(({ history, target }, row) =>
      history.length >= fitItems && (counts.items.get(target) ?? 0) >= fitItems ? [row] : [],
    );
    const strange = new Set<number>();
    for (const row of telling) {
      const { history, target } = results[row]!;
      const own = fits(history, target);
      let asWell = 0;
      for (let i = 0; i < OTHERS && telling.length > 1; i++) {
        let other = random.pick(telling);
        while (other === row) other = random.pick(telling);
        asWell += Number(fits(results[other]!.history, target) >= own);
      }
      if (asWell >= fitQuantile * OTHERS) strange.add(row);
    }
    if (strange.size <= fitRows * telling.length) return () => false;
    return ({ row }) => strange.has(row);
  },
});

/** Target -> item -> users in whose rows both occur, the item before the target. */
function boughtBeside(rows: readonly Row[]): Map<number, Map<number, number>> {
  const beside = new Map<number, Map<number, number>>();
  for (const { history, target } of rows) {
    const items = beside.get(target) ?? new Map<number, number>();
    for (const item of new Set(history)) items.set(item, (items.get(item) ?? 0) + 1);
    beside.set(target, items);
  }
  return beside;
}
