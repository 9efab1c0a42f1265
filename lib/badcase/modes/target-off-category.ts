/** Category mismatch of the target: its category is neither among those of the history nor among those of the list. */
import { defineDetector } from '../detector.js';
import { tellingCategories } from './category.js';

/** @example a history and a list of books, and the user buys a garden tool */
export const TARGET_OFF_CATEGORY = defineDetector({
  name: 'target off category',
  help: 'the true item is of a category that neither the history nor the first items have',
  kind: 'symptom',
  needs: ['texts'],
  detect({ texts, topK }) {
    const category = tellingCategories(texts);
    return ({ history, items, target }) => {
      const own = category[target]!;
      return own !== '' && ![...history, ...items.slice(0, topK)].some((item) => category[item] === own);
    };
  },
});
