/** Results on their way: whatever a kill leaves of the file, what is taken from it is whole and of the same evaluation. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from '../fast-check.js';
import { afterAll, expect, test } from 'vitest';
import { PartialResults } from '../../lib/evaluate/partial-results.js';
import type { Result } from '../../lib/evaluate/results-file.js';

const folder = mkdtempSync(join(tmpdir(), 'sidlab-partial-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, 'sub/results.jsonl');
const result = (row: number): Result => ({ user: `u"${row}\n`, history: [row], target: 1, items: [2, row], scores: [-0.1, -1 / 3] }); // prettier-ignore
const rowsOf = (of: string): number[] => [...new PartialResults(file, of).done.keys()];

test('cut anywhere: the whole lines before the cut', () => {
  const partial = new PartialResults(file, 'a');
  partial.add([4, 0], [result(4), result(0)]);
  partial.add([2], [result(2)]);
  const bytes = readFileSync(partial.path);
  const ends = [...bytes.keys()].filter((i) => bytes[i] === 10);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: bytes.length }), (cut) => {
      writeFileSync(partial.path, bytes.subarray(0, cut));
      const whole = ends.filter((end) => end < cut).length; // the first line names the evaluation
      const again = new PartialResults(file, 'a');
      expect([...again.done.keys()]).toEqual([4, 0, 2].slice(0, Math.max(0, whole - 1)));
      for (const [row, own] of again.done) expect(own).toEqual(result(row));
      again.add([7], [result(7)]); // goes on behind what was kept
      expect(rowsOf('a')).toEqual([...again.done.keys()]);
    }),
  );
});

test('rows of another evaluation, or of none, are not taken', () => {
  new PartialResults(file, 'a').add([1], [result(1)]);
  expect(rowsOf('a')).toContain(1);
  expect(rowsOf('b')).toEqual([]);
  expect(rowsOf('a')).toEqual([]); // b's took its place
  writeFileSync(`${file}.part`, 'something else\n{"row":1,"items":[]}\n');
  expect(rowsOf('a')).toEqual([]);
});

test('a damaged line ends what is taken', () => {
  const partial = new PartialResults(file, 'c');
  partial.add([1, 2, 3], [result(1), result(2), result(3)]);
  const lines = readFileSync(partial.path, 'utf8').split('\n');
  for (const bad of ['{"row":2', '{"row":"2","items":[]}', '{"row":2}', '[]', 'null']) {
    writeFileSync(partial.path, [lines[0], lines[1], bad, lines[3], ''].join('\n'));
    expect(rowsOf('c'), bad).toEqual([1]);
  }
});

test('gone when it is no longer needed', () => {
  const partial = new PartialResults(file, 'a');
  partial.remove();
  expect(existsSync(partial.path)).toBe(false);
});
