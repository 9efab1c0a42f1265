/**
 * A selection's rows straight into `NAME.{train,valid,test}.inter`, without an object a row: the bytes of
 * `formatInter(splitRows(buildRows(...)))`, for data sets whose rows would not fit in memory.
 */
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { type Content, writeContent, writeWith } from '../../files/files.js';
import { type Split, SPLITS } from '../dataset.js';
import { INTER_HEADER } from '../inter-file.js';
import type { Selection } from './select.js';

const [TAB, SPACE, NEWLINE, ZERO] = [9, 32, 10, 48];
const ROOM = 1 << 20;
/** Bytes of a name that is kept beside its user's items: one name of a megabyte must not cost every user as much. */
const LONG_NAME = 64;

/**
 * Writes all files under temporary names before the first is renamed.
 *
 * @param paths of the three splits
 * @param others the stage's other files: path, and content when the rows are counted
 * @param timePaths of the times of the rows, by split; of a selection without times none is written
 * @returns rows a split
 */
export function writeSelection(
  selection: Selection,
  paths: Record<Split, string>,
  others: readonly (readonly [path: string, text: (split: Record<Split, number>) => Content])[],
  timePaths: Partial<Record<Split, string>> = {},
): Record<Split, number> {
  const timed = selection.timed ? SPLITS.filter((split) => timePaths[split] !== undefined) : [];
  const files = [
    ...others.map(([path]) => path),
    ...SPLITS.map((split) => paths[split]),
    ...timed.map((split) => timePaths[split]!),
  ];
  return writeTogether(files, (temporaries) => {
    const [train, valid, test, ...times] = temporaries.slice(others.length) as [string, string, string, ...string[]];
    const counts = writeRows(selection, { train, valid, test }, timed, times);
    for (const [i, [, text]] of others.entries()) writeContent(temporaries[i]!, text(counts));
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

/** @param timed splits whose times are written, to `timePaths` @returns rows a split */
function writeRows(
  selection: Selection,
  paths: Record<Split, string>,
  timed: readonly Split[],
  timePaths: readonly string[],
): Record<Split, number> {
  const { userOf, userNames, rules } = selection;
  const { window } = rules;
  const { words, bytes: all, stride, name, longest } = userRecords(selection);
  const outs = SPLITS.map((split) => new Out(paths[split], longest + 11 * (window + 2), `${INTER_HEADER}\n`));
  const times = SPLITS.map((split) => (timed.includes(split) ? new Out(timePaths[timed.indexOf(split)]!, 32) : undefined)); // prettier-ignore
  try {
    const splitOf = splitter(selection);
    for (const { length: count, users, items, times: seconds } of selection.blocks())
      for (let i = 0; i < count; i++) {
        const record = users[i]! * stride;
        const before = words[record]!;
        if (before > 0) {
          const split = splitOf(users[i]!);
          times[split]?.text(`${seconds[i]!}\n`);
          const out = outs[split]!;
          out.room();
          const { bytes } = out;
          let at = out.at;
          const from = 4 * (record + name);
          if (words[record + 1]! < 0) at = userNames.copy(userOf[users[i]!]!, bytes, at);
          else for (let end = from + words[record + 1]!, c = from; c < end; c++) bytes[at++] = all[c]!;
          const length = Math.min(before, window);
          let oldest = before > window ? before % window : 0;
          for (let h = 0; h < length; h++) {
            bytes[at++] = h === 0 ? TAB : SPACE;
            at = writeNumber(words[record + 2 + oldest]!, bytes, at);
            if (++oldest === window) oldest = 0;
          }
          bytes[at++] = TAB;
          at = writeNumber(items[i]!, bytes, at);
          bytes[at++] = NEWLINE;
          out.at = at;
          out.rows++;
        }
        words[record] = before + 1;
        words[record + 2 + (before % window)] = items[i]!;
      }
    for (const out of [...outs, ...times]) out?.flush();
  } finally {
    for (const out of [...outs, ...times]) out?.close();
  }
  return { train: outs[0]!.rows, valid: outs[1]!.rows, test: outs[2]!.rows };
}

/**
 * All that a row needs of its user side by side, since memory is what a row waits for: words 0 interactions so far,
 * 1 bytes of the name (-1 for one that is too long to be kept here), 2 .. window + 1 the last items (a ring), then the
 * name.
 */
function userRecords({ userOf, userNames, rules }: Selection) {
  const longest = userNames.longest(userOf);
  const name = 2 + rules.window;
  const stride = name + Math.ceil(Math.min(longest, LONG_NAME) / 4);
  const words = new Int32Array(userOf.length * stride);
  const bytes = new Uint8Array(words.buffer);
  for (let user = 0; user < userOf.length; user++) {
    const at = 4 * (user * stride + name);
    const short = userNames.length(userOf[user]!) <= LONG_NAME;
    words[user * stride + 1] = short ? userNames.copy(userOf[user]!, bytes, at) - at : -1;
  }
  return { words, bytes, stride, name, longest };
}

/** A whole number's decimal digits at `bytes[at ..]`. @returns where they end */
function writeNumber(value: number, bytes: Uint8Array, at: number): number {
  const end =
    at + (value < 10 ? 1 : value < 100 ? 2 : value < 1000 ? 3 : value < 10_000 ? 4 : value < 100_000 ? 5 : long(value));
  for (let i = end - 1; i >= at; i--) {
    const next = (value / 10) | 0;
    bytes[i] = ZERO + value - 10 * next;
    value = next;
  }
  return end;
}

function long(value: number): number {
  return value < 1e6 ? 6 : value < 1e7 ? 7 : value < 1e8 ? 8 : value < 1e9 ? 9 : 10;
}

/** The split of each row, asked in the order of the rows: `splitRows` one by one. */
function splitter({ length, blocks, userOf, rules }: Selection): (user: number) => number {
  switch (rules.split) {
    case 'chronological': {
      const rows = length - userOf.length; // every interaction of a user but the first
      const [a, b] = [Math.floor((8 * rows) / 10), Math.floor((9 * rows) / 10)];
      let row = 0;
      return () => (row < a ? (row++, 0) : row++ < b ? 1 : 2);
    }
    case 'leave-one-out': {
      const left = new Int32Array(userOf.length).fill(-1);
      for (const { length: n, users } of blocks()) for (let i = 0; i < n; i++) left[users[i]!]!++;
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
  at: number;
  rows = 0;
  private readonly file: number;

  /** @param longest bytes of a row at most */
  constructor(
    path: string,
    private readonly longest: number,
    header = '',
  ) {
    this.file = openSync(path, 'w');
    this.bytes = new Uint8Array(ROOM + longest + header.length);
    this.at = new TextEncoder().encodeInto(header, this.bytes).written;
  }

  /** A short text of ASCII. */
  text(text: string): void {
    this.room();
    for (let i = 0; i < text.length; i++) this.bytes[this.at++] = text.charCodeAt(i);
  }

  /** Makes room for a row. */
  room(): void {
    if (this.at + this.longest > this.bytes.length) this.flush();
  }

  flush(): void {
    writeFileSync(this.file, this.bytes.subarray(0, this.at)); // a descriptor: where the last piece ended
    this.at = 0;
  }

  close(): void {
    closeSync(this.file);
  }
}
