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
export function* interPieces({
  users,
  items,
  userOf,
}: Pick<Selection, 'users' | 'items' | 'userOf'>): Generator<string> {
  const ends = new Int32Array(userOf.length + 1);
  for (let i = 0; i < users.length; i++) ends[users[i]! + 1]!++;
  for (let user = 0; user < userOf.length; user++) ends[user + 1]! += ends[user]!;
  const sorted = new Int32Array(items.length);
  const next = ends.slice();
  for (let i = 0; i < users.length; i++) sorted[next[users[i]!]!++] = items[i]!;
  yield '{';
  for (let user = 0; user < userOf.length; user++) {
    const list = Array.from(sorted.subarray(ends[user], ends[user + 1])).join(', ');
    yield `${user === 0 ? '' : ','}\n"${user}": [${list}]`;
  }
  yield '\n}\n';
}
