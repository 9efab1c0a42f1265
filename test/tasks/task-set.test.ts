/** From the mix of tasks to an epoch's examples, on a data set that can be counted by hand. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Dataset, Item, Row, Split } from '../../lib/data/dataset.js';
import type { ItemText } from '../../lib/data/item-text.js';
import { wordTokenizer } from '../../lib/lm/tokenizer/tokenizer.js';
import { canChain, chainExample, chainTexts, cutInto, rowExample, rowExamples } from '../../lib/tasks/examples.js';
import { planTasks } from '../../lib/tasks/plan-tasks.js';
import { preferenceText } from '../../lib/tasks/preference-text.js';
import { createRenderer, promptContext } from '../../lib/tasks/prompts.js';
import { taskExamples } from '../../lib/tasks/task-examples.js';
import { parseTasks } from '../../lib/tasks/task-mix.js';
import { taskRows } from '../../lib/tasks/task-rows.js';
import { TaskSet, type TaskSetOptions } from '../../lib/tasks/task-set.js';
import { parseTemplates, type Template, TEMPLATES } from '../../lib/tasks/templates.js';

const TEMPLATE: Template = { of: 'rows', separator: '', answer: '{sid}', prompts: ['{history}'] };
const OF_ITEMS: Template = { ...TEMPLATE, of: 'items', prompts: ['{title}'] };

function datasetOf(items: number, rows: number): Dataset {
  const list = Array.from({ length: rows }, (_, i): Row => {
    return { user: `u${i}`, history: [i % items], target: (i + 1) % items };
  });
  const texts = Array.from({ length: items }, (_, i): Item => {
    return { title: `thing ${i}`, description: `It is number ${i}.`, brand: '', categories: '' };
  });
  return { name: 'x', dir: '.', items: texts, train: list, valid: list.slice(0, 2), test: list.slice(0, 3) };
}
const indexOf = (items: number): string[][] => Array.from({ length: items }, (_, i) => [`<a_${i}>`]);

function setOf(tasks: string, options: Partial<TaskSetOptions> = {}, rows = 20, items = 40): TaskSet {
  const parts = parseTasks(tasks, TEMPLATES, 'chain');
  return new TaskSet(datasetOf(items, rows), parts, promptContext(indexOf(items), datasetOf(items, rows).items), {
    seed: 1,
    ...options,
  });
}

describe('a mix', () => {
  test('defaults of a part, and what is set', () => {
    const [part] = parseTasks('seqrec', TEMPLATES, 'chain');
    expect(part).toEqual({ name: 'seqrec', template: TEMPLATES.seqrec, mode: 'row', weight: 1, maxExamples: 0 });
    expect(parseTasks('sids', TEMPLATES, 'row')[0]!.mode).toBe('row');
    expect(parseTasks('sids:row,words:n=12:0.25', TEMPLATES, 'chain')).toMatchObject([
      { mode: 'row', weight: 1, maxExamples: 0 },
      { weight: 0.25, maxExamples: 12 },
    ]);
    expect(parseTasks('sids:chain', TEMPLATES, 'row')[0]!.mode).toBe('chain');
    expect(parseTasks('sids:1', TEMPLATES, 'row')[0]!.weight).toBe(1);
  });

  test.each(['0', '0.0', '-1', 'n=0', 'n=', 'n=1.5', '1e3', '', 'chains'])('%j is no setting', (setting) => {
    expect(() => parseTasks(`seqrec:${setting}`, TEMPLATES, 'row')).toThrow(
      `--tasks: seqrec: expected a weight above 0, n=N, chain or row, got "${setting}"`,
    );
  });

  test('one task alone is not named twice', () => {
    expect(() => parseTasks('sids,words', TEMPLATES, 'row')).not.toThrow();
    expect(() => parseTasks('words,sids,words', TEMPLATES, 'row')).toThrow('words is named twice');
  });
});

describe('a plan', () => {
  test('of one template', () => {
    expect(planTasks({})).toEqual({
      parts: [{ name: 'sids', template: TEMPLATES.sids, mode: 'chain', weight: 1, maxExamples: 0 }],
      ...{ templates: TEMPLATES, mode: 'chain', custom: false, ranked: 'sids' },
    });
    expect(planTasks({ mode: 'row' })).toMatchObject({ mode: 'row', parts: [{ mode: 'row' }] });
    expect(planTasks({ template: 'words' })).toMatchObject({ custom: false, ranked: 'words' });
    expect(planTasks({ template: 'seqrec' })).toMatchObject({ custom: true, mode: 'row', ranked: 'seqrec' });
    const texts = planTasks({ template: 'sid2title' });
    expect(texts.parts[0]!.mode).toBe('row');
    expect(texts).not.toHaveProperty('ranked');
  });

  test('of a mix', () => {
    const plan = planTasks({ tasks: 'sids,sid2title' });
    expect(plan).toMatchObject({ mode: 'chain', custom: true, ranked: 'sids' });
    expect(plan.parts.map(({ mode }) => mode)).toEqual(['chain', 'row']);
    expect(planTasks({ tasks: 'sids', mode: 'row' })).toMatchObject({ mode: 'row', parts: [{ mode: 'row' }] });
    expect(planTasks({ tasks: 'sid2title' })).not.toHaveProperty('ranked');
    expect(planTasks({ tasks: 'item2index,title2sid' }).ranked).toBe('item2index');
    expect(planTasks({ tasks: 'item2index,seqrec' }).ranked).toBe('seqrec');
    expect(planTasks({ tasks: 'seqrec,sids', template: 'sids' }).ranked).toBe('sids');
  });

  test('with templates of a file', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'sidlab-plan-')), 'templates.json');
    writeFileSync(
      file,
      JSON.stringify({ own: { of: 'rows', separator: '', answer: '{sid}', prompts: ['{history}'] } }),
    );
    expect(planTasks({ template: 'own', templates: file })).toMatchObject({ custom: true, mode: 'chain' });
  });

  test.each([
    [{ mode: 'batch' as 'row' }, '--mode: expected row or chain, got batch'],
    [{ tasks: 'sid2title', template: 'sids' }, 'ranked (none answers with a SID), got sids'],
    [{ tasks: 'seqrec', template: 'sids' }, 'ranked (seqrec), got sids'],
    [{ tasks: 'seqrec,words', template: 'sids' }, 'ranked (seqrec, words), got sids'],
  ])('%j is refused', (options, message) => {
    expect(() => planTasks(options)).toThrow(message);
  });
});

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
});

describe('an epoch', () => {
  const examplesOf = (set: TaskSet, epoch = 0): number[] => set.examples(epoch).map(({ example }) => example);

  test.each([
    ['seqrec', {}, 20, 20],
    ['seqrec:2', {}, 20, 40],
    ['seqrec:0.25', {}, 20, 5],
    ['seqrec:2.25', {}, 20, 45],
    ['seqrec:n=1', {}, 1, 1],
    ['seqrec:n=7', {}, 7, 7],
    ['seqrec:n=50', {}, 20, 20],
    ['seqrec', { dataRatio: 0.3 }, 6, 6],
    ['seqrec:n=7', { dataRatio: 0.3 }, 6, 6],
    ['seqrec:n=2', { dataRatio: 0.3 }, 2, 2],
    ['seqrec', { dataRatio: 0.001 }, 1, 1],
    ['seqrec', { dataRatio: 1 }, 20, 20],
  ])('%s, %j: %i examples, %i an epoch', (tasks, options, examples, perEpoch) => {
    const set = setOf(tasks, options);
    expect(set.counts()).toEqual({ seqrec: { examples, perEpoch, leftOut: 0 } });
    expect(set.examples(0)).toHaveLength(perEpoch);
    expect(new Set(examplesOf(set)).size).toBe(Math.min(examples, perEpoch));
  });

  test('whole passes in the order of the examples, then a part of them in theirs', () => {
    const list = examplesOf(setOf('seqrec:1.5', {}, 10));
    expect(list.slice(0, 10)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(list).toHaveLength(15);
    expect(list.slice(10)).toEqual([...new Set(list.slice(10))].sort((a, b) => a - b));
    const drawn = examplesOf(setOf('seqrec', { dataRatio: 0.5 }));
    expect(drawn).toEqual([...new Set(drawn)].sort((a, b) => a - b));
    expect(drawn).not.toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test('every example is drawn as often as the others, whatever its place', () => {
    const counts = new Array<number>(10).fill(0);
    for (let seed = 0; seed < 600; seed++) {
      for (const example of examplesOf(setOf('seqrec', { dataRatio: 0.5, seed }, 10))) counts[example]!++;
    }
    for (const count of counts) expect(Math.abs(count - 300)).toBeLessThan(5 * Math.sqrt(150));
  });

  test('an empty data set has no examples', () => {
    expect(setOf('seqrec', {}, 0).counts().seqrec).toEqual({ examples: 0, perEpoch: 0, leftOut: 0 });
  });

  test('prompts: 0 where there is one, else any of them', () => {
    expect(new Set(setOf('sids:row').examples(0).map(({ prompt }) => prompt))).toEqual(new Set([0])); // prettier-ignore
    const { two } = parseTemplates({ two: { of: 'rows', answer: '{sid}', prompts: ['a {history}', 'b {history}'] } }, 'x'); // prettier-ignore
    const parts = [{ name: 'two', template: two!, mode: 'row' as const, weight: 1, maxExamples: 0 }];
    const set = new TaskSet(datasetOf(10, 40), parts, promptContext(indexOf(10)), { seed: 1 });
    expect(new Set(set.examples(0).map(({ prompt }) => prompt))).toEqual(new Set([0, 1]));
    expect(set.examples(1)).not.toEqual(set.examples(0));
    const tokenizer = wordTokenizer(['a', 'b'], indexOf(10));
    const render = createRenderer(two!, indexOf(10), tokenizer);
    const first = [0, 1].map((prompt) => set.example({ task: 0, example: 3, prompt }, [render]).tokens[0]);
    expect(first).toEqual([tokenizer.tokenId('a'), tokenizer.tokenId('b')]); // not the one that was made first
  });

  test('a task of one prompt draws none, so that the others keep theirs', () => {
    const promptsOf = (tasks: string, task: number): number[] =>
      setOf(tasks).examples(0).filter((reference) => reference.task === task).map(({ prompt }) => prompt); // prettier-ignore
    expect(promptsOf('sids:row,seqrec', 1)).toEqual(promptsOf('seqrec', 0));
  });

  test('an example of chain mode is a text of its own', () => {
    const tokenizer = wordTokenizer([], indexOf(40));
    const render = createRenderer(TEMPLATES.sids!, indexOf(40), tokenizer);
    const [text] = chainTexts(datasetOf(40, 20).train, TEMPLATES.sids!, 10);
    expect(setOf('sids').example({ task: 0, example: 0, prompt: 0 }, [render])).toEqual(chainExample(text!, render));
  });

  test('an example of one prompt is made once, of its own task', () => {
    const set = setOf('sids:row,words:row');
    const tokenizer = wordTokenizer(TEMPLATES.words!.prompts[0]!.split(/\W+/), indexOf(40));
    const renderers = [TEMPLATES.sids!, TEMPLATES.words!].map((of) => createRenderer(of, indexOf(40), tokenizer));
    const of = (task: number, example: number) => set.example({ task, example, prompt: 0 }, renderers);
    expect(of(0, 2)).toBe(of(0, 2));
    expect(of(1, 2)).toEqual(rowExample(datasetOf(40, 20).train[2]!, renderers[1]!));
    expect(of(1, 2)).not.toEqual(of(0, 2));
  });

  test('chains of ten items of context unless others are asked for', () => {
    const dataset = datasetOf(40, 1);
    dataset.train = [{ user: 'u', history: [...Array(30).keys()], target: 30 }];
    const parts = parseTasks('sids', TEMPLATES, 'chain');
    const count = (options: Partial<TaskSetOptions>): number =>
      new TaskSet(dataset, parts, promptContext(indexOf(40)), { seed: 1, ...options }).counts().sids!.examples;
    const texts = (window: number): number => chainTexts(dataset.train, TEMPLATES.sids!, window).length;
    expect([count({}), count({ window: 5 })]).toEqual([texts(10), texts(5)]);
    expect([texts(10), texts(11), texts(5)]).toEqual([3, 2, 6]);
  });

  test.each([0, -0.5, 1.001, NaN])('a share of %d is refused', (dataRatio) => {
    expect(() => setOf('seqrec', { dataRatio })).toThrow(
      `--data-ratio: expected a share above 0, at most 1, got ${dataRatio}`,
    );
  });

  test('what is left out is counted', () => {
    const dataset = datasetOf(40, 20);
    dataset.items = dataset.items.map((item, i) => (i % 2 ? item : { ...item, title: '' }));
    const parts = parseTasks('title2sid', TEMPLATES, 'row');
    const { title2sid } = new TaskSet(dataset, parts, promptContext(indexOf(40), dataset.items), { seed: 1 }).counts();
    const train = taskRows(dataset, TEMPLATES.title2sid!, 'train');
    const whole = train.filter(({ target }) => target % 2).length;
    expect(title2sid).toEqual({ examples: whole, perEpoch: whole, leftOut: train.length - whole });
  });
});

describe('examples in tokens', () => {
  const tokenizer = wordTokenizer(['begin'], indexOf(9));
  const id = (item: number): number => tokenizer.tokenId(`<a_${item}>`);

  test('of a row: the answer is trained, each token from the one before it', () => {
    const template = { ...TEMPLATE, answer: '{sid}{end}' };
    const render = createRenderer(template, indexOf(9), tokenizer, { cutoffLen: 2 });
    const rows = [
      { user: 'u', history: [3, 4], target: 5 },
      { user: 'u', history: [1, 2, 3], target: 6 },
    ];
    expect(rowExamples(rows, render)).toEqual([
      { tokens: [id(3), id(4), id(5)], labelPositions: [1, 2], labels: [id(5), 0] },
      { tokens: [id(2), id(3), id(6)], labelPositions: [1, 2], labels: [id(6), 0], truncated: true },
    ]);
  });

  test('the first prompt, unless another is asked for', () => {
    const template = { ...TEMPLATE, prompts: ['{history}', 'begin {history}'] };
    const render = createRenderer(template, indexOf(9), tokenizer);
    const row = { user: 'u', history: [3], target: 5 };
    expect(rowExample(row, render).tokens).toEqual([id(3)]);
    expect(rowExample(row, render, 1).tokens).toEqual([tokenizer.tokenId('begin'), id(3)]);
  });

  test.each<[boolean, Partial<Template>]>([
    [true, {}],
    [true, { prompts: ['begin {history}'] }],
    [false, { prompts: ['{history}', '{history}'] }],
    [false, { prompts: ['{history} begin'] }],
    [false, { separator: ' ' }],
    [false, { answer: '{sid}{end}' }],
  ])('a bare sequence of items: %s for %j', (bare, of) => {
    const template = { ...TEMPLATE, ...of };
    expect(canChain(template)).toBe(bare);
    const texts = (): unknown => chainTexts([{ user: 'u', history: [1], target: 2 }], template, 2);
    if (bare) expect(texts()).toEqual([{ items: [1, 2], context: 1 }]);
    else expect(texts).toThrow('--mode chain: expected a template that is a bare sequence of items');
  });

  test('runs of so many', () => {
    expect(cutInto([1, 2, 3, 4, 5], 2)).toEqual([[1, 2], [3, 4], [5]]);
    expect(cutInto([1, 2, 3, 4], 2)).toEqual([[1, 2], [3, 4]]); // prettier-ignore
    expect(cutInto([1], 3)).toEqual([[1]]);
    expect(cutInto([], 3)).toEqual([]);
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

describe('what a history says of a taste', () => {
  const text = (of: Partial<ItemText>): ItemText => ({ title: '', description: '', summary: '', brand: '', categories: '', ...of }); // prettier-ignore

  test.each<[string, Partial<ItemText>[]]>([
    ['', []],
    ['Their taste is not known yet.', [{}]],
    ['Their taste is not known yet.', [{ title: 'set of 3 in' }]],
    ['They come back to Ace.', [{ brand: 'Ace' }]],
    ['They shop in Tools.', [{ categories: 'Tools' }]],
    ['They look for lamp.', [{ title: 'The lamp' }]],
    ['They come back to Ace and look for lamp.', [{ brand: 'Ace', title: 'lamp' }]],
    ['They come back to B and A.', [{ brand: 'A' }, { brand: 'B' }]], // the later of equal ones first
    ['They come back to C and B.', [{ brand: 'A' }, { brand: 'B' }, { brand: 'C' }]],
    ['They come back to A and C.', [{ brand: 'A' }, { brand: 'B' }, { brand: 'A' }, { brand: 'C' }]],
    ['They shop in Y.', [{ categories: 'Y' }, { categories: 'X' }, { categories: 'Y' }]],
    ['They look for four, three and two.', [{ title: 'one two three four' }]],
    ['They look for one, four and three.', [{ title: 'one two three four' }, { title: 'one' }]],
    ['They look for red.', [{ title: 'red Red RED' }]],
  ])('%s', (sentence, history) => {
    expect(preferenceText(history.map(text))).toBe(sentence);
  });
});
