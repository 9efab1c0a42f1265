/**
 * Results as columns: what is scanned is kept in a few long arrays, which are cheap to fill, to collect and to hand to
 * another thread. Result after result, `values` has the history, the target, the items, their scores and, where a row has
 * them, the log-probabilities of the target's tokens.
 */
import type { Result } from '../result.js';

/** R results, V numbers. */
export interface ResultColumns {
  /** Names [R]. */
  users: string[];
  /** Of each result how many items its history has, how many its list, and how many log-probabilities or -1 [R, 3]. */
  lengths: Int32Array;
  /** [V]. */
  values: Float64Array;
}

/** Bytes of the shortest line: no name, empty lists. */
const SHORTEST = 57;

/** Columns that grow. */
export class ResultColumnsBuilder {
  private users: string[] = [];
  private lengths = new Int32Array(0);
  /** Numbers go to `values[used++]`; `add` makes a result of those since the last one. */
  values = new Float64Array(0);
  used = 0;

  /** Makes room for what so many bytes of lines hold: a number takes at least a digit and what comes behind it. */
  reserve(bytes: number): void {
    this.values = grown(this.values, this.used + Math.ceil(bytes / 2));
    this.lengths = grown(this.lengths, 3 * (this.users.length + Math.ceil(bytes / SHORTEST)));
  }

  /** @param logProbs -1 for none */
  add(user: string, history: number, items: number, logProbs: number): void {
    const at = 3 * this.users.length;
    this.lengths[at] = history;
    this.lengths[at + 1] = items;
    this.lengths[at + 2] = logProbs;
    this.users.push(user);
  }

  /** A result that is there already. */
  push({ user, history, target, items, scores, targetLogProbs }: Result): void {
    const numbers = [...history, target, ...items, ...scores, ...(targetLogProbs ?? [])];
    this.values = grown(this.values, this.used + numbers.length);
    this.lengths = grown(this.lengths, 3 * (this.users.length + 1));
    this.values.set(numbers, this.used);
    this.used += numbers.length;
    this.add(user, history.length, items.length, targetLogProbs?.length ?? -1);
  }

  /** What was added since the last call, in arrays of its own. */
  take(): ResultColumns {
    const { users, lengths, values, used } = this;
    this.users = [];
    this.used = 0;
    return { users, lengths: lengths.slice(0, 3 * users.length), values: values.slice(0, used) };
  }
}

/** The results of columns, one after the other: what is not kept costs next to nothing. */
export function* columnResults({ users, lengths, values }: ResultColumns): Generator<Result> {
  let at = 0;
  const list = (length: number): number[] => {
    const numbers = new Array<number>(length);
    for (let i = 0; i < length; i++) numbers[i] = values[at + i]!;
    at += length;
    return numbers;
  };
  for (let r = 0; r < users.length; r++) {
    const [listed, logProbs] = [lengths[3 * r + 1]!, lengths[3 * r + 2]!];
    const history = list(lengths[3 * r]!);
    const target = values[at++]!;
    const result: Result = { user: users[r]!, history, target, items: list(listed), scores: list(listed) };
    if (logProbs >= 0) result.targetLogProbs = list(logProbs);
    yield result;
  }
}

/** The array, or a copy with room for `length` and as much again. */
function grown<T extends Int32Array | Float64Array>(array: T, length: number): T {
  if (length <= array.length) return array;
  const larger = new (array.constructor as new (length: number) => T)(2 * length);
  larger.set(array);
  return larger;
}
