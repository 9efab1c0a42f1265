/** From a mix of tasks to an epoch's examples, on a data set that can be counted by hand. */
import { describe, expect, test } from 'vitest';
import { wordTokenizer } from '../../lib/lm/tokenizer/tokenizer.js';
import { Random } from '../../lib/support/random.js';
import { chainExample, chainTexts, rowExample } from '../../lib/tasks/examples.js';
import { createRenderer, promptContext } from '../../lib/tasks/prompts.js';
import { parseTasks } from '../../lib/tasks/task-mix.js';
import { taskRows } from '../../lib/tasks/task-rows.js';
import { TaskSet, type TaskSetOptions } from '../../lib/tasks/task-set.js';
import { parseTemplates, TEMPLATES } from '../../lib/tasks/templates.js';
import { datasetOf, indexOf } from './small-dataset.js';

function setOf(tasks: string, options: Partial<TaskSetOptions> = {}, rows = 20, items = 40): TaskSet {
  const parts = parseTasks(tasks, TEMPLATES, 'chain');
  return new TaskSet(datasetOf(items, rows), parts, promptContext(indexOf(items), datasetOf(items, rows).items), {
    seed: 1,
    ...options,
  });
}

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

  test('each example draws its prompt in turn, by the seed and the epoch', () => {
    const count = TEMPLATES.seqrec!.prompts.length;
    for (const epoch of [0, 5]) {
      const random = new Random(`1/wording/${epoch}`);
      const expected = Array.from({ length: 20 }, () => random.int(count));
      expect(
        setOf('seqrec')
          .examples(epoch)
          .map(({ prompt }) => prompt),
      ).toEqual(expected);
    }
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

test('a task whose only example lacks its text is refused', () => {
  const dataset = datasetOf(3, 1); // an item each for validation and test
  dataset.items = dataset.items.map((item) => ({ ...item, title: '' }));
  const parts = parseTasks('title2sid', TEMPLATES, 'row');
  const context = promptContext(indexOf(3), dataset.items);
  expect(taskRows(dataset, TEMPLATES.title2sid!, 'train')).toHaveLength(1);
  expect(() => new TaskSet(dataset, parts, context, { seed: 1 })).toThrow('--tasks: title2sid: no training example');
});

describe('several prompts an example, and the loss on prompts', () => {
  test('an example has so many different prompts in a pass, each as often as the others', () => {
    const set = setOf('title2sid', { promptsPerExample: 3 }, 20, 40);
    const { examples, perEpoch } = set.counts().title2sid!;
    expect(perEpoch).toBe(3 * examples);
    const seen = new Array<number>(5).fill(0);
    for (let epoch = 0; epoch < 60; epoch++) {
      const byExample = new Map<number, number[]>();
      for (const { example, prompt } of set.examples(epoch)) {
        byExample.set(example, [...(byExample.get(example) ?? []), prompt]);
        seen[prompt]!++;
      }
      expect(byExample.size).toBe(examples);
      for (const prompts of byExample.values()) expect(new Set(prompts).size).toBe(3);
    }
    // each of five prompts three times in five
    const expected = (60 * examples * 3) / 5;
    for (const count of seen) expect(Math.abs(count - expected)).toBeLessThan(5 * Math.sqrt(0.4 * expected));
    expect(setOf('title2sid', { promptsPerExample: 9 }).counts().title2sid!.perEpoch).toBe(5 * examples);
    expect(setOf('sids', { promptsPerExample: 3 }).counts().sids!.perEpoch).toBe(setOf('sids').counts().sids!.examples);
  });

  test('with the loss on all, every token but the first is a label', () => {
    const words = 'Which item has the title thing It is number ? "'.split(' ');
    const tokenizer = wordTokenizer(words, indexOf(40));
    const render = createRenderer(TEMPLATES.title2sid!, indexOf(40), tokenizer, { items: datasetOf(40, 20).items });
    const [all, answer] = (['all', 'answer'] as const).map((lossOn) => {
      const set = setOf('title2sid', { lossOn });
      return set.example({ task: 0, example: 3, prompt: 0 }, [render]);
    });
    expect(all!.tokens).toEqual(answer!.tokens);
    expect(all!.labelPositions).toEqual(all!.tokens.map((_, i) => i));
    expect([all!.tokens[0], ...all!.labels]).toEqual([...answer!.tokens, answer!.labels.at(-1)]);
    expect(answer!.labels.length).toBeLessThan(all!.labels.length);
    expect(all!.labels.slice(-answer!.labels.length)).toEqual(answer!.labels);
  });

  test('held-out items: a share of each of validation and test, the same ones whatever else', () => {
    const dataset = datasetOf(100, 20);
    const of = (split: 'train' | 'valid' | 'test', share?: number) =>
      taskRows(dataset, TEMPLATES.title2sid!, split, undefined, share).map(({ target }) => target);
    expect([of('train', 0.1), of('valid', 0.1), of('test', 0.1)].map(({ length }) => length)).toEqual([80, 10, 10]);
    expect([of('train'), of('valid'), of('test')].map(({ length }) => length)).toEqual([90, 5, 5]);
    const all = [...of('train', 0.1), ...of('valid', 0.1), ...of('test', 0.1)];
    expect(new Set(all).size).toBe(100);
    const { examples } = setOf('title2sid', { heldOutItems: 0.1 }).counts().title2sid!;
    expect(examples).toBe(40 - 2 * 4);
  });
});

test('examples are kept as far as there is room for their tokens, and are the same when they are made anew', () => {
  const render = createRenderer(TEMPLATES.sids!, indexOf(40), wordTokenizer(['a'], indexOf(40)));
  const of = (set: TaskSet, example: number) => set.example({ task: 0, example, prompt: 0 }, [render]);
  const [all, some] = [setOf('sids'), setOf('sids', { keptTokens: 3 * of(setOf('sids'), 0).tokens.length })];
  const kept = [...Array(5).keys()].map((i) => {
    expect(of(some, i)).toEqual(of(all, i));
    expect(of(all, i)).toBe(of(all, i));
    return of(some, i) === of(some, i);
  });
  expect(kept).toEqual([true, true, true, false, false]);
});
