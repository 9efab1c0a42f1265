/** Several models' texts side by side: rows, names, the CSV as our own reader opens it, and what is refused. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parseCsv } from '../../lib/data/csv.js';
import { compareTexts } from '../../lib/evaluate/text/compare-texts.js';
import { compareTextsStage } from '../../lib/evaluate/text/compare-texts-stage.js';
import type { AnswerRow } from '../../lib/evaluate/text/generate-answers.js';
import { writeGenerations } from '../../lib/evaluate/text/generations-file.js';
import { tableText } from '../../lib/figures/show-table.js';
import { readUtf8 } from '../../lib/files/whole-file.js';

const folder = mkdtempSync(join(tmpdir(), 'sidlab-compare-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const row = (answer: string, text: string, item: number, prompt = `Name item ${item}:\n`): AnswerRow => ({
  ...{ prompt, answer, text, ended: true, item },
});

/** A file of generations, with what is said of it beside it where a task is named. */
function file(path: string, rows: readonly AnswerRow[], task?: string): string {
  const whole = join(folder, path);
  mkdirSync(dirname(whole), { recursive: true });
  writeGenerations(whole, rows);
  if (task !== undefined) writeFileSync(whole.replace('.jsonl', '.json'), JSON.stringify({ task }));
  return whole;
}

const A = [row('steel kettle', 'steel kettles', 0), row('folding lamp', '=HYPERLINK("x")', 1)];
const B = [row('steel kettle', 'a lamp, "bright"\nand new', 0), row('folding lamp', 'folding lamp é', 1)];
const a = file('runs/base/generations-sid2title.jsonl', A, 'sid2title');
const b = file('runs/tuned/generations-sid2title.jsonl', B, 'sid2title');

test('prompt, answer, and a text with its ROUGE-L for each model', async () => {
  const comparison = await compareTexts([a, b]);
  expect(comparison).toMatchObject({ task: 'sid2title', models: ['base', 'tuned'] });
  expect(comparison.columns).toEqual(['prompt', 'answer', 'base', 'base ROUGE-L', 'tuned', 'tuned ROUGE-L']);
  expect(comparison.rows).toEqual([
    {
      ...{ prompt: 'Name item 0:\n', answer: 'steel kettle', base: 'steel kettles', 'base ROUGE-L': 1 },
      ...{ tuned: 'a lamp, "bright"\nand new', 'tuned ROUGE-L': 0 },
    },
    {
      ...{ prompt: 'Name item 1:\n', answer: 'folding lamp', base: '=HYPERLINK("x")', 'base ROUGE-L': 0 },
      ...{ tuned: 'folding lamp é', 'tuned ROUGE-L': 1 },
    },
  ]);
  expect(comparison['ROUGE-L']).toEqual({ base: 0.5, tuned: 0.5 });
  expect(tableText(comparison.rows).split('\n')[0]).toMatch(
    /^prompt +answer +base +base ROUGE-L +tuned +tuned ROUGE-L$/,
  );
});

test('the CSV: a byte order mark, no formulas, the same texts by our own reader', async () => {
  const out = join(folder, 'made/compared.csv');
  const report = await compareTextsStage({ results: [a, b], out });
  expect(report).toMatchObject({ task: 'sid2title', models: ['base', 'tuned'], rows: 2, out });
  expect(report.examples).toEqual((await compareTexts([a, b])).rows);
  expect([...readFileSync(out).subarray(0, 3)]).toEqual([0xef, 0xbb, 0xbf]);
  const records = parseCsv(readUtf8(out), out).map(({ cells }) => cells);
  expect(records).toEqual([
    ['prompt', 'answer', 'base', 'base ROUGE-L', 'tuned', 'tuned ROUGE-L'],
    ['Name item 0:\n', 'steel kettle', 'steel kettles', '1', 'a lamp, "bright"\nand new', '0'],
    ['Name item 1:\n', 'folding lamp', '\'=HYPERLINK("x")', '0', 'folding lamp é', '1'],
  ]);
  const long = Array.from({ length: 7 }, (_, i) => row('x', 'x', i));
  const many = await compareTextsStage({ results: [file('m/g.jsonl', long), file('n/g.jsonl', long)], out });
  expect([many.rows, many.examples.length]).toEqual([7, 5]);
});

test('prompts that differ are shown for each model', async () => {
  const other = file('runs/chat/generations.jsonl', [{ ...B[0]!, prompt: 'user: Name item 0:' }, B[1]!]);
  const { columns, rows, task } = await compareTexts([a, other]);
  expect(columns).toEqual(['answer', 'base prompt', 'base', 'base ROUGE-L', 'chat prompt', 'chat', 'chat ROUGE-L']);
  expect(Object.keys(rows[0]!)).toEqual(columns);
  expect(rows[0]).toMatchObject({ 'base prompt': 'Name item 0:\n', 'chat prompt': 'user: Name item 0:' });
  expect(task).toBe('sid2title'); // one of them says so
});

describe('names: as many parts of the folder as tell the columns apart', () => {
  test.each([
    [
      ['x/a/sft/g.jsonl', 'x/b/sft/g.jsonl'],
      ['a/sft', 'b/sft'],
    ],
    [
      ['x/a/g.jsonl', 'x/b/g.jsonl', 'x/c/g.jsonl'],
      ['a', 'b', 'c'],
    ],
    [
      ['y/g-1.jsonl', 'y/g-2.jsonl'],
      ['y/g-1', 'y/g-2'],
    ],
    [
      ['z/prompt/g.jsonl', 'z/answer/g.jsonl'],
      ['z/prompt', 'z/answer'],
    ],
    [
      ['w/a/g.jsonl', 'w/a ROUGE-L/g.jsonl'],
      ['1 a', '2 a ROUGE-L'],
    ],
    [
      ['v/__proto__/g.jsonl', 'v/1/g.jsonl'],
      ['__proto__', '1'],
    ],
  ])('%j', async (paths, names) => {
    const { models, columns, rows } = await compareTexts(paths.map((path) => file(path, A)));
    expect(models).toEqual(names);
    expect(new Set(columns).size).toBe(2 + 2 * paths.length);
    expect(Object.keys(rows[0]!).sort()).toEqual([...columns].sort());
  });
});

describe('what is refused, in one line, before anything is written', () => {
  const out = join(folder, 'refused.csv');
  const fewer = file('fewer/g.jsonl', A.slice(1));
  const answers = file('answers/g.jsonl', [A[0]!, { ...A[1]!, answer: 'x'.repeat(99) }]);
  const items = file('items/g.jsonl', [A[0]!, { ...A[1]!, item: 4 }]);
  const task = file('task/g.jsonl', A, 'index2item');
  const broken = join(folder, 'broken.jsonl');
  writeFileSync(broken, '{"prompt":1}\n');
  const empty = join(folder, 'empty.jsonl');
  writeFileSync(empty, '');

  test.each([
    [[a], 'compare-texts: expected the files of two models or more, got 1'],
    [[a, join(folder, 'none.jsonl')], 'none.jsonl: no such file; run sidlab generate first'],
    [[a, b, join(dirname(a), '../base/generations-sid2title.jsonl')], 'is given twice; name each'],
    [[a, fewer], `fewer/g.jsonl: expected 2 rows as in ${a}, got 1; generate both of the same data`],
    [
      [a, answers],
      `answers/g.jsonl: expected the answer "folding lamp" (item 1) of row 2 as in ${a}, got "${'x'.repeat(40)}..." (item 1); generate both`,
    ],
    [[a, b, items], 'items/g.jsonl: expected the answer "folding lamp" (item 1) of row 2'],
    [[a, task], `task/g.jsonl: expected task sid2title as in ${a}, got index2item; compare one task at a time`],
    [[fewer, a, task], 'expected task sid2title'],
    [[a, broken], 'broken.jsonl:1: prompt is missing or of another kind; generate again'],
    [[a, empty], 'empty.jsonl: expected generations, got an empty file'],
    [[], 'expected results to be one or more texts, got []'],
  ])('%#', async (results, message) => {
    const refused = await compareTextsStage({ results, out }).then(() => '', (error: Error) => error.message); // prettier-ignore
    expect(refused).toContain(message);
    expect(refused.split('\n')).toHaveLength(1);
    expect(existsSync(out)).toBe(false);
  });

  test('the CSV in place of a file that is compared', async () => {
    await expect(compareTextsStage({ results: [a, b], out: b })).rejects.toThrow(
      'is one of the files that are compared',
    );
    expect((await compareTexts([a, b])).rows).toHaveLength(2);
  });
});
