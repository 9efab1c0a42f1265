/** What prompts say beside items: numbered histories, what items are called, enriched fields, preferences from a file. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { categoryPhrase } from '../../lib/data/category.js';
import type { Dataset } from '../../lib/data/dataset.js';
import { wordTokenizer } from '../../lib/lm/tokenizer/tokenizer.js';
import { preferenceLines, readPreferences } from '../../lib/tasks/preferences-file.js';
import { promptWords } from '../../lib/tasks/prompt-words.js';
import { createRenderer, promptContext, renderAnswer, renderPrompt } from '../../lib/tasks/prompts.js';
import { parseTasks } from '../../lib/tasks/task-mix.js';
import { taskRows } from '../../lib/tasks/task-rows.js';
import { TaskSet } from '../../lib/tasks/task-set.js';
import { holdsText, parseTemplates, type Template, TEMPLATES } from '../../lib/tasks/templates.js';
import { datasetOf, indexOf } from './small-dataset.js';

const dir = mkdtempSync(join(tmpdir(), 'sidlab-words-'));
const index = indexOf(40);
const dataset = datasetOf(40, 20);
const NUMBERED: Template = {
  of: 'rows',
  separator: ', ',
  answer: '{sid}',
  prompts: ['Of {category}: {history_numbered} then'],
};

test('a history with numbers, from 1 whatever is left out', () => {
  const context = promptContext(index, dataset.items, [], undefined, promptWords({ name: 'Toys_and_Games' }));
  const subject = { history: [4, 7, 9], item: 1 };
  expect(renderPrompt(NUMBERED, subject, context)).toBe('Of toys and games: 1. <a_4>, 2. <a_7>, 3. <a_9> then');
  expect(renderPrompt(NUMBERED, subject, context, 0, 1)).toBe('Of toys and games: 1. <a_7>, 2. <a_9> then');
  expect(renderPrompt(NUMBERED, subject, promptContext(index))).toContain('Of items: ');
  expect(holdsText(NUMBERED)).toBe(true);
});

test('a renderer gets the words too, and cuts a numbered history to the limit', () => {
  const tokenizer = wordTokenizer('Of toys and games then : , . 1 2 3'.split(' '), index);
  const words = promptWords({ name: 'Toys' });
  const whole = createRenderer(NUMBERED, index, tokenizer, words);
  expect(whole.prompt([4, 7, 9])).not.toContain(tokenizer.tokenId('<unk>'));
  const cut = createRenderer(NUMBERED, index, tokenizer, { ...words, cutoffLen: whole.prompt([4, 7, 9]).length - 1 });
  expect(cut.prompt([4, 7, 9])).toEqual(whole.prompt([7, 9]));
  expect(cut.truncated).toBe(1);
});

test.each([
  ['Industrial_and_Scientific', 'industrial and scientific items'],
  ['Industrial', 'industrial and scientific items'],
  ['Sports', 'sports and outdoors'],
  ['Games', 'video games'],
  ['my-shop_2', 'my shop 2'],
  ['constructor', 'constructor'],
])('%s are %s', (name, phrase) => expect(categoryPhrase(name)).toBe(phrase));

test('what is sold together is called by all its names', () => {
  const parts = ['Toys', 'Games'].map((name) => ({ name, items: 0, rows: 0, sources: {} }) as never);
  expect(promptWords({ name: 'joined', parts }).category).toBe('toys and games, video games');
});

test('templates: {category} may be anywhere, but is no question or answer by itself', () => {
  const good = { of: 'items', answer: '{sid}{end}', prompts: ['{title} of {category}'] };
  expect(parseTemplates({ x: good }, 'f').x!.prompts).toEqual(good.prompts);
  expect(() => parseTemplates({ x: { ...good, prompts: ['{category}'] } }, 'f')).toThrow(
    'prompt 1 holds no placeholder',
  );
  expect(() => parseTemplates({ x: { ...good, answer: '{category}' } }, 'f')).toThrow(
    'the answer holds no placeholder',
  );
  expect(() => parseTemplates({ x: { ...good, answer: '{tags}', prompts: ['{tags}'] } }, 'f')).toThrow(
    '{tags} would give',
  );
});

describe('enriched fields', () => {
  const extra = { enhanced_title: 'E', tags: ['a', 'b'], highlights: 'h', characteristics: { size: 'L' } };
  const items = dataset.items.map((item, i) => ({
    ...item,
    ...(i % 2 === 0 && { extra }),
    ...(i === 1 && { extra: { ...extra, tags: [] } }),
  }));
  const enriched: Dataset = { ...dataset, items };
  const context = promptContext(index, items);

  test('text_enrich answers with all four, of items that have them all', () => {
    const rows = taskRows(enriched, TEMPLATES.text_enrich!, 'train', context);
    const held = ['valid', 'test'].flatMap((split) =>
      taskRows(enriched, TEMPLATES.text_enrich!, split as 'valid').map(({ target }) => target),
    );
    const even = items.map((_, i) => i).filter((i) => i % 2 === 0 && !held.includes(i));
    expect(rows.map(({ target }) => target)).toEqual(even);
    expect(renderAnswer(TEMPLATES.text_enrich!, { history: [], item: 0 }, { ...context, end: '' })).toBe(
      'E\nTags: a, b\nHighlights: h\nCharacteristics: size: L',
    );
  });

  test('a task without a single example is an error that says what it asks for', () => {
    const parts = parseTasks('text_enrich', TEMPLATES, 'row');
    expect(() => new TaskSet(dataset, parts, promptContext(index, dataset.items), { seed: 1 })).toThrow(
      '--tasks: text_enrich: no training example has all that it asks for (sid, title, brand, categories, enhanced_title, tags, highlights, characteristics)',
    );
  });
});

describe('preferences of a file', () => {
  const line = (history: number[], target: number | undefined, text: string) => ({
    user: 7,
    user_preference: text,
    context: { history_items: history, ...(target !== undefined && { target_item: target }) },
    split: 'train',
  });
  const lines = [line([1], 2, 'likes two'), line([1], 3, 'likes three'), line([5, 6], undefined, 'likes any')];
  const write = (name: string, text: string) => {
    writeFileSync(join(dir, name), text);
    return join(dir, name);
  };

  test('by history and target; JSON lines and a JSON list alike', () => {
    for (const text of [lines.map((l) => JSON.stringify(l)).join('\n\n'), JSON.stringify(lines)]) {
      const of = readPreferences(write('p.jsonl', text));
      expect([of([1], 2), of([1], 3), of([1], 9), of([5, 6], 0)]).toEqual([
        ...['likes two', 'likes three', 'likes two', 'likes any'],
      ]);
      expect([of([5], 2), of([], 0), of([6, 5], 0)]).toEqual([undefined, undefined, undefined]);
    }
  });

  test('of a history alone they are for every target that has none of its own', () => {
    const of = readPreferences(
      write('p.jsonl', JSON.stringify([lines[0], line([1], undefined, 'likes all'), lines[1]])),
    );
    expect([of([1], 2), of([1], 3), of([1], 9)]).toEqual(['likes two', 'likes three', 'likes all']);
  });

  test('line by line as they are', () => {
    const bare = { user_preference: 'x', context: { history_items: [], target_item: null } };
    expect(preferenceLines(write('p.jsonl', JSON.stringify([lines[0], bare])))).toEqual([
      { user: '7', user_preference: 'likes two', context: { history_items: [1], target_item: 2 }, split: 'train' },
      { user: '', user_preference: 'x', context: { history_items: [] } },
    ]);
    expect(preferenceLines(write('p.jsonl', JSON.stringify(bare)))[0]).not.toHaveProperty('split');
  });

  test('stand in prompts and answers; rows without one are left out', () => {
    const words = promptWords(dataset, write('p.jsonl', lines.map((l) => JSON.stringify(l)).join('\n')));
    const context = promptContext(index, dataset.items, [], undefined, words);
    const rows = taskRows(dataset, TEMPLATES.preference!, 'train', context);
    expect(rows.map(({ history }) => history)).toEqual([[1]]);
    expect(renderAnswer(TEMPLATES.preference!, { history: [1], item: 2 }, context)).toContain('likes two So the next');
    expect(renderPrompt(TEMPLATES.preference2sid!, { history: [1], item: 3 }, context)).toContain('likes three');
    expect(taskRows(dataset, TEMPLATES.seqrec!, 'train', context)).toHaveLength(20);
  });

  test.each([
    ['{"user": 1}', 'bad.jsonl:1: expected {user, user_preference: text, context'],
    ['{"user_preference": "x", "context": {"history_items": [1.5]}}', 'bad.jsonl:1: expected'],
    ['{"user_preference": "x", "context": {"history_items": [1], "target_item": "2"}}', 'bad.jsonl:1: expected'],
    ['\n\nnonsense', 'bad.jsonl:3: not valid JSON'],
    ['[{"user": 1}]', 'bad.jsonl: element 1: expected'],
    ['[{', 'bad.jsonl: not valid JSON'],
    ['[null]', 'bad.jsonl: element 1: expected'],
  ])('%s', (text, message) => expect(() => readPreferences(write('bad.jsonl', text))).toThrow(message));
});
