/** Rows of an epoch: as many as asked for, each once, in an order of its own; of a mix by its weights. */
import { describe, expect, test } from 'vitest';
import { promptContext } from '../../../lib/tasks/prompts.js';
import { parseTasks } from '../../../lib/tasks/task-mix.js';
import { TaskSet } from '../../../lib/tasks/task-set.js';
import { TEMPLATES } from '../../../lib/tasks/templates.js';
import { drawRows, epochRows } from '../../../lib/train/grpo/rollout/epoch-rows.js';
import { sidsOf } from './toy.js';

const index = sidsOf(...Array.from({ length: 20 }, (_, i) => `a_${i} b_0`));
const items = index.map((_, i) => ({ title: `title ${i}`, description: `words ${i}`, brand: '', categories: '' }));
const train = Array.from({ length: 12 }, (_, user) => ({ user: String(user), history: [user], target: user }));
const dataset = { name: 'toy', dir: '', items, train, valid: train, test: [] };
const rowsOf = (tasks: string, sampleSize: number) =>
  epochRows(new TaskSet(dataset, parseTasks(tasks, TEMPLATES, 'row'), promptContext(index, items), { seed: 1 }), {
    ...{ sampleSize, seed: 1 },
  });
const names = (tasks: string, sampleSize: number, epoch: number) =>
  rowsOf(tasks, sampleSize)(epoch).map(({ task, row }) => `${task} ${row.user || row.target}`);

describe('one task', () => {
  test('all rows once an epoch, in another order; the same ones again for the same epoch', () => {
    expect(new Set(names('sids', 0, 0)).size).toBe(12);
    expect(names('sids', 0, 1).sort()).toEqual(names('sids', 0, 0).sort());
    expect(names('sids', 0, 1)).not.toEqual(names('sids', 0, 0));
    expect(names('sids', 0, 1)).toEqual(names('sids', 0, 1));
  });

  test('a sample is drawn once', () => {
    expect(names('sids', 7, 0)).toHaveLength(7);
    expect(names('sids', 7, 1).sort()).toEqual(names('sids', 7, 0).sort());
    expect(names('sids', 7, 1)).not.toEqual(names('sids', 7, 0));
    expect(names('sids', 99, 0)).toHaveLength(12);
    expect(names('sids', 12, 0).sort()).toEqual(names('sids', 0, 0).sort());
  });
});

test('a mix: by weights and counts, items as rows without a history', () => {
  const rows = rowsOf('sids,title2sid:n=5', 0)(0);
  expect(rows.filter(({ task }) => task === 0)).toHaveLength(12);
  const ofItems = rows.filter(({ task }) => task === 1);
  expect(ofItems).toHaveLength(5);
  for (const { row } of ofItems) expect(row).toMatchObject({ user: '', history: [] });
  const [one, other] = [names('sids:0.5', 0, 0), names('sids:0.5', 0, 1)];
  expect([one.length, other.length]).toEqual([6, 6]);
  expect(other.sort()).not.toEqual(one.sort()); // another half
  expect(names('sids:0.5', 4, 1).sort()).toEqual(names('sids:0.5', 4, 0).sort()); // but of a sample the same rows
  expect(names('sids:0.5', 0, 0)).toEqual(expect.arrayContaining(names('sids:0.5', 4, 1))); // of the first epoch's
});

test('rows that are drawn by their weights: as many, others every epoch', () => {
  const weights = { ofItem: new Float64Array(20).fill(1), ofRow: Float64Array.from(train, (_, i) => i / 5.5) };
  const options = { seed: 1, weights, weighting: 'draw' } as const;
  const set = new TaskSet(dataset, parseTasks('sids', TEMPLATES, 'row'), promptContext(index, items), options);
  const rows = epochRows(set, { sampleSize: 0, seed: 1 });
  const counts = train.map(() => 0);
  for (let epoch = 0; epoch < 300; epoch++) rows(epoch).forEach(({ row }) => counts[row.target]!++);
  counts.forEach((count, i) => expect(Math.abs(count / 300 - i / 5.5)).toBeLessThan(0.12));
  expect(counts[0]).toBe(0);
});

test('rows for a validation: all, or some of them', () => {
  expect(drawRows([1, 2, 3], 0, 's').sort()).toEqual([1, 2, 3]);
  expect(drawRows([1, 2, 3], 1, 's')).toHaveLength(1);
  expect(drawRows([1, 2, 3], 9, 's')).toHaveLength(3);
});
