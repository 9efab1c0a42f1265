/** Which rows or items a task is made of, and what they are as text. */
import { describe, expect, test } from 'vitest';
import type { Item, Split } from '../../lib/data/dataset.js';
import { promptContext } from '../../lib/tasks/prompts.js';
import { taskExamples } from '../../lib/tasks/task-examples.js';
import { taskRows } from '../../lib/tasks/task-rows.js';
import { type Template, TEMPLATES } from '../../lib/tasks/templates.js';
import { datasetOf, indexOf, OF_ITEMS, TEMPLATE } from './small-dataset.js';

describe('rows of a task', () => {
  const of = (count: number, split: Split): number[] =>
    taskRows(datasetOf(count, 3), OF_ITEMS, split).map(({ target }) => target);

  test.each([
    [40, 2],
    [100, 5],
    [109, 5],
    [110, 6],
    [10, 1],
    [4, 1],
  ])('of %i items %i are held out for validation, as many for the test', (count, held) => {
    expect([of(count, 'test').length, of(count, 'valid').length]).toEqual([held, held]);
    expect(of(count, 'train')).toHaveLength(count - 2 * held);
    const all = (['train', 'valid', 'test'] as const).flatMap((split) => of(count, split));
    expect(all.sort((a, b) => a - b)).toEqual([...Array(count).keys()]);
    for (const split of ['train', 'valid', 'test'] as const) {
      expect(of(count, split)).toEqual(of(count, split).sort((a, b) => a - b));
    }
  });

  test('the same whatever the seed of the run, drawn from all over', () => {
    expect(of(100, 'test')).toEqual(of(100, 'test'));
    expect(of(100, 'test')).not.toEqual([0, 1, 2, 3, 4]);
    const rows = taskRows(datasetOf(10, 3), OF_ITEMS, 'test');
    expect(rows[0]).toMatchObject({ user: '', history: [] });
  });

  test("of rows: the data's own", () => {
    const dataset = datasetOf(10, 5);
    for (const split of ['train', 'valid', 'test'] as const) {
      expect(taskRows(dataset, TEMPLATE, split)).toBe(dataset[split]);
    }
  });

  test('left out: rows that lack a text that they need, items whose prompt holds the answer', () => {
    const dataset = datasetOf(6, 6);
    const texts: Partial<Item>[] = [{ title: '' }, { description: '' }, { title: '', description: '' }];
    dataset.items = dataset.items.map((item, i) => ({ ...item, ...texts[i] }));
    const index = indexOf(6);
    const context = promptContext(index, dataset.items);
    const targets = (template: Partial<Template>): number[] =>
      taskRows({ ...dataset, valid: [], test: [] }, { ...TEMPLATE, ...template }, 'train', context)
        .map(({ target }) => target)
        .sort((a, b) => a - b);
    expect(targets({})).toEqual([0, 1, 2, 3, 4, 5]);
    expect(targets({ answer: '{title}' })).toEqual([1, 3, 4, 5]);
    expect(targets({ answer: '{description}' })).toEqual([0, 3, 4, 5]);
    expect(targets({ prompts: ['{history_titles}'] })).toEqual([0, 1, 2, 3, 4, 5]); // of the history, not of the target
    const kept = (template: Partial<Template>): number[] => targets({ of: 'items', ...template });
    const train = taskRows(dataset, OF_ITEMS, 'train').map(({ target }) => target);
    expect(kept({ prompts: ['{title}'] })).toEqual(train.filter((item) => item !== 0 && item !== 2));
    expect(kept({ prompts: ['{brand}'], answer: '{description}' })).toEqual(train.filter((item) => item !== 1 && item !== 2)); // prettier-ignore
    expect(kept({ prompts: ['{sid}'] })).toEqual([]);
    expect(kept({ prompts: ['{sid}'], answer: '{title}' })).toEqual(train.filter((item) => item !== 0 && item !== 2));
    expect(targets({ prompts: ['{history}'] })).toHaveLength(6); // an item may be bought again
  });

  test('as text, with the item where the answer is a SID', () => {
    const dataset = datasetOf(4, 2);
    const [asked] = taskExamples(dataset, indexOf(4), 'title2sid', 'test');
    const [named] = taskExamples(dataset, indexOf(4), 'sid2title', 'test');
    const item = taskRows(dataset, TEMPLATES.title2sid!, 'test')[0]!.target;
    expect(asked).toMatchObject({ answer: `<a_${item}>`, item });
    expect(asked!.prompt).toContain(`thing ${item}`);
    expect(named!.answer).toBe(`thing ${item}`);
    expect(named).not.toHaveProperty('item');
  });
});
