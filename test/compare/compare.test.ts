/** `compare` on results that counting made, on planted ones, and on what it refuses. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { baselineStage } from '../../lib/baselines/baseline-stage.js';
import { compareText } from '../../lib/cli/score-report.js';
import type { CompareReport } from '../../lib/compare/compare-report.js';
import { compareStage } from '../../lib/compare/compare-stage.js';
import { comparisonMarkdown } from '../../lib/compare/write-comparison.js';
import { filterStage } from '../../lib/data/filter/filter-stage.js';
import { writeSample } from '../../lib/data/sample/sample.js';
import { itemMetrics } from '../../lib/evaluate/metrics.js';
import { readResults, type Result, writeResults } from '../../lib/evaluate/results-file.js';
import { readJson } from '../../lib/files/files.js';
import { Random } from '../../lib/support/random.js';

const folder = mkdtempSync(join(tmpdir(), 'sidlab-compare-'));
const golden = fileURLToPath(new URL('../golden/evaluation', import.meta.url));
const sample = join(golden, 'final_result_sample.json');
const data = join(folder, 'data');
const popular = join(folder, 'popularity.jsonl');
const next = join(folder, 'transition.jsonl');
const K = 10;

beforeAll(async () => {
  const { reviews, meta } = await writeSample({ out: join(folder, 'raw'), size: 'tiny' });
  await filterStage({ reviews, meta, out: data, dataset: 'sample' });
  await baselineStage({ baseline: 'popularity', data, results: popular });
  await baselineStage({ baseline: 'transition', data, results: next });
});
afterAll(() => rmSync(folder, { recursive: true }));

const complaint = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'accepted',
    (error: Error) => error.message,
  );

const compared = (files: string[], options: object = {}): Promise<CompareReport> =>
  compareStage({ files, samples: 100, ...options });

/** Results whose target is found by luck. */
function lucky(seed: number, hit: (row: number) => number, rows = 400): Result[] {
  const random = new Random(seed);
  return Array.from({ length: rows }, (_, row) => {
    const found = random.next() < hit(row);
    return { user: `u${row}`, history: [1, 2], target: 0, items: found ? [5, 0] : [5, 6], scores: [-1, -2] };
  });
}

function written(name: string, results: readonly Result[]): string {
  const file = join(folder, name, 'results.jsonl');
  mkdirSync(join(folder, name), { recursive: true });
  writeResults(file, results);
  return file;
}

describe('two sides', () => {
  test('metrics of each and their difference', async () => {
    const report = await compared([next, popular], { k: [5, K] });
    const means = itemMetrics(await readResults(next), [5, K]);
    expect(report.item!.map(({ metric }) => metric)).toEqual(['HR@5', 'NDCG@5', 'MRR@5', 'HR@10', 'NDCG@10', 'MRR@10']);
    for (const { metric, a, difference, b, p, pHolm } of report.item!) {
      expect(a - b).toBeCloseTo(difference, 12);
      [a, b].forEach((mean, i) => expect(report.sides[i]!.item![metric]!.mean).toBeCloseTo(mean, 12));
      if (metric in means) expect(a).toBeCloseTo(means[metric]!, 12);
      expect(pHolm).toBe(p); // one pair
    }
    expect(report.sides.map(({ name }) => name)).toEqual(['transition', 'popularity']);
    expect(compareText(report)).toContain('verdict');
    const seeds = await compared([`${next},${next}`, `${popular},${popular}`], { k: [10] });
    expect(seeds.item![0]).toMatchObject({ a: report.item![3]!.a, runsP: 2 / 6 });
    expect(seeds.sides[0]!.item!['HR@10']!.mean).toBeCloseTo(report.item![3]!.a, 12);
    expect(seeds.outcomes[0]).toEqual(report.outcomes[0]);
  });

  test('rows won less rows lost are the difference of HR; the other way round they change places', async () => {
    const [there, back] = [await compared([next, popular], { data }), await compared([popular, next])];
    const [{ won, lost, bothHit, bothFailed }] = there.outcomes as [CompareReport['outcomes'][number]];
    expect(won + lost + bothHit + bothFailed).toBe(there.rows);
    const hr = there.item!.find(({ metric }) => metric === 'HR@10')!;
    expect((won - lost) / there.rows).toBeCloseTo(hr.difference, 12);
    expect((won + bothHit) / there.rows).toBeCloseTo(hr.a, 12);
    expect(back.outcomes[0]).toMatchObject({ won: lost, lost: won, bothHit, bothFailed });
  });

  test('examples: the outcome that is theirs, with titles; the best ranks first', async () => {
    const [a, b] = [await readResults(next), await readResults(popular)];
    const { examples } = await compared([next, popular], { data, examples: 3 });
    const items = readJson<Record<string, { title: string }>>(join(data, 'sample.item.json'));
    expect(examples.map(({ outcome }) => outcome)).toEqual(['won', 'lost', 'both failed'].flatMap((kind) => [kind, kind, kind])); // prettier-ignore
    for (const { row, outcome, user, target, history, firstRank, secondRank, firstTop, secondTop } of examples) {
      const [one, other] = [a[row]!, b[row]!];
      expect([firstRank, secondRank]).toEqual([one, other].map(({ items: list }) => list.indexOf(one.target) + 1));
      const hits = [firstRank, secondRank].map((rank) => rank >= 1 && rank <= K);
      expect(hits).toEqual(
        { won: [true, false], lost: [false, true], 'both failed': [false, false] }[outcome as 'won'],
      );
      expect([user, target]).toEqual([one.user, items[one.target]!.title]);
      expect(history).toEqual(one.history.slice(-3).map((id) => items[id]!.title));
      expect([firstTop, secondTop]).toEqual([one, other].map(({ items: list }) => items[list[0]!]!.title));
    }
    const best = examples.slice(0, 3).map(({ firstRank }) => firstRank);
    expect(best).toEqual(best.toSorted((x, y) => x - y));
    expect((await compared([next, popular], { examples: 0 })).examples).toEqual([]);
    expect((await compared([next, popular], { examples: 1 })).examples[0]!.target).toMatch(/^item \d+$/);
  });

  test('slices: the difference of their rows, which together are all rows', async () => {
    const { slices, rows } = await compared([next, popular], { data });
    expect([...new Set(slices.map(({ by }) => by))]).toEqual(['popularity', 'history', 'category', 'month']);
    const ofHistory = slices.filter(({ by, metric }) => by === 'history' && metric === 'HR@10');
    expect(ofHistory.reduce((sum, slice) => sum + slice.rows, 0)).toBe(rows);
    const [a, b] = [await readResults(next), await readResults(popular)];
    const one = ofHistory.find(({ slice }) => slice === '2 to 4')!;
    const within = [...a.keys()].filter((i) => a[i]!.history.length >= 2 && a[i]!.history.length <= 4);
    const hr = (of: readonly Result[]): number =>
      within.filter((i) => of[i]!.items.slice(0, K).includes(of[i]!.target)).length / within.length;
    expect(one).toMatchObject({ rows: within.length, a: hr(a), b: hr(b) });
    for (const slice of slices) expect(slice.pHolm).toBeGreaterThanOrEqual(slice.p);
  });

  test("MiniOneRec's results, whatever order SIDs first come in", async () => {
    const rows = JSON.parse(readFileSync(sample, 'utf8')) as { predict: string[] }[];
    const other = join(folder, 'final_result_other.json');
    writeFileSync(other, JSON.stringify(rows.map((row) => ({ ...row, predict: [...row.predict].reverse() }))));
    const report = await compared([sample, other], { k: [1] });
    expect(report.sid!.map(({ metric }) => metric)).toEqual(['HR@1', 'NDCG@1', 'MRR@1']);
    expect(report.item).toBeUndefined();
    expect(report.examples[0]!.target).toMatch(/^<a_/);
    expect(await complaint(compared([sample, popular]))).toMatch(/compare files of one kind/);
  });
});

describe('three sides', () => {
  test('every pair, and p corrected over the pairs', async () => {
    const files = [0.5, 0.4, 0.1].map((share, i) =>
      written(
        `side-${i}`,
        lucky(i, () => share),
      ),
    );
    const { item, outcomes } = await compared(files, { k: [2], at: 2 });
    const hr = item!.filter(({ metric }) => metric === 'HR@2');
    expect(hr.map(({ first, second }) => [first, second])).toEqual([
      ['side-0', 'side-1'],
      ['side-0', 'side-2'],
      ['side-1', 'side-2'],
    ]);
    const ps = hr.map(({ p }) => p);
    expect(hr[0]!.pHolm).toBe(Math.max(...ps)); // the largest of the three stays
    expect(Math.min(...hr.map(({ pHolm }) => pHolm))).toBe(3 * Math.min(...ps));
    expect(outcomes).toHaveLength(3);
  });

  test('a difference that one test in twenty would show is none where twenty are made', async () => {
    const [a, b] = [written('weak-a', lucky(1, () => 0.5)), written('weak-b', lucky(2, () => 0.43))]; // prettier-ignore
    const alone = (await compared([a, b], { k: [2] })).item!.find(({ metric }) => metric === 'HR@2')!;
    expect(alone).toMatchObject({ verdict: 'better' });
    expect(alone.p).toBeGreaterThan(0.05 / 6);
    const four = await compared([a, b, a, b], { k: [2], names: ['a', 'b', 'c', 'd'] });
    const same = four.item!.find(({ first, second, metric }) => first === 'a' && second === 'b' && metric === 'HR@2')!;
    expect(same).toMatchObject({ p: alone.p, verdict: 'no difference shown' });
    expect(four.item!.find(({ first, second }) => first === 'a' && second === 'c')).toMatchObject({ difference: 0, p: 1 }); // prettier-ignore
  });
});

describe('failure modes', () => {
  const report = (results: readonly Result[], mode: (row: number) => string[]) => ({
    rows: results.length,
    topK: 2,
    modes: { even: {}, all: {} },
    cases: results.flatMap(({ items }, row) => (items[1] === 0 ? [] : [{ row, modes: mode(row) }])),
  });
  const even = (row: number): string[] => (row % 2 === 0 ? ['even', 'all'] : ['all']);

  test('shares of rows that fail with a mode, less being better; found beside the results', async () => {
    const [a, b] = [lucky(3, (row) => (row % 2 === 0 ? 0.8 : 0.3)), lucky(4, () => 0.3)];
    const files = [written('modes-a', a), written('modes-b', b)];
    expect((await compared(files)).modes).toBeUndefined();
    const reports = files.map((file) => join(file, '../badcase_report.json'));
    [a, b].forEach((results, i) => writeFileSync(reports[i]!, JSON.stringify(report(results, even))));
    const { modes, rows } = await compared(files);
    const failed = (of: readonly Result[], every: number): number =>
      of.filter(({ items }, row) => items[1] !== 0 && row % every === 0).length;
    const [evens, all] = modes as [NonNullable<typeof modes>[number], NonNullable<typeof modes>[number]];
    expect(evens).toMatchObject({ mode: 'even', firstRows: failed(a, 2), secondRows: failed(b, 2), verdict: 'better' });
    expect(evens.difference).toBeCloseTo((failed(a, 2) - failed(b, 2)) / rows, 12);
    expect(all).toMatchObject({ mode: 'all', firstRows: failed(a, 1), verdict: 'better' });
    const back = await compared([...files].reverse(), { reports: [...reports].reverse() });
    expect(back.modes![0]).toMatchObject({ verdict: 'worse', a: evens.b, b: evens.a });
    // a mode that no row has is no question of Holm's
    [a, b].forEach((results, i) => {
      const { modes: had, ...rest } = report(results, even);
      writeFileSync(reports[i]!, JSON.stringify({ ...rest, modes: { ...had, never: {} } }));
    });
    const more = (await compared(files)).modes!;
    expect(more.slice(0, 2)).toEqual(modes);
    expect(more[2]).toMatchObject({ mode: 'never', firstRows: 0, pHolm: 1, verdict: 'no difference shown' });
    expect(compareText(back)).toContain('Share of all rows that fail with a mode');
  });

  test('a report of other results, of another form, or of one of several runs', async () => {
    const results = lucky(5, () => 0.5);
    const file = written('other-report', results);
    const beside = join(file, '../badcase_report.json');
    const said = async (what: object, options: object = {}, files = [file, file]): Promise<string> => {
      writeFileSync(beside, JSON.stringify(what));
      return complaint(compared(files, { names: ['a', 'b'], ...options }));
    };
    const good = report(results, even);
    expect(await said(good)).toBe('accepted');
    const wrong: [object, RegExp][] = [
      [{ ...good, cases: good.cases.slice(1) }, /of other results than those compared \(row \d+\)/],
      [{ ...good, rows: 3 }, /\(3 rows, the results have 400\); run badcase on these results/],
      [{ rows: 3 }, /expected what badcase writes/],
    ];
    for (const [what, message] of wrong) {
      expect(await said(what, { reports: [beside, beside] })).toMatch(message);
      // nobody asked for it: two results files in a folder that has the report of one
      expect(await said(what)).toBe('accepted');
      const found = await compared([file, file], { names: ['a', 'b'] });
      expect(found.modes).toBeUndefined();
      expect(found.notes).toEqual([expect.stringMatching(message)]);
      expect(compareText(found)).toMatch(message);
      expect(comparisonMarkdown(found)).toContain('failure modes are not compared');
    }
    const several = [`${file},${file}`, file];
    expect(await said(good, {}, several)).toBe('accepted');
    expect(await said(good, { reports: [beside, beside] }, several)).toMatch(
      /a has several runs, a bad-case report is of one/,
    );
  });
});

test('words that are refused', async () => {
  expect(await complaint(compared([`${popular},`, popular]))).toMatch(/expected files with commas between/);
  expect(await complaint(compared([popular, popular]))).toMatch(
    /two sides are called .*; give each its name by --names/,
  );
  expect(await complaint(compared([popular, next], { names: ['a'] }))).toMatch(/expected names of 2 sides, got 1/);
  const fewer = written('fewer', (await readResults(popular)).slice(0, 1));
  expect(await complaint(compared([popular, fewer]))).toMatch(
    /results\.jsonl: expected \d+ rows like the first, got 1/,
  );
});
