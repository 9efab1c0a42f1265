/**
 * Groups in parts that fit a token budget. A group whose tokens do not fit is cut between completions, its prompt
 * repeated; the gradient is that of the whole however the batch is cut, since what it is divided by is the batch's.
 */
import type { Group } from './group.js';

/** Some completions of a group. */
export interface GroupSlice {
  group: Group;
  /** First completion, and the one after the last. */
  from: number;
  to: number;
  /** Whether the right answer is in this part. */
  withAnswer: boolean;
}

/**
 * @param budget tokens of a part at most; a completion that is longer with its prompt is a part by itself
 * @returns the slices of each part
 */
export function groupParts(groups: readonly Group[], budget: number): GroupSlice[][] {
  const parts: GroupSlice[][] = [];
  let left = 0;
  for (const group of groups) {
    const whole = { group, from: 0, to: group.completions.length, withAnswer: group.answer !== undefined };
    for (const slice of cut(whole, budget)) {
      const size = sliceTokens(slice);
      if (size > left) {
        parts.push([]);
        left = budget;
      }
      parts.at(-1)!.push(slice);
      left -= size;
    }
  }
  return parts;
}

/** Tokens that go through the model at most: the last of a completion predicts nothing, and beginnings may be shared. */
export function sliceTokens({ group: { prompt, completions, answer }, from, to, withAnswer }: GroupSlice): number {
  const branches = completions.slice(from, to).reduce((sum, { length }) => sum + length - 1, 0);
  return prompt.length + branches + (withAnswer ? answer!.length - 1 : 0);
}

/** Slices of at least a completion; the answer is with the last of them. */
function cut({ group, to: end, withAnswer }: GroupSlice, budget: number): GroupSlice[] {
  const slices: GroupSlice[] = [];
  for (let from = 0; from < end;) {
    let to = from + 1;
    const grown = (): GroupSlice => ({ group, from, to: to + 1, withAnswer: withAnswer && to + 1 === end });
    while (to < end && sliceTokens(grown()) <= budget) to++;
    slices.push({ group, from, to, withAnswer: withAnswer && to === end });
    from = to;
  }
  return slices;
}
