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
    for (const slice of cut(group, budget)) {
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
export function sliceTokens(slice: GroupSlice): number {
  const { group, from, to, withAnswer } = slice;
  const { prompt, completions, answer } = group;
  const branches = completions.slice(from, to).reduce((sum, { length }) => sum + length - 1, 0);
  const prompts = answersApart(slice) ? 2 : 1;
  return prompts * prompt.length + branches + (withAnswer ? answer!.length - 1 : 0);
}

/** Fine-tuning is of the policy itself: beside completions of another temperature the answer is a tree of its own. */
export function answersApart({
  group: { temperature = 1 },
  withAnswer,
}: Pick<GroupSlice, 'group' | 'withAnswer'>): boolean {
  return withAnswer && temperature !== 1;
}

/** Slices of at least a completion; the answer is with the last of them. */
function cut(group: Group, budget: number): GroupSlice[] {
  const end = group.completions.length;
  const slices: GroupSlice[] = [];
  for (let from = 0; from < end;) {
    const upTo = (to: number): GroupSlice => ({
      group,
      from,
      to,
      withAnswer: to === end && group.answer !== undefined,
    });
    let to = from + 1;
    while (to < end && sliceTokens(upTo(to + 1)) <= budget) to++;
    slices.push(upTo(to));
    from = to;
  }
  return slices;
}
