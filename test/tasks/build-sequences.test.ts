/** Sequences from rows against a plain builder: lists that are searched from end to end, and no index. */
import fc from '../fast-check.js';
import { expect, test } from 'vitest';
import type { Row } from '../../lib/data/dataset.js';
import { buildSequences } from '../../lib/data/sequences/build-sequences.js';

interface Cell {
  item: number;
  stated: boolean;
}
type Cells = Cell[];

/** The rules of `build-sequences.ts`, step by step. */
class PlainBuilder {
  sequences: Cells[] = [];
  /** Cells of contexts, and ends as they were; the latest last. */
  private notes: { cells: Cells; cell: Cell }[] = [];
  private ends: { cells: Cells; pair: string }[] = [];

  add({ history, target }: Row): void {
    if (this.state(history, target)) return;
    for (let overlap = history.length; overlap >= 2; overlap--) {
      const pair = `${history[overlap - 2]} ${history[overlap - 1]}`;
      const found = this.ends.findLast(
        ({ cells, pair: end }) => end === pair && endsWith(itemsOf(cells), history.slice(0, overlap)),
      );
      if (found) return this.append(found.cells, history.slice(overlap), target);
    }
    const cells: Cells = [];
    this.sequences.push(cells);
    this.append(cells, history, target);
  }

  finish(): number[][] {
    for (const later of [...this.sequences]) {
      for (let overlap = later.length - 1; overlap >= 2; overlap--) {
        const pair = `${later[overlap - 2]!.item} ${later[overlap - 1]!.item}`;
        const found = this.ends.findLast(
          ({ cells, pair: end }) => end === pair && fits(cells, later, cells.length - overlap),
        );
        if (!found) continue;
        this.merge(found.cells, later, found.cells.length - overlap);
        break;
      }
    }
    for (const later of [...this.sequences]) {
      const offset = ({ cells, cell }: { cells: Cells; cell: Cell }): number => cells.indexOf(cell) - later.length + 1;
      const found = this.notes.findLast(
        (note) => note.cells.includes(note.cell) && fits(note.cells, later, offset(note)),
      );
      if (found) this.merge(found.cells, later, offset(found));
    }
    return this.sequences.map(itemsOf);
  }

  private state(history: readonly number[], target: number): boolean {
    const found = this.notes.findLast(({ cells, cell }) => {
      const before = itemsOf(cells.slice(0, Math.max(0, cells.indexOf(cell))));
      const common = Math.min(before.length, history.length);
      return cell.item === target && common > 0 && endsWith(before, history.slice(-common));
    });
    if (!found) return false;
    this.notes = this.notes.filter((note) => note !== found);
    found.cell.stated = true;
    const before = found.cells.indexOf(found.cell);
    const more = history.slice(0, Math.max(0, history.length - before));
    found.cells.unshift(...more.map((item) => ({ item, stated: false })));
    if (more.length > 0) this.note(found.cells, found.cells.slice(1, more.length + 1));
    return true;
  }

  private append(cells: Cells, context: readonly number[], target: number): void {
    const first = cells.length;
    cells.push(...context.map((item) => ({ item, stated: false })), { item: target, stated: true });
    this.note(cells, cells.slice(Math.max(1, first), -1));
    this.end(cells);
  }

  private note(cells: Cells, some: Cells): void {
    for (const cell of some) if (!cell.stated) this.notes.push({ cells, cell });
  }

  private end(cells: Cells): void {
    this.ends.push({ cells, pair: `${cells.at(-2)!.item} ${cells.at(-1)!.item}` });
  }

  private merge(cells: Cells, later: Cells, offset: number): void {
    const { length } = cells;
    later.forEach(({ item, stated }, i) => {
      const cell = (cells[offset + i] ??= { item, stated: false });
      cell.stated ||= stated;
    });
    this.note(cells, cells.slice(length));
    this.end(cells);
    this.sequences = this.sequences.filter((other) => other !== later);
    later.length = 0;
  }
}

const itemsOf = (cells: Cells): number[] => cells.map(({ item }) => item);

function endsWith(items: readonly number[], end: readonly number[]): boolean {
  return end.length <= items.length && end.every((item, i) => items[items.length - end.length + i] === item);
}

function fits(cells: Cells, later: Cells, offset: number): boolean {
  if (cells === later || offset < 0) return false;
  const common = cells.slice(offset, offset + later.length);
  const agree = common.every(({ item, stated }, i) => item === later[i]!.item && !(stated && later[i]!.stated));
  return agree && common.length >= 2;
}

function plainSequences(rows: readonly Row[]): number[][] {
  const builder = new PlainBuilder();
  for (const row of [...rows].sort((a, b) => b.history.length - a.history.length)) builder.add(row);
  return builder.finish();
}

/** Rows of few items, so that the same ones meet again and again. */
const rowsOf = (items: number, longest: number): fc.Arbitrary<Row[]> =>
  fc.array(
    fc.record({
      user: fc.constant('u'),
      history: fc.array(fc.nat(items - 1), { minLength: 1, maxLength: longest }),
      target: fc.nat(items - 1),
    }),
    { minLength: 1, maxLength: 14 },
  );

test.each([
  [2, 4],
  [3, 6],
  [6, 8],
])('any rows of %i items, histories of at most %i', (items, longest) => {
  fc.assert(
    fc.property(rowsOf(items, longest), (rows) => {
      expect(buildSequences(rows)).toEqual(plainSequences(rows));
    }),
    { numRuns: 1000 },
  );
});

test('windows of one sequence, some left out, some twice, in any order', () => {
  const windows = fc
    .tuple(fc.array(fc.nat(5), { minLength: 3, maxLength: 16 }), fc.integer({ min: 1, max: 5 }))
    .chain(([items, size]) =>
      fc.array(
        fc.integer({ min: 1, max: items.length - 1 }).map((i): Row => {
          return { user: 'u', history: items.slice(Math.max(0, i - size), i), target: items[i]! };
        }),
        { minLength: 1, maxLength: 20 },
      ),
    );
  fc.assert(
    fc.property(windows, (rows) => {
      expect(buildSequences(rows)).toEqual(plainSequences(rows));
    }),
    { numRuns: 1000 },
  );
});

test.each([
  [31, 32],
  [32, 34],
])('a sequence behind %i others of the same end: %i sequences', (others, sequences) => {
  const row = (history: number[], target: number): Row => ({ user: 'u', history, target });
  const same = Array.from({ length: others }, () => row([7, 6, 8, 1], 2));
  // the sequence that the last row continues is the first of those that end with 1 2; 32 of them are looked at
  expect(buildSequences([row([7, 6, 9, 1], 2), ...same, row([9, 1, 2], 5)])).toHaveLength(sequences);
});
