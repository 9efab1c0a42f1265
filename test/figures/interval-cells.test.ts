/** Metrics beside their intervals in tables: one cell, whatever the report looks like. */
import { expect, test } from 'vitest';
import { tableHtml, tableText } from '../../lib/figures/show-table.js';
import { resultRows } from '../../lib/pipeline/result-rows.js';

test('a results table has one column a metric', () => {
  const item = { 'HR@10': 0.1312, 'NDCG@10': 0.08 };
  const rows = resultRows(
    { popularity: { item, intervals: { 'HR@10': [0.1181, 0.1454], 'NDCG@10': [0.0712, 0.0893] } } },
    { sft: { item: { 'HR@10': 0.2, 'NDCG@10': 0.1 } } },
  );
  expect(tableText(rows).split('\n')).toEqual([
    'model       HR@10              NDCG@10',
    'popularity  .131 [.118, .145]  .080 [.071, .089]',
    'sft         0.2000             0.1000',
  ].map((line) => expect.stringMatching(new RegExp(`^${line.replace(/[.[\]]/g, '\\$&').replace(/ +/g, ' +')}$`)) as string)); // prettier-ignore
  expect(tableHtml(rows)).not.toContain('intervals');
});

test('reports with nested metrics too; an interval without its metric keeps its column', () => {
  const text = tableText([
    { rows: 3, item: { 'HR@1': 0.5 }, intervals: { item: { 'HR@1': [0.25, 0.75] } } },
    { rows: 4, item: { 'HR@1': 0.1 }, intervals: { item: { 'HR@1': [-0.1, 0.3], lost: [1, 2] } } },
  ]);
  const [head, first, second] = text.split('\n');
  expect(head!.split(/\s{2,}/)).toEqual(['rows', 'item.HR@1', 'intervals.item.lost']);
  expect(first).toContain('.500 [.250, .750]');
  expect(second).toContain('.100 [-.100, .300]');
  expect(second).toContain('[1,2]');
});

test('what is no pair of numbers is shown as it is', () => {
  expect(tableText([{ HR: 0.5, intervals: { HR: 'none' } }])).not.toContain('none');
  expect(tableText([{ HR: 'high', intervals: { HR: [1, 2] } }])).toContain('high');
});
