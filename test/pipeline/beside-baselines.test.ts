/** The results table with its intervals, and what a run says of models that counting beats. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { metricRecord } from '../../lib/cli/print.js';
import { type Result, writeResults } from '../../lib/evaluate/results-file.js';
import { belowBaselines, besideBaselines } from '../../lib/evaluate/score/beside-baselines.js';
import { resultRows, resultTexts } from '../../lib/pipeline/result-rows.js';

const folder = mkdtempSync(join(tmpdir(), 'sidlab-beside-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A file in which every `hit`th of 200 rows has its target first. */
function results(name: string, hit: number, history = [0]): string {
  const file = join(folder, `${name}.jsonl`);
  const rows = Array.from({ length: 200 }, (_, i): Result => ({
    ...{ user: `u${i}`, history, target: 1, scores: [2, 1] },
    items: i % hit === 0 ? [1, 2] : [3, 2],
  }));
  writeResults(file, rows);
  return file;
}

test('a model below a baseline is worse where the paired test says so, else it may be chance', async () => {
  const models = { sft: results('sft', 10), grpo: results('grpo', 2), items: results('items', 10, [9]) };
  const baselines = { popularity: results('popularity', 4), transition: results('transition', 9) };
  const beside = await besideBaselines(models, baselines);
  expect(beside.map(({ model, baseline, verdict }) => `${model} ${baseline} ${verdict}`)).toEqual([
    'sft popularity worse',
    'sft transition no difference shown',
    'grpo popularity better',
    'grpo transition better',
  ]);
  const lines = belowBaselines(beside);
  expect(lines).toHaveLength(2);
  expect(lines[0]).toMatch(
    /^sft is worse than the baseline popularity: NDCG@10 0\.1000, it has 0\.2500 \(p [\d.e-]+\)$/,
  );
  expect(lines[1]).toMatch(
    /^sft is below the baseline transition, which may be chance: NDCG@10 0\.1000, it has 0\.1150/,
  );
});

test('rows of the table hold intervals, as numbers and as texts', () => {
  const ends = { 'HR@10': [0.1, 0.2], 'HR@50': [0.3, 0.4] } as const;
  const rows = resultRows(
    { popularity: { item: { 'HR@10': 0.15, 'HR@50': 0.35 }, intervals: ends } },
    { sft: { item: { 'HR@10': 0.15 }, intervals: { item: ends } }, old: { item: { 'HR@10': 0.5 } } },
  );
  expect(rows).toEqual([
    { model: 'popularity', 'HR@10': 0.15, intervals: { 'HR@10': [0.1, 0.2] } },
    { model: 'sft', 'HR@10': 0.15, intervals: { 'HR@10': [0.1, 0.2] } },
    { model: 'old', 'HR@10': 0.5 },
  ]);
  expect(resultTexts(rows).map((row) => row['HR@10'])).toEqual(['.150 [.100, .200]', '.150 [.100, .200]', 0.5]);
});

test('what evaluate and baseline print', () => {
  const ends = { 'HR@10': [0.1, 0.2] } as const;
  expect(metricRecord({ item: { 'HR@10': 0.15 }, intervals: ends })).toContain('HR@10: .150 [.100, .200]');
  const both = {
    item: { 'HR@10': 0.15 },
    sid: { 'HR@10': 0.4 },
    intervals: { item: ends, sid: { 'HR@10': [0.3, 0.5] as const } },
  };
  expect(metricRecord(both)).toMatch(/item:\n {2}HR@10: \.150 \[.*\nsid:\n {2}HR@10: \.400 \[\.300, \.500\]/);
});
