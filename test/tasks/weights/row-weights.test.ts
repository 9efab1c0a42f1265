/** How much each training row counts: the formulas by hand, means of 1, and what is refused. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from '../../fast-check.js';
import { describe, expect, test } from 'vitest';
import type { Row } from '../../../lib/data/dataset.js';
import { exampleWeights, numbersIn, typicalWeights } from '../../../lib/tasks/weights/example-weights.js';
import { loadWeights, weightFiles } from '../../../lib/tasks/weights/load-weights.js';
import { rowColumns } from '../../../lib/tasks/weights/row-columns.js';
import { rowWeights, weightOf, type WeightSources } from '../../../lib/tasks/weights/row-weights.js';
import { sequenceWeights } from '../../../lib/tasks/weights/sequence-weights.js';
import { parseWeights, weightFactors } from '../../../lib/tasks/weights/weight-factors.js';
import { datasetOf } from '../small-dataset.js';

/** A user each, so that a target is counted where it is one, and history 9 once a row. */
const rowsOf = (targets: readonly number[]): Row[] => targets.map((target, i) => ({ user: `u${i}`, history: [9], target })); // prettier-ignore
const weightsOf = (text: string, sources: WeightSources): number[] => {
  const weights = rowWeights(parseWeights(text), sources);
  return sources.rows.map((_, row) => weightOf(weights, sources.rows, row));
};

test.each([
  ['balanced', [{ kind: 'balanced', exponent: 0.5 }]],
  ['balanced:1, recency:30', [{ kind: 'balanced', exponent: 1 }, { kind: 'recency', halfLife: 30, unit: 'days' }]],
  ['recency', [{ kind: 'recency', halfLife: 180, unit: 'days' }]],
  ['recency:25%', [{ kind: 'recency', halfLife: 0.25, unit: 'share' }]],
  ['column:a:b,log1p:votes', [{ kind: 'column', name: 'a:b' }, { kind: 'log1p', name: 'votes' }]],
])('%s', (text, factors) => expect(weightFactors(text)).toEqual(factors)); // prettier-ignore

test.each(['', 'balanced:0', 'balanced:-1', 'balanced:x', 'recency:0', 'recency:%', 'column', 'log1p:', 'age', 3])(
  '%j is none',
  (text) => expect(weightFactors(text)).toBeUndefined(),
);

describe('the formulas', () => {
  const sources = { rows: rowsOf([0, 1, 1, 1, 1]), items: 10 };

  test('balanced: a target that was bought four times counts half of one that was bought once, at exponent 1/2', () => {
    const [rare, often] = weightsOf('balanced:0.5', sources) as [number, number];
    expect(often / rare).toBeCloseTo(1 / 2, 12);
    expect(rare).toBeCloseTo(5 / (1 + 4 / 2), 12);
  });

  test('balanced:1: every item counts alike, whatever it was bought', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 8 }), { minLength: 1, maxLength: 40 }), (targets) => {
        const rows = rowsOf(targets);
        const weights = weightsOf('balanced:1', { rows, items: 10 });
        const ofItem = new Map<number, number>();
        weights.forEach((weight, i) => ofItem.set(targets[i]!, (ofItem.get(targets[i]!) ?? 0) + weight));
        for (const sum of ofItem.values()) expect(sum).toBeCloseTo(targets.length / ofItem.size, 9);
      }),
    );
  });

  test('a first history counts as bought, as the popularity baseline counts', () => {
    const rows = [{ user: 'a', history: [1, 1, 1], target: 0 }, { user: 'a', history: [1, 1, 1, 0], target: 1 }]; // prettier-ignore
    const [of0, of1] = weightsOf('balanced:1', { rows, items: 2 }) as [number, number];
    expect(of0 / of1).toBeCloseTo(4, 12);
  });

  test('recency: half for each half-life before the latest row, in days or as a share of the rows', () => {
    const day = 86_400_000;
    const times = [0, 10 * day, 30 * day, 20 * day, 40 * day];
    const byDays = weightsOf('recency:10', { ...sources, times });
    expect(byDays.map((weight) => weight / byDays[4]!)).toEqual([1 / 16, 1 / 8, 1 / 2, 1 / 4, 1]);
    const byRows = weightsOf('recency:20%', sources);
    byRows.forEach((weight, i) => expect(weight / byRows[4]!).toBeCloseTo(2 ** (i - 4), 12));
  });

  test('recency as a share of the rows, of a joined folder: each data set has a latest row of its own', () => {
    const byRows = weightsOf('recency:50%', { ...sources, parts: [2, 3] });
    const expected = [2 ** -1, 1, 2 ** (-4 / 3), 2 ** (-2 / 3), 1];
    byRows.forEach((weight, i) => expect(weight / byRows[1]!).toBeCloseTo(expected[i]!, 12));
    const rows = rowsOf([0, 1, 1, 1, 1]);
    const part = (train: number) => ({ name: 'p', items: 5, rows: { train, valid: 0, test: 0 }, sources: {} });
    const joined = { ...datasetOf(10, 1), train: rows, parts: [part(2), part(3)] };
    const { ofRow } = loadWeights(joined, { rowWeights: 'recency:50%' })!;
    [...ofRow].forEach((weight, i) => expect(weight / ofRow[1]!).toBeCloseTo(expected[i]!, 12));
  });

  test('recency that halves many times between two rows leaves the latest alone', () => {
    const rows = rowsOf([0, 1]);
    expect(weightsOf('recency:0.01%', { rows, items: 10 })).toEqual([0, 2]);
    const times = [40 * 86_400_000, 0];
    expect(weightsOf('recency:0.01', { rows, items: 10, times })).toEqual([2, 0]);
  });

  test('an item that nobody bought counts as one that was bought once; of no rows there are no weights', () => {
    const { ofItem } = rowWeights(parseWeights('balanced:1'), sources);
    expect([ofItem[0], ofItem[1], ofItem[2]]).toEqual([1, 1 / 4, 1]);
    expect(rowWeights(parseWeights('balanced:1'), { rows: [], items: 2 })).toEqual({
      ofItem: Float64Array.of(1, 1),
      ofRow: new Float64Array(),
    });
  });

  test('columns as they are, and log(1 + x); factors are multiplied', () => {
    const columns: Record<string, number[]> = { a: [1, 2, 3, 0, 4], b: [0, 1, 3, 7, 15] };
    const column = (name: string): number[] => columns[name]!;
    expect(weightsOf('column:a', { ...sources, column })).toEqual([0.5, 1, 1.5, 0, 2]);
    const logs = weightsOf('log1p:b', { ...sources, column });
    expect(logs.map((weight) => weight / logs[1]!)).toEqual(
      [0, 1, 2, 3, 4].map((n) => expect.closeTo(n, 12) as number),
    );
    const both = weightsOf('column:a,balanced:0.5', { ...sources, column });
    expect(both[1]! / both[0]!).toBeCloseTo(1, 12); // 2 * 1/2 beside 1 * 1
  });

  test('the mean over the rows is 1, whatever the factors', () => {
    const source = fc.array(fc.tuple(fc.integer({ min: 0, max: 8 }), fc.double({ min: 0.01, max: 100, noNaN: true })), {
      minLength: 1,
    });
    fc.assert(
      fc.property(source, fc.double({ min: 0.1, max: 3, noNaN: true }), (of, exponent) => {
        const rows = rowsOf(of.map(([target]) => target));
        const column = (): number[] => of.map(([, value]) => value);
        const text = `balanced:${exponent.toFixed(3)},column:x,recency:50%`;
        const weights = weightsOf(text, { rows, items: 10, column });
        expect(weights.reduce((a, b) => a + b, 0) / rows.length).toBeCloseTo(1, 9);
      }),
    );
  });
});

describe('refused', () => {
  const sources = { rows: rowsOf([0, 1]), items: 10 };
  const column = (values: number[]) => ({ ...sources, column: () => values });
  test.each([
    ['recency', sources, /NAME.train.times.*filter again.*25%/],
    ['column:x', sources, /column:x: expected --row-columns/],
    ['column:x', column([1, -1]), /column:x: expected a weight of 0 or more for training row 2, got -1/],
    ['log1p:x', column([-2, 1]), /log1p:x: expected .* row 1, got NaN/],
    ['column:x', column([0, 0]), /expected a row with a weight above 0/],
    ['column:x', { ...column([0]), rows: rowsOf([0]) }, /expected a row with a weight above 0/],
  ])('%s', (text, given, message) => {
    expect(() => rowWeights(parseWeights(text), given)).toThrow(message);
  });
});

describe('a file of columns', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'sidlab-columns-')), 'x.csv');
  const read = (text: string, rows = 2) => {
    writeFileSync(file, text);
    return rowColumns(file, rows);
  };
  test('by name, in the order of the rows', () => {
    expect([...read('stars,votes\n5,1\n"4",2e1\n')('votes')]).toEqual([1, 20]);
    expect([...read('stars,votes\n5,1\n"4",2e1\n')('stars')]).toEqual([5, 4]);
  });
  test.each([
    ['', /expected a header/],
    ['a\n1\n', /expected 2 lines below the header.*got 1/],
    ['b\n1\n2\n', /expected a column a, got b/],
    ['a\n1\nx\n', /x\.csv:3: expected a number in column a, got "x"/],
    ['a,b\n1,2\n,2\n', /x\.csv:3: expected a number in column a, got ""/],
    ['b,a\n1,2\n3\n', /x\.csv:3: expected a number in column a, got ""/],
  ])('%j', (text, message) => expect(() => read(text)('a')).toThrow(message));
});

test('of a data folder: times and columns are read where a factor asks for them', () => {
  const dir = mkdtempSync(join(tmpdir(), 'sidlab-weights-'));
  const dataset = { ...datasetOf(4, 3), dir };
  expect(loadWeights(dataset, {})).toBeUndefined();
  writeFileSync(join(dir, 'x.train.times'), '0\n86400\n172800\n');
  writeFileSync(join(dir, 'c.csv'), 'w\n1\n2\n3\n');
  const timed = loadWeights(dataset, { rowWeights: 'recency:1' })!;
  expect(timed.ofRow[2]! / timed.ofRow[0]!).toBeCloseTo(4, 12);
  const columned = loadWeights(dataset, { rowWeights: 'column:w', rowColumns: join(dir, 'c.csv') })!;
  expect([...columned.ofRow]).toEqual([0.5, 1, 1.5]);
});

test('the files that weights are read from: those that a factor asks for, as far as they are there', () => {
  const dir = mkdtempSync(join(tmpdir(), 'sidlab-weights-'));
  const files = (options: Parameters<typeof weightFiles>[1]) => weightFiles({ dir, name: 'x' }, options);
  const asked = [{}, { rowWeights: 'balanced' }, { rowWeights: 'recency:25%' }, { rowWeights: 'balanced,recency:9' }];
  expect(asked.map(files)).toEqual([{}, {}, {}, {}]);
  const times = join(dir, 'x.train.times');
  writeFileSync(times, '0\n');
  expect(asked.map(files)).toEqual([{}, {}, {}, { times }]);
  expect(files({ rowWeights: 'recency,column:a', rowColumns: 'c.csv' })).toEqual({ columns: 'c.csv', times });
});

describe('weights of what is trained', () => {
  const weights = { ofItem: Float64Array.of(1, 2, 3, 4), ofRow: Float64Array.of(0.5, 2, 3.5) };
  const rows = [row('a', [0, 1, 0], 1), row('b', [1], 2), row('b', [1, 2], 3)];

  test('of a row that was made: its item, and the mean of the rows', () => {
    expect([...typicalWeights(weights)]).toEqual([2, 4, 6, 8]);
    expect([...typicalWeights({ ...weights, ofRow: Float64Array.of(3) })]).toEqual([3, 6, 9, 12]);
    expect([...typicalWeights({ ...weights, ofRow: new Float64Array() })]).toEqual([1, 2, 3, 4]);
    const numbers = numbersIn(rows, [rows[2]!, rows[0]!]);
    expect([...numbers]).toEqual([2, 0]);
    expect([...exampleWeights([rows[2]!, rows[0]!, row('c', [0], 3)], numbers, weights)]).toEqual([14, 1, 8]);
  });

  test('of the items of a sequence: what no row states is as the next that one states, or as the last', () => {
    const of = () => sequenceWeights(rows, [0, 1, 2], weights);
    expect(of()('b', [1, 2, 3])).toEqual([4, 6, 14]);
    expect(of()('b', [0, 1, 2])).toEqual([2, 4, 6]);
    expect(of()('a', [0, 1, 0, 1])).toEqual([0.5, 1, 0.5, 1]); // the row states the step where it is first
  });
});

function row(user: string, history: number[], target: number): Row {
  return { user, history, target };
}
