/** A joined folder's data sets, ranked apart: the bytes that each of them alone has by the same model and SIDs. */
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { baselineStage } from '../../lib/baselines/baseline-stage.js';
import { evaluateBesideBaselines, scoreBesideBaselines } from '../../lib/baselines/rank-baselines.js';
import { metricRecord } from '../../lib/cli/print.js';
import { filterStage } from '../../lib/data/filter/filter-stage.js';
import { joinDatasets } from '../../lib/data/join/join-datasets.js';
import { loadDataset } from '../../lib/data/load.js';
import { writeSample } from '../../lib/data/sample/sample.js';
import { readIndex, writeIndex } from '../../lib/data/sid-index.js';
import { embedItems } from '../../lib/embed/embed-items.js';
import { useEngine } from '../../lib/engine/engine.js';
import { evaluateStage } from '../../lib/evaluate/evaluate-stage.js';
import { readResults } from '../../lib/evaluate/results-file.js';
import { sidStage } from '../../lib/sid/sid-stage.js';
import { sft } from '../../lib/train/sft/sft.js';

const root = mkdtempSync(join(tmpdir(), 'sidlab-apart-'));
const at = (...names: string[]): string => join(root, ...names);
const bytes = (file: string): string => readFileSync(file, 'utf8');
const names = ['one', 'two'];
let model: string;

beforeAll(async () => {
  await useEngine();
  for (const [i, dataset] of names.entries()) {
    const { reviews, meta } = writeSample({ out: at(dataset, 'raw'), size: 'tiny', seed: i + 1 });
    await filterStage({ reviews, meta, out: at(dataset), dataset });
  }
  await joinDatasets({ data: names.map((name) => at(name)), out: at('both'), dataset: 'both' });
  await embedItems({ data: at('both') });
  await sidStage({ embeddings: at('both', 'both.emb-lsa.npy'), codebookSize: 8, method: 'rqkmeans' });
  const index = readIndex(at('both', 'both.index.json'));
  const { parts } = await loadDataset(at('both'));
  writeIndex(at('one', 'of-both.json'), index.slice(0, parts![0]!.items));
  writeIndex(at('two', 'of-both.json'), index.slice(parts![0]!.items));
  const run = { data: at('both'), run: at('sft'), validRows: 10 };
  ({ model } = await sft({ ...run, model: 'qwen2:32x1', epochs: 1, batchSize: 16, precision: 'float32' }));
}, 60_000);

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

test('a limit is of all rows; one part; all items for every row', async () => {
  const asked = { model, numBeams: 10, data: at('both'), precision: 'float32' } as const;
  const { test: rows, items, parts } = await loadDataset(at('both'));
  const limit = parts![0]!.rows.test + 3;
  const some = await evaluateStage({ ...asked, limit });
  expect(some.results).toMatch(/results-test-sids-10\.jsonl$/);
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
