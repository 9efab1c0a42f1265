/** Bad cases of a joined folder: each row's are those that its data set alone has. */
import { cpSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { badCaseReport } from '../../../lib/badcase/bad-case-report.js';
import { badCases } from '../../../lib/badcase/bad-cases.js';
import type { BadCaseFile, ReportedCase } from '../../../lib/badcase/report-shape.js';
import { loadDataset } from '../../../lib/data/load.js';
import { readIndex, writeIndex } from '../../../lib/data/sid-index.js';
import { evaluateStage } from '../../../lib/evaluate/evaluate-stage.js';
import { readResults } from '../../../lib/evaluate/results-file.js';
import { readNpy, rowSlice, writeNpy } from '../../../lib/files/npy.js';
import { bytes, joinedShop, names } from './joined-shop.js';

const { root, at, model } = await joinedShop();
afterAll(() => rmSync(root, { recursive: true }));

const thresholds = { topK: 5, tailShare: 0.2, shortHistory: 3, driftPart: 0.5, driftCount: 2, fitRows: 0, crowdedShare: 0.1, crowdedTimes: 1, popularityTimes: 1.5, recencySame: 0.2, recencyOwn: 0.9 } as const; // prettier-ignore
const caseOf = (firstItem: number, user: (name: string) => string) => (one: ReportedCase) => ({
  ...{ ...one, row: 0, user: user(one.user), target: one.target + firstItem },
  ...{ history: one.history.map((id) => id + firstItem), items: one.items.map((id) => id + firstItem) },
});
const read = (file: string) => JSON.parse(bytes(file)) as BadCaseFile;

test('each row as its data set alone has it; a part by itself is that data set', async () => {
  const asked = { model, numBeams: 10, precision: 'float32' } as const;
  const vectors = readNpy(at('both', 'both.emb-lsa.npy'));
  await evaluateStage({ ...asked, data: at('both'), results: at('bad', 'r.jsonl') });
  const of = { data: at('both'), model, embeddings: at('both', 'both.emb-lsa.npy'), ...thresholds };
  const all = read((await badCaseReport({ ...of, results: at('bad', 'r.jsonl'), out: at('bad', 'all') })).report);
  const expected: ReportedCase[] = [];
  const counts: Record<string, number> = {};
  let firstItem = 0;
  for (const name of names) {
    const { items } = await loadDataset(at(name));
    writeNpy(at(`${name}.npy`), rowSlice(vectors, firstItem, firstItem + items.length));
    const own = {
      data: at(name),
      index: at(name, 'of-both.json'),
      embeddings: at(`${name}.npy`),
      model,
      ...thresholds,
    };
    await evaluateStage({ ...asked, data: at(name), index: own.index, results: at('bad', `${name}.jsonl`) });
    const alone = read(
      (await badCaseReport({ ...own, results: at('bad', `${name}.jsonl`), out: at('bad', name) })).report,
    );
    if (name === 'two') {
      const part = read(
        (await badCaseReport({ ...of, results: at('bad', 'r-two.jsonl'), out: at('bad', 'part') })).report,
      );
      expect(part).toEqual(alone); // the file beside the results says which part
      expect(JSON.parse(bytes(at('bad', 'part', 'eval_results.json')))).toMatchObject({ part: 'two' });
    }
    for (const [mode, { rows }] of Object.entries(alone.modes)) counts[mode] = (counts[mode] ?? 0) + rows;
    expected.push(...alone.cases.map(caseOf(firstItem, (user) => `${name}/${user}`)));
    firstItem += items.length;
  }
  expect(all.cases.map(caseOf(0, (user) => user))).toEqual(expected);
  expect(Object.fromEntries(Object.entries(all.modes).map(([mode, { rows }]) => [mode, rows]))).toEqual(counts);
  const found = Object.keys(counts).filter((mode) => counts[mode]! > 0);
  expect(found).toEqual(expect.arrayContaining(['drift', 'long tail', 'far from history', 'recency ignored', 'list off category'])); // prettier-ignore
});

test("results with the ids of a data set alone are not taken for the joined folder's", async () => {
  const results = at('bad', 'copy.jsonl');
  cpSync(at('bad', 'r-two.jsonl'), results);
  const of = { data: at('both'), results, out: at('bad', 'copy') };
  await expect(badCaseReport(of)).rejects.toThrow(/expected a user of the joined folder.* name that with --part/);
  await expect(badCaseReport({ ...of, part: 'three' })).rejects.toThrow('--part: expected one of one, two, got three');
  await expect(badCaseReport({ ...of, results: at('bad', 'r-two.jsonl'), part: 'one' })).rejects.toThrow('expected --part two, as it was ranked'); // prettier-ignore
  expect(existsSync(of.out)).toBe(false);
  const whole = read((await badCaseReport({ ...of, results: at('bad', 'r-two.jsonl') })).report);
  expect(existsSync(join(of.out, 'eval_results.json'))).toBe(true);
  expect(read((await badCaseReport({ ...of, part: 'two' })).report)).toEqual(whole);
  // without a file beside them the copy has none either, not even that of results before
  expect(existsSync(join(of.out, 'eval_results.json'))).toBe(false);
});

test('a model is asked of the part; another index than that of the ranking is refused', async () => {
  const out = at('bad', 'asked');
  const report = await badCaseReport({ data: at('both'), model, part: 'two', out });
  expect(report.rows).toBe((await loadDataset(at('two'))).test.length);
  expect(JSON.parse(bytes(join(out, 'eval_results.json')))).toMatchObject({ part: 'two' });
  const index = readIndex(at('both', 'both.index.json'));
  writeIndex(at('turned.json'), [...index].reverse());
  const of = { data: at('both'), results: report.results, index: at('turned.json') };
  await expect(badCaseReport({ ...of, out: at('bad', 'turned') })).rejects.toThrow('ranked with another index');
});

test('lists with items of other data sets are of one catalogue', async () => {
  const results = at('bad', 'among.jsonl');
  await evaluateStage({ data: at('both'), model, numBeams: 10, precision: 'float32', part: 'all', results });
  const [joined, ranked] = [await loadDataset(at('both')), await readResults(results)];
  const { parts: _parts, ...whole } = joined;
  expect(badCases(ranked, joined, thresholds)).toEqual(badCases(ranked, whole, thresholds));
});
