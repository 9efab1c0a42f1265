/** A joined folder's data sets, ranked apart: the bytes that each of them alone has by the same model and SIDs. */
import { cpSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { baselineStage } from '../../../lib/baselines/baseline-stage.js';
import { evaluateBesideBaselines, rankBaselines, scoreBesideBaselines } from '../../../lib/baselines/rank-baselines.js';
import { metricRecord } from '../../../lib/cli/print.js';
import { compareStage } from '../../../lib/compare/compare-stage.js';
import { loadDataset } from '../../../lib/data/load.js';
import { evaluateStage } from '../../../lib/evaluate/evaluate-stage.js';
import { mergeResults } from '../../../lib/evaluate/merge-results.js';
import { readResults } from '../../../lib/evaluate/results-file.js';
import type { BesideBaseline } from '../../../lib/evaluate/score/beside-baselines.js';
import { bytes, joinedShop, names } from './joined-shop.js';

const { root, at, model } = await joinedShop();
afterAll(() => rmSync(root, { recursive: true }));

test('TIGER reads the index of the joined folder, each data set its share of it', async () => {
  const small = { width: 8, layers: 1, heads: 1, headWidth: 8, feedForward: 8, epochs: 1, validRows: 5, topK: 5 };
  const tiger = { ...small, baseline: 'tiger', batchSize: 64 } as const;
  const { parts } = await baselineStage({ ...tiger, data: at('both'), run: at('tiger') });
  for (const name of names) {
    const own = { data: at(name), index: at(name, 'of-both.json'), run: at(`tiger-${name}`) };
    expect(parts![name]!.item).toEqual((await baselineStage({ ...tiger, ...own })).item);
  }
  const part = await baselineStage({ ...tiger, data: at('both'), part: 'two', run: at('tiger-part') });
  expect(part.item).toEqual(parts!.two!.item);
});

test('each by the one model: as alone with its share of the index; together in the ids of the joined folder', async () => {
  const asked = { model, numBeams: 10, precision: 'float32' } as const;
  const report = await evaluateBesideBaselines({ ...asked, data: at('both'), results: at('e.jsonl') });
  const all = await readResults(at('e.jsonl'));
  let firstItem = 0;
  let firstRow = 0;
  for (const name of names) {
    const own = await evaluateStage({ ...asked, data: at(name), index: at(name, 'of-both.json'), results: at(`${name}.jsonl`) }); // prettier-ignore
    expect(bytes(at(`e-${name}.jsonl`))).toBe(bytes(at(`${name}.jsonl`)));
    const { usersPerSecond: _rate, results: _file, ...metrics } = own;
    expect(report.parts![name]).toMatchObject(metrics);
    const rows = await readResults(own.results);
    const [first] = rows;
    expect(all[firstRow]).toMatchObject({ user: `${name}/${first!.user}`, target: first!.target + firstItem, scores: first!.scores }); // prettier-ignore
    expect(all[firstRow]!.items).toEqual(first!.items.map((id) => id + firstItem));
    // the file of a part is one of the data set by itself
    await scoreBesideBaselines({ files: [at(`e-${name}.jsonl`)], data: at(name), index: at(name, 'of-both.json') });
    firstItem += (await loadDataset(at(name))).items.length;
    firstRow += rows.length;
  }
  expect(report).toMatchObject({ rows: all.length, results: at('e.jsonl'), invalid: 0, duplicates: 0 });
  const mean = names.reduce((sum, name) => sum + report.parts![name]!.rows * report.parts![name]!.item['NDCG@10']!, 0) / all.length; // prettier-ignore
  expect(report.item['NDCG@10']).toBeCloseTo(mean, 12);
  // the file is one of the joined folder, and counting is done apart too
  const scored = await scoreBesideBaselines({ files: [at('e.jsonl')], data: at('both') });
  const beside = scored.files[0]!.beside!.find(({ baseline }) => baseline === 'popularity')!;
  const popularity = await baselineStage({ baseline: 'popularity', data: at('both') });
  expect(beside.b).toBeCloseTo(popularity.item['NDCG@10']!, 12);
  expect(metricRecord(report)).toMatch(/ {2}two:\n {4}rows: 74\n {4}HR@1: /);
  expect(JSON.parse(bytes(at('e.json')))).toMatchObject({ apart: names, template: 'sids', rows: all.length });
});

test('the file of each data set says what it is of', async () => {
  const popular = { baseline: 'popularity', data: at('both'), topK: 5, excludeHistory: true } as const;
  const { parts } = await baselineStage({ ...popular, results: at('popular.jsonl') });
  for (const name of names) {
    const [score] = (await scoreBesideBaselines({ files: [at(`popular-${name}.jsonl`)], data: at('both') })).files;
    expect(score!.baselines!.popularity!['HR@5']!.mean).toBe(parts![name]!.item['HR@5']);
  }
});

test('a limit is of all rows; one part; all items for every row', async () => {
  const asked = { model, numBeams: 10, data: at('both'), precision: 'float32' } as const;
  const { test: rows, items, parts } = await loadDataset(at('both'));
  const limit = parts![0]!.rows.test + 3;
  const some = await evaluateStage({ ...asked, limit });
  expect(some.results).toMatch(new RegExp(`results-test-sids-10-first-${limit}\\.jsonl$`)); // that of all rows stays
  expect(some.parts!.two!.results).toMatch(/results-test-sids-10-first-3-two\.jsonl$/);
  expect((await readResults(some.results)).map(({ user }) => user)).toEqual(rows.slice(0, limit).map(({ user }) => user)); // prettier-ignore
  expect(some.parts).toMatchObject({ one: { rows: limit - 3 }, two: { rows: 3 } });
  const one = await evaluateStage({ ...asked, part: 'one' });
  expect(one.results).toMatch(/results-test-sids-10-one\.jsonl$/);
  expect(bytes(one.results)).toBe(bytes(some.parts!.one!.results));
  const among = await readResults((await evaluateStage({ ...asked, part: 'all', limit: 20 })).results);
  const found = among.flatMap((result) => result.items);
  expect(found.some((id) => id >= parts![0]!.items)).toBe(true);
  expect(Math.max(...found)).toBeLessThan(items.length);
  // the published hashes are those of the data set, beside what was read
  const { inputs } = JSON.parse(bytes(one.results.replace('.jsonl', '.json'))) as { inputs: Record<string, string> };
  expect(Object.keys(inputs)).toEqual(
    expect.arrayContaining(['one.item.json', 'joined both.item.json', 'joined index']),
  );
  await expect(evaluateStage({ ...asked, shard: '1/2' })).rejects.toThrow(/--shard: .* name one with --part/);
});

describe('an assistant by its name', () => {
  const asked = () => ({ model, numBeams: 10, precision: 'float32', assistant: 'sasrec' }) as const;
  const small = { baseline: 'sasrec', width: 8, epochs: 1, batchSize: 64 } as const;
  const numbers = async (file: string) => (await readResults(file)).map(({ items, scores }) => ({ items, scores }));
  const alone = async (name: string) => {
    await baselineStage({ ...small, data: at(name) });
    const own = { data: at(name), index: at(name, 'of-both.json'), results: at(`helped-${name}.jsonl`) };
    return numbers((await evaluateBesideBaselines({ ...asked(), ...own })).results);
  };

  test('of a part: that of its own data set, whether it was trained alone or with the others', async () => {
    await expect(evaluateBesideBaselines({ ...asked(), data: at('both'), part: 'two' })).rejects.toThrow(
      `got none in ${at('both', 'runs', 'baseline-sasrec-two', 'model')}; sidlab baseline sasrec --data ${at('both')} --part two makes one`,
    );
    await expect(evaluateBesideBaselines({ ...asked(), data: at('both') })).rejects.toThrow('--part one makes one');
    const expected = await alone('two');
    await baselineStage({ ...small, data: at('both'), part: 'two' });
    const part = await evaluateBesideBaselines({ ...asked(), data: at('both'), part: 'two' });
    expect(await numbers(part.results)).toEqual(expected);
    rmSync(at('both', 'runs', 'baseline-sasrec-two'), { recursive: true });
    await baselineStage({ ...small, data: at('both') });
    const again = await evaluateBesideBaselines({ ...asked(), data: at('both'), part: 'two' });
    expect(await numbers(again.results)).toEqual(expected);
  });

  test('of all: each data set by its own, and the file says which', async () => {
    const report = await evaluateBesideBaselines({ ...asked(), data: at('both') });
    for (const name of names) expect(await numbers(report.parts![name]!.results)).toEqual(await alone(name));
    const kindOf = (file: string) => (JSON.parse(bytes(file.replace(/l$/, ''))) as { assistant: string }).assistant;
    const said = [report.results, ...names.map((name) => report.parts![name]!.results)].map(kindOf);
    expect(new Set(said).size).toBe(3);
    expect(report.results).toContain(`assistant-0.5-${said[0]!.slice(0, 8)}`);
    // of all items as one, it is that of all
    await expect(evaluateBesideBaselines({ ...asked(), data: at('both'), part: 'all' })).rejects.toThrow('--part all');
  });
});

test.each(['valid', 'test'] as const)('without rows in %s: one line, and nothing is written', async (split) => {
  for (const name of [...names, 'both']) {
    const folder = at(`empty-${split}-${name}`);
    cpSync(at(name), folder, { recursive: true });
    const data = { data: folder, dataset: name };
    writeFileSync(
      join(folder, `${name}.${split}.inter`),
      bytes(at(name, `${name}.${split}.inter`)).split('\n')[0]! + '\n',
    );
    if (name === 'both') {
      const parts = JSON.parse(bytes(at('both', 'both.parts.json'))) as { rows: object }[];
      const none = parts.map((part) => ({ ...part, rows: { ...part.rows, [split]: 0 } }));
      writeFileSync(join(folder, 'both.parts.json'), JSON.stringify(none));
    }
    const index = name === 'both' ? {} : { index: at(name, 'of-both.json') };
    const asked = { ...data, ...index, split, model, numBeams: 10, results: join(folder, 'r.jsonl') };
    await expect(evaluateStage(asked)).rejects.toThrow(`evaluate: expected rows in ${split}, got none`);
    expect(existsSync(asked.results) || existsSync(`${asked.results}.part`)).toBe(false);
  }
});

describe('a part by itself', () => {
  const asked = () => ({ model, numBeams: 10, precision: 'float32' }) as const;
  const both = { data: at('both') };
  const twoAlone = { data: at('two'), index: at('two', 'of-both.json') };
  const evaluatePart = () => evaluateBesideBaselines({ ...asked(), ...both, part: 'two', results: at('part.jsonl') });
  const evaluateAlone = () => evaluateBesideBaselines({ ...asked(), ...twoAlone, results: at('two.jsonl') });
  const numbers = ({ model: _file, ...beside }: BesideBaseline) => beside;

  test('evaluated and scored beside counting in its own rows, as its data set alone is', async () => {
    const [part, alone] = [await evaluatePart(), await evaluateAlone()];
    expect(part.beside!.map(numbers)).toEqual(alone.beside!.map(numbers));
    const scoreOf = async (files: string, options: object) => {
      const { file: _file, beside, inputs: _inputs, slices, ...score } = (await scoreBesideBaselines({ files: [files], samples: 100, ...options })).files[0]!; // prettier-ignore
      const { month: _month, ...others } = slices;
      return { ...score, slices: others, beside: beside!.map(numbers), warnings: score.warnings!.length };
    };
    const expected = await scoreOf(alone.results, twoAlone);
    expect(expected.metrics.sid).not.toEqual(expected.metrics.item); // items share SIDs
    expect(await scoreOf(part.results, both)).toEqual(expected);
    expect(await scoreOf(part.results, { ...both, part: 'two' })).toEqual(expected);
    // by the data set's own index, had it one, nothing is said: the SIDs were others
    cpSync(twoAlone.index, at('two', 'two.index.json'));
    expect((await scoreOf(part.results, { data: at('two') })).metrics.sid).toBeUndefined();
    rmSync(at('two', 'two.index.json'));
  });

  test('results without a file beside them: the part is named, in score and compare', async () => {
    await baselineStage({ ...both, baseline: 'popularity', topK: 10, results: at('counted.jsonl') });
    const file = at('counted-two.jsonl');
    rmSync(at('counted-two.json'));
    const mend = /counted-two\.jsonl: row 1: expected a user of the joined folder, such as one\/NAME, .* name that with --part$/; // prettier-ignore
    await expect(scoreBesideBaselines({ files: [file], ...both })).rejects.toThrow(mend);
    const [score] = (await scoreBesideBaselines({ files: [file], ...both, part: 'two' })).files;
    expect(score!.beside!.find(({ baseline }) => baseline === 'popularity')!.difference).toBe(0);
    const own = await baselineStage({
      ...both,
      baseline: 'popularity',
      topK: 10,
      part: 'two',
      results: at('own.jsonl'),
    });
    const [said] = (await scoreBesideBaselines({ files: [own.results], ...both })).files; // the file beside it names the part
    expect(said!.metrics).toEqual(score!.metrics);
    const part = await evaluatePart();
    await expect(compareStage({ files: [part.results, file], ...both })).rejects.toThrow(mend);
    const pair = { files: [part.results, file], at: 1, samples: 100 };
    const compared = await compareStage({ ...pair, ...both, part: 'two' });
    const { sid: _sid, slices, ...same } = await compareStage({ ...pair, data: at('two') });
    expect(compared.sid).toBeDefined();
    const { sid: _own, slices: _slices, ...found } = compared;
    const sides = ({ sides: all }: { sides: readonly object[] }) => all.map((side) => ({ ...side, sid: undefined }));
    expect({ ...found, sides: sides(found) }).toEqual({ ...same, sides: sides(same) }); // titles of its own items
    expect(slices.length).toBeGreaterThan(0);
  });

  test('in shares, put together: the file and the metrics of one process', async () => {
    const whole = await evaluateStage({ ...asked(), ...both, part: 'two', results: at('whole.jsonl') });
    for (const shard of ['1/2', '2/2']) {
      await evaluateStage({ ...asked(), ...both, part: 'two', shard, results: at('dealt.jsonl') });
    }
    const merged = await mergeResults({ results: at('dealt.jsonl') });
    expect(bytes(at('dealt.jsonl'))).toBe(bytes(at('whole.jsonl')));
    expect(merged).toMatchObject({ rows: whole.rows, item: whole.item, sid: whole.sid });
    const kindOf = (file: string) => ({ ...(JSON.parse(bytes(at(file))) as object), finished: '' });
    expect(kindOf('dealt.json')).toEqual(kindOf('whole.json'));
  });

  test('all: beside counting in all rows, among all items', async () => {
    const all = await evaluateBesideBaselines({ ...asked(), ...both, part: 'all', results: at('all.jsonl') });
    const { beside } = (await scoreBesideBaselines({ files: [all.results], ...both })).files[0]!;
    const counted = await baselineStage({ ...both, baseline: 'transition', part: 'all', topK: 10, results: at('c.jsonl') }); // prettier-ignore
    for (const found of [all.beside!, beside!]) {
      expect(found.find(({ baseline }) => baseline === 'transition')!.b).toBeCloseTo(counted.item['NDCG@10']!, 12);
    }
  });

  test.each<[string, object, RegExp]>([
    [
      'part.jsonl',
      { ...both, part: 'one' },
      /part\.jsonl: expected --part two, as it was ranked, got one; leave it out/,
    ],
    ['e.jsonl', { ...both, part: 'one' }, /expected --part each of one, two, as it was ranked, got one/],
    ['two.jsonl', { ...both, part: 'one' }, /two\.jsonl: ranked with another one\.item\.json/],
    ['two.jsonl', { ...both, part: 'two' }, /two\.jsonl: ranked with another index/],
    ['part.jsonl', { ...both, part: 'three' }, /--part: expected one of one, two, got three/],
    ['part.jsonl', { ...twoAlone, part: 'two' }, /--part: expected a folder that sidlab join wrote, got two/],
    ['part.jsonl', { part: 'two' }, /--part: expected a data folder that has two, got none/],
  ])('%s %j', async (file, options, message) => {
    await expect(scoreBesideBaselines({ files: [at(file)], ...options })).rejects.toThrow(message);
  });

  test('rows with the ids of a data set alone are not counted as rows of all', async () => {
    const [joined, { test: rows }] = [await loadDataset(at('both')), await loadDataset(at('two'))];
    await expect(async () => rankBaselines(joined, rows, 10)).rejects.toThrow(/expected users of a joined folder, such as one\/NAME/); // prettier-ignore
  });
});

test.each(['popularity', 'transition', 'item-knn'] as const)('%s: each by its own training rows', async (baseline) => {
  const report = await baselineStage({ baseline, data: at('both'), topK: 10 });
  for (const name of names) {
    const alone = await baselineStage({ baseline, data: at(name), topK: 10, results: at(`${baseline}-${name}.jsonl`) });
    expect(bytes(report.parts![name]!.results)).toBe(bytes(alone.results));
  }
  const whole = await readResults(report.results);
  const { test: rows } = await loadDataset(at('both'));
  expect(whole.map(({ user, target }) => [user, target])).toEqual(rows.map(({ user, target }) => [user, target]));
  const all = await baselineStage({ baseline, data: at('both'), topK: 10, part: 'all' });
  expect(all.results).not.toBe(report.results);
  expect(all.parts).toBeUndefined();
});

test('a baseline that is trained: one for each, whose run knows the data that it is of', async () => {
  const options = { baseline: 'gru4rec', epochs: 1, width: 8, topK: 10 } as const;
  const report = await baselineStage({ ...options, data: at('both') });
  const config = JSON.parse(bytes(at('both/runs/baseline-gru4rec/two/config.json'))) as { inputs: object };
  const own = await baselineStage({ ...options, data: at('two') });
  expect(JSON.parse(bytes(at('two/runs/baseline-gru4rec/config.json')))).toMatchObject({ inputs: config.inputs });
  expect(Object.keys(config.inputs)).toContain('two.train.inter');
  expect(bytes(report.parts!.two!.results)).toBe(bytes(own.results));
});
