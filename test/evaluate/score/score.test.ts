import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { baselineStage } from '../../../lib/baselines/baseline-stage.js';
import { rankBaselines, scoreBesideBaselines } from '../../../lib/baselines/rank-baselines.js';
import { COMMANDS } from '../../../lib/cli/commands.js';
import { readCommandLine } from '../../../lib/cli/read-command-line.js';
import { scoreText } from '../../../lib/cli/score-report.js';
import { filterStage } from '../../../lib/data/filter/filter-stage.js';
import { writeSample } from '../../../lib/data/sample/sample.js';
import { itemMetrics, sidMetrics } from '../../../lib/evaluate/metrics.js';
import { readResults, type Result, writeResults } from '../../../lib/evaluate/results-file.js';
import { readMiniOneRec } from '../../../lib/evaluate/score/minionerec-results.js';
import { scoreStage } from '../../../lib/evaluate/score/score-stage.js';
import { hashFile, readJson } from '../../../lib/files/files.js';

const folder = mkdtempSync(join(tmpdir(), 'sidlab-score-'));
const golden = fileURLToPath(new URL('../../golden/evaluation', import.meta.url));
const sample = join(golden, 'final_result_sample.json');
const index = join(golden, 'sample.index.json');
const data = join(folder, 'data');
const popular = join(folder, 'popularity.jsonl');
const next = join(folder, 'transition.jsonl');

beforeAll(async () => {
  const { reviews, meta } = await writeSample({ out: join(folder, 'raw'), size: 'small' });
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

describe("the kit's own results", () => {
  test('the metrics of the stage, with intervals around them; slices and lists', async () => {
    const out = join(folder, 'results.json');
    const report = await scoreStage({ files: [popular], data, out });
    const [file] = report.files;
    const results = await readResults(popular);
    for (const [metric, value] of Object.entries(itemMetrics(results))) {
      const { mean, low, high } = file!.metrics.item![metric]!;
      expect(mean).toBeCloseTo(value, 12);
      expect(low <= mean && mean <= high && low < high).toBe(true);
    }
    expect(file).toMatchObject({ kind: 'results', rows: results.length, longest: 50, sha256: hashFile(popular) });
    expect(file!.metrics.sid).toBeUndefined();
    expect(file!.lists.popularity!.bias).toBeGreaterThan(0.2); // of all baselines this one
    expect(file!.lists).toMatchObject({ entropy: expect.closeTo(Math.log(10), 12) as number, tail: 0 }); // ten items for all
    expect(file!.lists.averagePopularity).toBeGreaterThan(10);
    expect(Object.keys(file!.slices)).toEqual(['popularity', 'history', 'category', 'month']);
    expect(file!.of).toEqual({ split: 'test', rows: results.length });
    expect(file!.slices.history!.reduce((sum, { rows }) => sum + rows, 0)).toBe(results.length);
    expect(readJson(out)).toEqual(JSON.parse(JSON.stringify(report)));
    expect(scoreText(report)).toMatch(/HR@10 +\.\d{3} \[\.\d{3}, \.\d{3}\]\n/);
  });

  test('counting baselines on the same rows, and a line where the file is below one', async () => {
    const report = await scoreBesideBaselines({ files: [popular, next], data, k: [1, 10], samples: 100 });
    const [first, second] = report.files;
    expect(first!.baselines).toEqual({ popularity: first!.metrics.item, transition: second!.metrics.item });
    expect(second!.baselines).toEqual(first!.baselines);
    expect(first!.beside!.map(({ baseline, difference }) => [baseline, Math.sign(difference)])).toEqual([
      ['popularity', 0],
      ['transition', -1],
    ]);
    expect(first!.warnings).toEqual([
      expect.stringMatching(/popularity\.jsonl is worse than the baseline transition: NDCG@10 0\.\d+, it has/),
    ]);
    expect(second!.warnings).toEqual([]);
    const text = scoreText(report);
    expect(text).toMatch(/metric +item +popularity +transition/);
    expect(text.match(/is worse than the baseline/g)).toHaveLength(1);
  });

  test('months of the rows, from the data folder; of the first rows of a split and no others', async () => {
    const rows = await readResults(popular);
    const times = readFileSync(join(data, 'sample.test.times'), 'utf8').split('\n').slice(0, -1);
    expect(times).toHaveLength(rows.length);
    const months = times.map((seconds) => new Date(1000 * Number(seconds)).toISOString().slice(0, 7));
    const file = join(folder, 'some.jsonl');
    const score = async (some: readonly Result[]) => {
      writeResults(file, some);
      return (await scoreStage({ files: [file], data, samples: 100 })).files[0]!;
    };
    const first = await score(rows.slice(0, 40));
    expect(first.of).toEqual({ split: 'test', rows: rows.length });
    const counted = [...new Set(months.slice(0, 40))].map((month) => [month, months.slice(0, 40).filter((m) => m === month).length]); // prettier-ignore
    expect(first.slices.month!.map(({ slice, rows }) => [slice, rows])).toEqual(counted.sort());
    expect(scoreText({ files: [first], level: 0.95, samples: 1000, seed: 42, version: '' })).toContain(
      `the first of ${rows.length} of test`,
    );
    const others = await score(rows.slice(1));
    expect([others.of, others.slices.month]).toEqual([undefined, undefined]);
  });

  test('a folder whose times are not those of its rows', async () => {
    const file = join(data, 'sample.test.times');
    const whole = readFileSync(file, 'utf8');
    const said = async (text: string): Promise<string> => {
      writeFileSync(file, text);
      return complaint(scoreStage({ files: [popular], data, samples: 100 }));
    };
    expect(await said(whole.replace(/^.*\n/, ''))).toMatch(/test\.times: expected \d+ times, one a row, got \d+; run/);
    expect(await said(whole.replace(/^.*\n/, 'x\n'))).toMatch(/test\.times:1: expected seconds, got "x"; run/);
    rmSync(file);
    expect((await scoreStage({ files: [popular], data })).files[0]!.slices.month).toBeUndefined();
    writeFileSync(file, whole);
  });

  test('the same rows are ranked once, for all files that have them', async () => {
    const other = join(folder, 'fewer.jsonl');
    writeResults(other, (await readResults(next)).slice(0, 30));
    const asked: number[] = [];
    const rank: typeof rankBaselines = (dataset, rows, topK) => {
      asked.push(rows.length);
      return rankBaselines(dataset, rows, topK);
    };
    const { files } = await scoreStage({ files: [popular, next, other], data, k: [5], samples: 100 }, rank);
    expect(asked).toEqual([files[0]!.rows, 30]);
    expect(files[1]!.baselines).toEqual(files[0]!.baselines);
  });

  test('no baselines where none are asked for, without a data folder, and of rows without a history', async () => {
    const none = { baselines: undefined, beside: undefined, warnings: undefined };
    const of = async (options: object, files = [next]) =>
      (await scoreBesideBaselines({ files, samples: 100, ...options })).files[0]!;
    expect(await of({ data, baselines: false })).toMatchObject({ kind: 'results' });
    for (const score of [await of({ data, baselines: false }), await of({})]) expect({ ...none, ...score }).toMatchObject(none); // prettier-ignore
    const file = join(folder, 'titles.jsonl');
    writeResults(file, (await readResults(next)).map((row) => ({ ...row, history: [] }))); // prettier-ignore
    expect({ ...none, ...(await of({ data }, [file])) }).toMatchObject(none);
    expect(readCommandLine('score', COMMANDS.score!, ['a', '--no-baselines']).values).toMatchObject({
      baselines: false,
    });
  });

  test('words of the command line, all of them', () => {
    const line = (name: string, words: string[]) =>
      readCommandLine(name, COMMANDS[name]!, [...words, '--k', '5']).values;
    expect(line('score', ['a', 'b', 'c'])).toEqual({ files: ['a', 'b', 'c'], k: [5] });
    expect(() => line('score', [])).toThrow(/FILES/);
    expect(() => line('compare', ['a'])).toThrow('expected FILES to be two results files or more');
  });
});

describe("MiniOneRec's results", () => {
  test('the metrics of its calc.py, and ours that count distinct SIDs', async () => {
    const calc = readJson<{ metrics: Record<string, number>; invalid: number }>(join(golden, 'calc.json'));
    const report = await scoreStage({ files: [sample], index });
    const [file] = report.files;
    for (const [metric, value] of Object.entries(calc.metrics)) {
      expect(file!.calc!.metrics[metric]).toBeCloseTo(value, 12);
    }
    expect(file!.calc!.invalid).toBe(calc.invalid);
    const { results, sids } = readMiniOneRec(sample);
    const ours = sidMetrics(results, sids.map((sid) => [sid]), [1, 3, 5, 10]); // prettier-ignore
    for (const [metric, value] of Object.entries(ours)) expect(file!.metrics.sid![metric]!.mean).toBeCloseTo(value, 12);
    expect(ours['NDCG@10']).toBeGreaterThan(calc.metrics['NDCG@10']!); // what comes twice takes no second rank
    expect(results[0]!.history.length).toBeGreaterThan(0);
    expect(file!.metrics.item).toBeUndefined();
    expect(scoreText(report)).toContain('calc.py');
  });

  test('another form', async () => {
    const file = join(folder, 'final_result_bad.json');
    for (const [text, said] of [
      ['[]', 'expected a list of rows, got none'],
      ['[{"output": "x"}]', 'row 1: expected output (a SID) and predict'],
      ['[{"output": 3, "predict": []}]', 'row 1: expected output'],
      ['[{"output"', 'not valid JSON'],
    ] as const) {
      writeFileSync(file, text);
      expect(await complaint(scoreStage({ files: [file] }))).toContain(said);
    }
  });
});

describe('bad files, a line each', () => {
  const good: Result = { user: 'A', history: [0], target: 1, items: [2, 1, 0], scores: [3, 2, 1] };
  const file = join(folder, 'bad.jsonl');
  const said = async (changes: object, options: object = { data }): Promise<string> => {
    writeResults(file, [good, { ...good, ...changes } as Result]);
    return complaint(scoreStage({ files: [file], ...options }));
  };

  test.each([
    [{ items: [2, 1, 2] }, 'row 2: item 2 is listed twice, again at rank 3'],
    [{ scores: [3, 1, 2] }, 'row 2: expected scores to fall, got 2 after 1 at rank 3'],
    [{ target: 99_999 }, 'row 2: expected the target to be an item id from 0 to'],
    [{ items: [2, 1, 99_999] }, 'at rank 3, got 99999; it may be of another catalogue'],
    [{ items: [2, 1, -1] }, 'at rank 3, got -1'],
    [{ history: [0, 99_999] }, 'at place 2 of the history, got 99999'],
    [{ items: [], scores: [] }, 'accepted'],
    [{ scores: [3, NaN, 1] }, 'bad.jsonl:2: score 2 is NaN'],
  ])('%j', async (changes, expected) => {
    expect(await said(changes)).toContain(expected);
  });

  test('nothing but empty lists', async () => {
    writeResults(file, [{ ...good, items: [], scores: [] }]);
    expect(await complaint(scoreStage({ files: [file] }))).toMatch(/expected lists of items, got empty ones alone/);
  });

  test('ids too large for an array, and no catalogue', async () => {
    expect(await said({ items: [2, 1 << 25, 1 << 25] }, {})).toContain(`item ${1 << 25} is listed twice`);
    expect(await said({ target: 99_999 }, {})).toBe('accepted');
  });

  test('k beyond the lists, a missing file', async () => {
    expect(await said({}, { k: [5] })).toContain('expected k of at most 3, the length of the lists, got 5');
    expect(await complaint(scoreStage({ files: [join(folder, 'none.jsonl')] }))).toMatch(/none\.jsonl: no such file/);
  });

  test('what lies beside the file: fewer rows, another catalogue', async () => {
    writeResults(file, [good, good]);
    const items = hashFile(join(data, 'sample.item.json'));
    const beside = (rows: number, hash: string): void =>
      writeFileSync(join(folder, 'bad.json'), JSON.stringify({ rows, inputs: { 'sample.item.json': hash } }));
    beside(3, items);
    expect(await complaint(scoreStage({ files: [file], data }))).toContain(
      'expected 3 rows, as the file beside it says, got 2',
    );
    beside(2, 'other');
    expect(await complaint(scoreStage({ files: [file], data }))).toContain('ranked with another sample.item.json than');
    beside(2, items);
    expect((await scoreStage({ files: [file], data })).files[0]!.inputs).toEqual({ 'sample.item.json': items });
    rmSync(join(folder, 'bad.json'));
  });
});
