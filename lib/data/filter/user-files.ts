/**
 * Two files that MiniOneRec, LC-Rec and GRec have beside the rows: `NAME.user2id` (the source's name, tab, number) and
 * `NAME.inter.json` ({user number: [item ids, oldest first]}), which GRec's training reads in place of the rows. Users
 * are numbered in the order of their first interaction.
 */
import type { Selection } from './select.js';

/** `NAME.user2id`, a line a user. */
export function* userLines({ userOf, userNames }: Pick<Selection, 'userOf' | 'userNames'>): Generator<string> {
  for (let user = 0; user < userOf.length; user++) yield `${userNames.name(userOf[user]!)}\t${user}\n`;
}

/** `NAME.inter.json`, a line a user; all interactions that were kept, whatever the window and the split. */
export function* interPieces(selection: Pick<Selection, 'blocks' | 'userOf'>, atOnce = AT_ONCE): Generator<string> {
  const counts = new Int32Array(selection.userOf.length);
  for (const { length, users } of selection.blocks()) for (let i = 0; i < length; i++) counts[users[i]!]!++;
  yield '{';
  for (let from = 0; from < counts.length;) {
    let to = from;
    for (let held = 0; to < counts.length && (to === from || held + counts[to]! <= atOnce); to++) held += counts[to]!;
    yield* listsOf(selection, counts, from, to);
    from = to;
  }
  yield '\n}\n';
}

/** Interactions whose order by user is made at once: of more, users come in several passes. */
const AT_ONCE = 1 << 25;

/** The lists of the users in `[from, to)`. @param counts interactions of each user */
function* listsOf(
  { blocks }: Pick<Selection, 'blocks'>,
  counts: Int32Array,
  from: number,
  to: number,
): Generator<string> {
  const ends = new Int32Array(to - from + 1);
  for (let user = from; user < to; user++) ends[user - from + 1] = ends[user - from]! + counts[user]!;
  const sorted = new Int32Array(ends[to - from]!);
  const next = ends.slice();
  for (const { length, users, items } of blocks()) {
    for (let i = 0; i < length; i++) {
      const user = users[i]!;
      if (user >= from && user < to) sorted[next[user - from]!++] = items[i]!;
    }
  }
  for (let user = from; user < to; user++) {
    const list = Array.from(sorted.subarray(ends[user - from], ends[user - from + 1])).join(', ');
    yield `${user === 0 ? '' : ','}\n"${user}": [${list}]`;
  }
}
