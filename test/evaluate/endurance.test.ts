/** An evaluation that is interrupted, killed or shared out gives the very bytes of one that is not. */
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { loadDataset } from '../../lib/data/load.js';
import { readIndex } from '../../lib/data/sid-index.js';
import { useEngine } from '../../lib/engine/engine.js';
import { evaluateStage } from '../../lib/evaluate/evaluate-stage.js';
import { mergeResults } from '../../lib/evaluate/merge-results.js';
import { PartialResults } from '../../lib/evaluate/partial-results.js';
import { rankSome } from '../../lib/evaluate/rank-rows.js';
import { loadRecommender } from '../../lib/evaluate/recommender.js';
import { readResults } from '../../lib/evaluate/results-file.js';

const folder = mkdtempSync(join(tmpdir(), 'sidlab-endurance-'));
const options = {
  ...{ data: join(folder, 'shop'), model: join(folder, 'm_plain'), template: 'sids', numBeams: 4 },
  tokenBudget: 40, // many batches
};
const results = join(folder, 'results.jsonl');
let whole: string;
let wholeBeside: string;
/** What lies beside the results; the time of day is not theirs. */
const beside = (): string =>
  readFileSync(join(folder, 'results.json'), 'utf8').replace(/"finished": ".*"/, '"finished": "then"');

beforeAll(async () => {
  await useEngine();
  cpSync('test/cases/shop', options.data, { recursive: true });
  cpSync('test/cases/m_plain', options.model, { recursive: true });
  await evaluateStage({ ...options, results });
  whole = readFileSync(results, 'utf8');
  wholeBeside = beside();
});
beforeEach(() => {
  for (const name of readdirSync(folder)) if (name.startsWith('results')) rmSync(join(folder, name));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The stage, stopped by Ctrl+C as soon as it has kept some rows. */
async function interruptedRun(rows: number): Promise<void> {
  const part = `${results}.part`;
  const press = (): void => {
    const done = existsSync(part) ? readFileSync(part, 'utf8').split('\n').length - 2 : 0;
    if (done >= rows) process.emit('SIGINT');
    else setImmediate(press);
  };
  setImmediate(press);
  await expect(evaluateStage({ ...options, results })).rejects.toThrow(
    /^evaluate: interrupted; \d+ of 28 rows are in .*results\.jsonl\.part; the same command goes on$/,
  );
}

test('interrupted twice, and gone on', async () => {
  await interruptedRun(1);
  expect(existsSync(results)).toBe(false);
  await interruptedRun(9);
  const { rows, usersPerSecond } = await evaluateStage({ ...options, results });
  expect(rows).toBe(28);
  expect(usersPerSecond).toBeGreaterThan(0);
  expect(readFileSync(results, 'utf8')).toBe(whole);
  expect(existsSync(`${results}.part`)).toBe(false);
});

test('of several wordings, those that are done are not ranked again', async () => {
  const template = { sids: { of: 'rows', separator: '', answer: '{sid}{end}', prompts: ['{history}', '{history}{history}'] } }; // prettier-ignore
  const templates = join(folder, 'templates.json');
  writeFileSync(templates, JSON.stringify(template));
  const asked = { ...options, templates, wording: 0, results };
  const [first, second] = [`${results}.part`, join(folder, 'results-wording-2.jsonl.part')];
  const expected = await evaluateStage(asked);
  const files = ['results.jsonl', 'results-wording-2.jsonl'].map((name) => readFileSync(join(folder, name), 'utf8'));
  expect([existsSync(first), existsSync(second)]).toEqual([false, false]);
  const press = (): void => {
    const begun = existsSync(second) && readFileSync(second, 'utf8').split('\n').length > 3;
    if (begun) process.emit('SIGINT');
    else setImmediate(press);
  };
  setImmediate(press);
  await expect(evaluateStage(asked)).rejects.toThrow('evaluate: interrupted');
  const kept = readFileSync(first, 'utf8');
  expect(kept.split('\n')).toHaveLength(30); // a line that says of what, 28 rows
  writeFileSync(first, kept.replace(/"scores":\[[^\]]*\]/, '"scores":[-1,-2,-3,-4]'));
  await evaluateStage(asked);
  const again = await readResults(results);
  expect(again.filter(({ scores }) => scores.join() === '-1,-2,-3,-4')).toHaveLength(1);
  expect(readFileSync(join(folder, 'results-wording-2.jsonl'), 'utf8')).toBe(files[1]);
  expect([existsSync(first), existsSync(second)]).toEqual([false, false]);
  expect(Object.keys(expected.wordings!)).toContain('HR@3');
});

test('what is done is not done again, and a changed input begins anew', async () => {
  await interruptedRun(9);
  const part = `${results}.part`;
  const planted = readFileSync(part, 'utf8').replace(/"scores":\[[^\]]*\]/, '"scores":[-1,-2,-3,-4]');
  writeFileSync(part, planted);
  await evaluateStage({ ...options, results });
  expect((await readResults(results)).filter(({ scores }) => scores.join() === '-1,-2,-3,-4')).toHaveLength(1);
  writeFileSync(part, planted);
  await evaluateStage({ ...options, results, numBeams: 3 });
  expect((await readResults(results)).filter(({ scores }) => scores.join() === '-1,-2,-3,-4')).toHaveLength(0);
});

describe('shares', () => {
  const share = (shard: string): Promise<unknown> => evaluateStage({ ...options, results, shard });

  test.each([1, 2, 3, 40])('of %d: the bytes of the whole', async (of) => {
    for (let i = 1; i <= of; i++) await share(`${i}/${of}`);
    const report = await mergeResults({ results });
    expect(report).toMatchObject({ rows: 28, shards: of });
    expect(readFileSync(results, 'utf8')).toBe(whole);
    expect(beside()).toBe(wholeBeside);
    expect(JSON.parse(wholeBeside)).toMatchObject({
      metrics: { item: report.item, sid: report.sid },
      intervals: { item: { 'HR@3': report.intervals.item['HR@3'] }, sid: report.intervals.sid },
    });
  });

  test('are dealt batch by batch, each row once', async () => {
    const dataset = await loadDataset(options.data);
    const index = readIndex(join(options.data, 'shop.index.json'), dataset.items.length);
    const recommender = loadRecommender(options.model, index, 'sids');
    const rows = dataset.test;
    const places = [1, 2, 3].map((i) =>
      rankSome(recommender, rows, { numBeams: 1, tokenBudget: 40 }, { shard: { index: i, of: 3 } }),
    );
    const done = (await Promise.all(places)).map((share) => [...share.keys()]);
    expect(done.flat().sort((a, b) => a - b)).toEqual([...rows.keys()]);
    expect(Math.min(...done.map(({ length }) => length))).toBeGreaterThan(4);
  });

  test('whose index has gone: nothing by SID', async () => {
    const index = join(folder, 'other.index.json');
    cpSync(join(options.data, 'shop.index.json'), index);
    await evaluateStage({ ...options, results, index, shard: '1/1' });
    writeFileSync(index, '{}');
    const report = await mergeResults({ results });
    expect([report.sid, report.intervals.sid]).toEqual([undefined, undefined]);
    expect(Object.keys(report.intervals.item)).toEqual(Object.keys(report.item));
  });

  test.each<[string, RegExp, () => Promise<unknown> | void]>([
    ['none', /shard-1-of-N\.jsonl: no such file; evaluate with --shard 1\/N first/, () => {}],
    ['one missing', /shard-1-of-2\.jsonl: no such file; evaluate with --shard 1\/2/, () => share('2/2')],
    ['of two numbers', /shares of 2 and of 3 lie beside it/, async () => void (await share('1/2'), await share('1/3'))],
    [
      'of two evaluations',
      /shard-2-of-2\.jsonl: of another evaluation than .*shard-1-of-2\.jsonl/,
      async () => void (await share('1/2'), await evaluateStage({ ...options, results, shard: '2/2', numBeams: 3 })),
    ],
    [
      'one cut short',
      /expected 28 rows in 2 shares, got 27; evaluate the shares again/,
      async () => {
        await share('1/2');
        await share('2/2');
        const file = join(folder, 'results-shard-2-of-2.jsonl');
        writeFileSync(file, readFileSync(file, 'utf8').replace(/^.*\n/, ''));
      },
    ],
    [
      'with something else beside one',
      /shard-1-of-1\.json: expected what evaluate writes beside a share/,
      async () => {
        await share('1/1');
        writeFileSync(join(folder, 'results-shard-1-of-1.json'), 'null');
      },
    ],
    [
      'with an item twice',
      /shard-1-of-1\.jsonl: row 1: item \d+ is listed twice/,
      async () => {
        await share('1/1');
        const file = join(folder, 'results-shard-1-of-1.jsonl');
        writeFileSync(file, readFileSync(file, 'utf8').replace(/"items":\[(\d+),\d+/, '"items":[$1,$1'));
      },
    ],
    [
      'that overlap',
      /shard-2-of-2\.jsonl:\d+: row \d+ is there twice/,
      async () => {
        await share('1/2');
        await share('2/2');
        cpSync(join(folder, 'results-shard-1-of-2.jsonl'), join(folder, 'results-shard-2-of-2.jsonl'));
      },
    ],
  ])('%s: one line, and nothing is written', async (_, message, make) => {
    await make();
    await expect(mergeResults({ results })).rejects.toThrow(message);
    expect(existsSync(results)).toBe(false);
  });

  test('a folder in place of the file, before anything is ranked', async () => {
    await expect(evaluateStage({ ...options, results: folder })).rejects.toThrow(/got the folder .*; add a name/);
    expect(existsSync(`${folder}.part`)).toBe(false);
  });

  test.each(['0/2', '3/2', '1', '1/2/3', 'a/b', '1/0'])('%s is no share', async (shard) => {
    await expect(share(shard)).rejects.toThrow(/expected shard to be i\/n with i from 1 to n/);
  });
});

test('the first rows; without the history; targets are told', async () => {
  const few = await evaluateStage({ ...options, limit: 5, excludeHistory: true, results });
  expect(few.rows).toBe(5);
  const rows = await readResults(results);
  rows.forEach(({ items, history }) => expect(items.filter((item) => history.includes(item))).toEqual([]));
  const first = whole.split('\n').slice(0, 5).map((line) => JSON.parse(line) as { user: string; items: number[]; history: number[]; target: number; scores: number[]; targetLogProbs: number[] }); // prettier-ignore
  expect(rows.map(({ user }) => user)).toEqual(first.map(({ user }) => user));
  for (const { items, target, scores, targetLogProbs } of first) {
    const score = targetLogProbs.reduce((a, b) => a + b, 0);
    if (items.includes(target)) expect(score).toBeCloseTo(scores[items.indexOf(target)]!, 4);
  }
});

test('every wording of a task: a file each, and mean, least and most', async () => {
  const template = {
    of: 'rows',
    separator: '',
    answer: '{sid}',
    prompts: ['{end}{history}', '{history}{end}', '{history}'],
  };
  const templates = join(folder, 'templates.json');
  writeFileSync(templates, JSON.stringify({ mine: template }));
  const asked = { ...options, template: 'mine', templates, results, limit: 12 };
  const all = await evaluateStage({ ...asked, wording: 0 });
  const each = [];
  for (const wording of [1, 2, 3])
    each.push(await evaluateStage({ ...asked, wording, results: join(folder, 'results-one.jsonl') }));
  const values = each.map(({ item }) => item['NDCG@3']!);
  expect(new Set(values).size).toBeGreaterThan(1);
  const { mean, min, max } = all.wordings!['NDCG@3']!;
  expect([min, max]).toEqual([Math.min(...values), Math.max(...values)]);
  expect(mean).toBeCloseTo((values[0]! + values[1]! + values[2]!) / 3, 12);
  expect(all.item).toEqual(each[0]!.item);
  for (const name of ['results', 'results-wording-2', 'results-wording-3'])
    expect(existsSync(join(folder, `${name}.jsonl`))).toBe(true);
  await expect(evaluateStage({ ...asked, wording: 4 })).rejects.toThrow('--wording: mine has 3, got 4');
});

test('partial results are found by the path that a message names', () => {
  expect(new PartialResults(results, 'x').path).toBe(`${results}.part`);
});
