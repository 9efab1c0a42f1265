/**
 * A selection's rows straight into `NAME.{train,valid,test}.inter`, without an object a row: the bytes of
 * `formatInter(splitRows(buildRows(...)))`, for shops whose rows would not fit in memory.
 */
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { writeWith } from '../support/index.js';
import { SPLITS, type Split } from './dataset.js';
import { INTER_HEADER } from './inter-file.js';
import type { Selection } from './select.js';

const [TAB, SPACE, NEWLINE, ZERO] = [9, 32, 10, 48];
const ROOM = 1 << 20;

/**
 * Writes all files under temporary names before the first is renamed.
 *
 * @param paths of the three splits
 * @param others the stage's other files: path, and content when the rows are counted
 * @returns rows a split
 */
export function writeSelection(
  selection: Selection,
  paths: Record<Split, string>,
  others: readonly (readonly [path: string, text: (split: Record<Split, number>) => string])[],
): Record<Split, number> {
  const files = [...others.map(([path]) => path), ...SPLITS.map((split) => paths[split])];
  return writeTogether(files, (temporaries) => {
    const [train, valid, test] = temporaries.slice(others.length) as [string, string, string];
    const counts = writeRows(selection, { train, valid, test });
    for (const [i, [, text]] of others.entries()) writeFileSync(temporaries[i]!, text(counts));
    return counts;
  });
}

/** Each file is opened inside the callback of the one before, so that every rename comes after the last write. */
function writeTogether<T>(paths: readonly string[], write: (temporaries: string[]) => T): T {
  const [path, ...rest] = paths;
  if (path === undefined) return write([]);
  let result: T[] = [];
  writeWith(path, (temporary) => {
    writeFileSync(temporary, '');
    result = [writeTogether(rest, (others) => write([temporary, ...others]))];
  });
  return result[0]!;
}

/** @returns rows a split */
function writeRows(selection: Selection, paths: Record<Split, string>): Record<Split, number> {
  const { users, items, userOf, userNames, rules } = selection;
  const longest = userNames.longest() + 12 * (rules.window + 2);
  const outs = SPLITS.map((split) => new Out(paths[split], longest));
  try {
    const splitOf = splitter(selection);
    const history = new Int32Array(userOf.length * rules.window); // a ring a user
    const seen = new Int32Array(userOf.length);
    for (let i = 0; i < users.length; i++) {
      const user = users[i]!;
      const before = seen[user]!++;
      const ring = user * rules.window;
      if (before > 0) {
        const out = outs[splitOf(user)]!;
        out.room();
        out.at = userNames.copy(userOf[user]!, out.bytes, out.at);
        out.byte(TAB);
        for (let h = Math.max(0, before - rules.window); h < before; h++) {
          out.number(history[ring + (h % rules.window)]!);
          out.byte(SPACE);
        }
        out.bytes[out.at - 1] = TAB; // in place of the last space
        out.number(items[i]!);
        out.byte(NEWLINE);
        out.rows++;
      }
      history[ring + (before % rules.window)] = items[i]!;
    }
    for (const out of outs) out.flush();
  } finally {
    for (const out of outs) out.close();
  }
  return { train: outs[0]!.rows, valid: outs[1]!.rows, test: outs[2]!.rows };
}

/** The split of each row, asked in the order of the rows: `splitRows` one by one. */
function splitter({ users, userOf, rules }: Selection): (user: number) => number {
  switch (rules.split) {
    case 'chronological': {
      const rows = users.length - userOf.length; // every interaction of a user but the first
      const [a, b] = [Math.floor((8 * rows) / 10), Math.floor((9 * rows) / 10)];
      let row = 0;
      return () => (row < a ? (row++, 0) : row++ < b ? 1 : 2);
    }
    case 'leave-one-out': {
      const left = new Int32Array(userOf.length).fill(-1);
      for (let i = 0; i < users.length; i++) left[users[i]!]!++;
      return (user) => {
        const after = --left[user]!;
        return after === 0 ? 2 : after === 1 ? 1 : 0;
      };
    }
    default:
      throw rules.split satisfies never;
  }
}

/** A file that is written in pieces. */
class Out {
  bytes: Uint8Array;
  at = 0;
  rows = 0;
  private readonly file: number;

  /** @param longest bytes of a row at most */
  constructor(
    path: string,
    private readonly longest: number,
  ) {
    this.file = openSync(path, 'w');
    this.bytes = new Uint8Array(ROOM + longest + INTER_HEADER.length + 1);
    this.at = new TextEncoder().encodeInto(`${INTER_HEADER}\n`, this.bytes).written;
  }

  /** Makes room for a row. */
  room(): void {
    if (this.at + this.longest > this.bytes.length) this.flush();
  }

  byte(value: number): void {
    this.bytes[this.at++] = value;
  }

  number(value: number): void {
    let digits = 1;
    for (let power = 10; power <= value; power *= 10) digits++;
    const end = this.at + digits;
    for (let i = end - 1; i >= this.at; i--) {
      const next = (value / 10) | 0;
      this.bytes[i] = ZERO + value - 10 * next;
      value = next;
    }
    this.at = end;
  }

  flush(): void {
    for (let from = 0; from < this.at;) from += writeSync(this.file, this.bytes, from, this.at - from);
    this.at = 0;
  }

  close(): void {
    closeSync(this.file);
  }
}
