/** What an evaluation keeps of a row. */

/** A row, and the items that were recommended for it: a line of `results.jsonl`. */
export interface Result {
  /** Name of the user. */
  user: string;
  /** Item ids, oldest first. */
  history: number[];
  /** Item id. */
  target: number;
  /** Item ids, best first. */
  items: number[];
  /** One an item, falling. */
  scores: number[];
  /** Log-probability of each of the target's tokens, in nats, found or not; none for a target that is no item. */
  targetLogProbs?: number[];
}
