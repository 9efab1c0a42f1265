/** Category mismatch of the list: most of the first items are of categories that the history does not have. */
import { number } from '../../options/kinds.js';
import { defineDetector } from '../detector.js';
import { tellingCategories } from './category.js';
import { TELLING_HISTORY } from './telling-history.js';

/** @example a history of books, and nine of the first ten items are garden tools */
export const LIST_OFF_CATEGORY = defineDetector({
  name: 'list off category',
  help: 'most of the first items are of categories that the history does not have',
  advice: 'teach the model what items have in common by tasks on their texts',
  strategies: ['cold_start', 'short_history'],
  needs: ['texts'],
  options: {
    offCategory: number('list off category: more than this share of the first items', {
      default: 0.7,
      min: 0,
      below: 1,
    }),
  },
  detect({ texts, topK, options: { offCategory } }) {
    const category = tellingCategories(texts);
    return ({ history, items }) => {
      if (history.length < TELLING_HISTORY) return false;
      const known = new Set(history.map((item) => category[item]!));
      const first = items.slice(0, topK);
      const off = first.filter((item) => category[item] !== '' && !known.has(category[item]!)).length;
      return !known.has('') && off > offCategory * Math.max(1, first.length);
    };
  },
});
