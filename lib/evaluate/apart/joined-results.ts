/** Results of the data sets of a joined folder put together: users and ids as the joined folder has them. */
import { joinedUser } from '../../data/join/parts.js';
import type { Result } from '../result.js';

/** Results of one data set, with the ids that it had alone. */
export interface PartResults {
  /** Its NAME. */
  name: string;
  /** Id of its first item in the joined folder. */
  firstItem: number;
  results: readonly Result[];
}

/** In the order of the data sets. */
export function joinedResults(parts: readonly PartResults[]): Result[] {
  return parts.flatMap(({ name, firstItem, results }) =>
    results.map((result) => ({
      ...result,
      user: joinedUser(name, result.user),
      history: result.history.map((id) => id + firstItem),
      target: result.target + firstItem,
      items: result.items.map((id) => id + firstItem),
    })),
  );
}

/** Where the results of one data set go, beside those of all. @example partFile('a.jsonl', 'Toys') // 'a-Toys.jsonl' */
export function partFile(results: string, part: string): string {
  return results.replace(/(\.jsonl)?$/, `-${part}.jsonl`);
}
