/** Names and texts of any letters in Markdown, LaTeX, CSV and commands. */
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { parseCsv } from '../../lib/data/csv.js';
import { shellQuote } from '../../lib/support/shell-quote.js';
import type { FilledTable } from '../../lib/tables/fill-table.js';
import { commandOf, needsOf } from '../../lib/tables/row-command.js';
import { toCsv, toLatex, toMarkdown } from '../../lib/tables/table-text.js';
import fc from '../fast-check.js';
import { TABLE } from './toys.js';

function filled(models: readonly string[], texts: Partial<typeof TABLE> = {}, label = 'Toys'): FilledTable {
  const dataset = { ...TABLE.datasets[0]!, label };
  const rows = models.map((model) => ({ model, published: {}, note: 'as it is' }));
  return { name: 'toys', table: { ...TABLE, ...texts }, datasets: [{ dataset, rows }] };
}

const ANY = fc.string({ unit: fc.constantFrom('a', ' ', '|', '\\', '\n', '\r', '"', ',', '[', '*'), maxLength: 8 });

/** GFM's rule: a backslash takes what follows; a bar that is not taken ends a cell. */
function cellsOf(line: string): string[] {
  const cells = [''];
  for (let i = 0; i < line.length; i++) {
    if (line[i] === '|') cells.push('');
    else cells[cells.length - 1] += line[i] === '\\' ? line[++i]! : line[i]!;
  }
  return cells.slice(1, -1).map((cell) => cell.slice(1, -1));
}

test('Markdown: a line a row, whose first cell is the name', () => {
  fc.assert(
    fc.property(ANY, ANY, (model, text) => {
      const markdown = toMarkdown(filled([model], { title: text, source: text, claim: text }, text));
      expect(markdown).not.toMatch(/\r/);
      const lines = markdown.split('\n');
      expect(lines).toHaveLength(14); // as many as without line ends in the texts
      const cells = cellsOf(lines.at(-2)!);
      expect(cells).toHaveLength(1 + 2 * TABLE.metrics.length + 2);
      expect(cells[0]!.replace(/\s/g, '')).toBe(model.replace(/\s/g, ''));
      expect(cells.at(-1)).toBe('as it is');
    }),
  );
  expect(toMarkdown(filled(['a\\|b\r\nc']))).toContain('| a\\\\\\|b c |');
  expect(toMarkdown(filled(['A'], { title: 'one\ntwo' }))).toMatch(/^# one two\n\nPublished values: nobody\.\n/);
});

test('CSV: what was written is read again, line ends and all', () => {
  fc.assert(
    fc.property(ANY, ANY, (model, other) => {
      const records = parseCsv(toCsv(filled([`-${model}`, `-${other}`])), 'toys.csv');
      const models = records.slice(1).map(({ cells }) => cells[1]);
      expect(models).toEqual([`-${model}`, `-${model}`, `-${other}`, `-${other}`]);
    }),
  );
  expect(toCsv(filled(['a\rb']))).toContain('Toys,"a\rb",HR@1');
});

test('LaTeX: a comment is a line, and no name is an argument of the line before', () => {
  const names = ['[1] model', ' *', 'a [b]', 'two\nlines', ''];
  const lines = toLatex(filled(names, { title: 'one\ntwo', source: 'x\r\n\\y', claim: 'a\rb' }, 'L\n\nM')).split('\n');
  expect(lines.slice(0, 4)).toEqual(['% one two', '% published values: x \\y', '% claims: a b', '\\begin{tabular}{lrrll}']);
  const rows = lines.slice(-9, -3).map((line) => line.split(' & ')[0]);
  expect(rows).toEqual(['\\multicolumn{5}{l}{\\textit{L M}} \\\\', '{}[1] model', '{} *', 'a [b]', 'two lines', '']);
}); // prettier-ignore

test('commands name folders as a shell reads them', () => {
  const words = ['my data', "it's", '$HOME/`x`', '~/data', 'a"b', '*', 'data/toys-1.2_x', '', 'a;b', 'é ü'];
  const said = execFileSync('sh', ['-c', `printf '%s\\n' ${words.map(shellQuote).join(' ')}`], { encoding: 'utf8' });
  expect(said.split('\n').slice(0, -1)).toEqual(words);
  expect(shellQuote('data/toys-1.2_x')).toBe('data/toys-1.2_x');
  expect(commandOf({ stage: 'sft' }, 'my data')).toBe(
    "sidlab sft --data 'my data' && sidlab evaluate --data 'my data' --model 'my data/runs/sft/model'",
  );
  const tiger = { baseline: 'tiger', options: { index: 'my index.json' } } as const;
  expect(commandOf(tiger, "it's")).toMatch(/^sidlab baseline tiger --data 'it'\\''s' --index 'my index.json'/);
  const row = { model: 'A', needs: 'time', command: 'sidlab sft --data DIR --run DIR/runs/a', published: {} };
  expect(needsOf(row, 'my $& data')).toBe("needs time: sidlab sft --data 'my $& data' --run 'my $& data'/runs/a");
  expect(needsOf(row)).toBe('needs time: sidlab sft --data DIR --run DIR/runs/a');
});
