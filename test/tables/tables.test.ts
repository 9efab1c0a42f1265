/** Paper tables: the data of the kit's, and what becomes of them beside measured results. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { baselineStage } from '../../lib/baselines/baseline-stage.js';
import { baselineOf } from '../../lib/baselines/baselines.js';
import { rankMetrics } from '../../lib/evaluate/metrics.js';
import { writeAtomic, writeJson } from '../../lib/files/files.js';
import { defineOptions } from '../../lib/options/schema.js';
import { paperTable, TABLE_NAMES } from '../../lib/tables/paper-table.js';
import { tableFigure } from '../../lib/tables/table-figure.js';
import { tableStage } from '../../lib/tables/table-stage.js';
import { publishedText, toLatex } from '../../lib/tables/table-text.js';
import { putRun, rows, SASREC, TABLE, toyFolder } from './toys.js';

const data = toyFolder();

beforeAll(async () => {
  writeJson(join(data, 'toys.json'), TABLE);
  await baselineStage({ baseline: 'popularity', data });
});

test('the tables of the kit are whole; ranges and units are shares', () => {
  expect(TABLE_NAMES).toEqual(['minionerec', 'beauty', 'quick-start']);
  for (const name of TABLE_NAMES) {
    const { rows: models, datasets } = paperTable(name);
    expect(new Set(models.map(({ model }) => model)).size).toBe(models.length);
    for (const { run } of models) {
      if (!run || !('baseline' in run)) continue;
      const { options: declared = {} } = baselineOf(run.baseline);
      const parsed = defineOptions('table', declared).parse(run.options ?? {});
      expect(parsed, run.baseline).toMatchObject(run.options ?? {});
    }
    for (const { published } of models) {
      for (const of of Object.values(published)) {
        for (const value of Object.values(of)) expect([value].flat()).toEqual([...[value].flat()].sort());
      }
    }
    expect(datasets.length).toBeGreaterThan(0);
  }
  const sasrec = paperTable('minionerec').rows.find(({ model }) => model === 'SASRec')!;
  expect(sasrec.published.Industrial_and_Scientific).toEqual({ 'HR@10': 0.1088, 'NDCG@10': 0.0806 });
  expect(paperTable('quick-start').claim).toMatch(/not measurements/);
});

test('measured beside published: means over seeds, what is missing with its command', async () => {
  // two seeds of a model: one right on half of the rows, one on a quarter
  putRun(join(data, 'runs', 'any-1'), { ...SASREC, seed: 1 }, 4);
  putRun(join(data, 'runs', 'any-2'), { ...SASREC, seed: 2 }, 2);
  const report = await tableStage({ table: join(data, 'toys.json'), data: [data] });
  const [toys, other] = report.datasets;
  const [popular, transition, sasrec, large] = toys!.rows;
  expect(toys!.otherRows).toBeUndefined();
  expect(popular!.measured!.runs).toHaveLength(1);
  expect(transition!.note).toBe(`sidlab baseline transition --data ${data}`);
  expect(large!.note).toBe(`needs a GPU: sidlab sft --data ${data}`);
  const ranks = [4, 2].flatMap((right) => rows.map((_, i) => (i < right ? 1 : 0)));
  expect(sasrec!.measured!.mean).toEqual({ 'HR@1': 0.375, 'NDCG@3': rankMetrics(ranks, [3])['NDCG@3'] });
  expect(sasrec!.measured!.spread['HR@1']).toEqual([0.25, 0.5]);
  const [low, high] = sasrec!.measured!.intervals['HR@1']!;
  expect([low < 0.375, high > 0.375]).toEqual([true, true]);
  expect(other!.rows.every(({ measured }) => measured === undefined)).toBe(true);
  const markdown = readFileSync(join(data, 'tables', 'toys.md'), 'utf8');
  expect(markdown).toContain('**Claims:** made up.');
  expect(markdown).toMatch(/\| SASRec \| {2}\| {2}\| \.375 \[\.\d+, \.\d+\] \| .* \| 1, 2 \| {2}\|/);
  expect(markdown).toContain('No data folder was given');
  const csv = readFileSync(join(data, 'tables', 'toys.csv'), 'utf8').split('\n');
  expect(csv).toContain(
    'Toys,Popularity,NDCG@3,0.4,0.5,' +
      csv
        .find((line) => line.startsWith('Toys,Popularity,NDCG@3'))!
        .split(',')
        .slice(5)
        .join(','),
  );
  expect(csv.find((line) => line.startsWith('Toys,SASRec,HR@1'))).toMatch(
    /^Toys,SASRec,HR@1,,,0.375,[\d.]+,[\d.]+,0.25,0.5,"1, 2",true,$/,
  );
  expect(csv.filter((line) => line.startsWith('Other_set'))).toHaveLength(8);
  const latex = readFileSync(join(data, 'tables', 'toys.tex'), 'utf8');
  expect(latex).toContain('Popularity & .2500 & .4000--.5000 &');
  expect(latex).toContain('Other\\_set');
  for (const ending of ['svg', 'png']) expect(existsSync(join(data, 'tables', `toys-Toys.${ending}`))).toBe(true);
});

test('measured on other rows is said to be not comparable; results of other rows are not taken', async () => {
  const table = { ...TABLE, datasets: [{ name: 'Toys', label: 'Toys', rows: { train: 9, test: 8 }, items: 4 }] };
  writeJson(join(data, 'other.json'), { ...table, rows: TABLE.rows.slice(0, 1) });
  const report = await tableStage({ table: join(data, 'other.json'), data: [data], out: join(data, 'out') });
  expect(report.datasets[0]!.otherRows).toBe('8 / 8 / 8 rows and 4 items here, 9 / 8 and 4 there');
  expect(readFileSync(join(data, 'out', 'other.md'), 'utf8')).toContain('HR@1 measured, not comparable');
  expect(toLatex(report)).toContain('not comparable');
  const items = { ...table, datasets: [{ name: 'Toys', label: 'Toys', rows: { test: 8 }, items: 5 }] };
  writeJson(join(data, 'items.json'), { ...items, rows: TABLE.rows.slice(0, 1) });
  const fewer = await tableStage({ table: join(data, 'items.json'), data: [data], out: join(data, 'out') });
  expect(fewer.datasets[0]!.otherRows).toBe('8 / 8 / 8 rows and 4 items here, 8 and 5 there');
  const results = join(data, 'runs', 'baseline-popularity', 'results.jsonl');
  const before = readFileSync(results, 'utf8');
  writeAtomic(results, before.split('\n').slice(1).join('\n'));
  const stale = await tableStage({ table: join(data, 'other.json'), data: [data], out: join(data, 'out') });
  expect(stale.datasets[0]!.rows[0]!.note).toMatch(/its runs are of other data; sidlab baseline popularity/);
  writeAtomic(results, before);
});

test('--run makes what is missing', async () => {
  const own = { ...TABLE, datasets: TABLE.datasets.slice(0, 1), rows: TABLE.rows.slice(1, 2) };
  writeJson(join(data, 'missing.json'), own);
  const report = await tableStage({ table: join(data, 'missing.json'), data: [data], run: true });
  expect(report.datasets[0]!.rows[0]!.measured!.runs).toHaveLength(1);
});

test('the figure has a trace a metric and kind, ranges as bars', async () => {
  const { datasets } = await tableStage({ table: join(data, 'toys.json'), data: [data] });
  const figure = tableFigure({ table: TABLE }, datasets[0]!, { metrics: ['NDCG@3'] });
  expect(figure.data.map(({ name }) => name)).toEqual(['NDCG@3, published', 'NDCG@3, measured']);
  expect(figure.data[0]).toMatchObject({ x: ['Popularity'], y: [0.45] });
  expect((figure.data[0]!.error_y as { array: number[] }).array[0]).toBeCloseTo(0.05);
});

test('models whose names are cut alike have places of their own', async () => {
  const { datasets } = await tableStage({ table: join(data, 'toys.json'), data: [data] });
  const { rows } = datasets[0]!;
  const model = 'a model with a name that is longer than any axis has room for, ';
  const twice = { ...datasets[0]!, rows: [1, 2].map((i) => ({ ...rows[0]!, model: `${model}${i}` })) };
  const [published] = tableFigure({ table: TABLE }, twice, { metrics: ['NDCG@3'] }).data;
  expect(new Set(published!.x as string[]).size).toBe(2);
});

test('numbers in print', () => {
  expect(publishedText(0.0999)).toBe('.0999');
  expect(publishedText([0.038, 0.0387])).toBe('.0380 to .0387');
  expect(publishedText(undefined)).toBe('');
});

test('unknown tables and folders of other data sets', async () => {
  await expect(tableStage({ table: 'best', data: [data] })).rejects.toThrow(
    'table: expected one of minionerec, beauty, quick-start',
  );
  await expect(tableStage({ table: 'beauty', data: [data] })).rejects.toThrow(
    /expected the data set to be one of Beauty, got Toys/,
  );
});
