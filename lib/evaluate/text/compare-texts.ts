/** What several models wrote for the same examples, side by side: rows for `showTable`, and for a spreadsheet. */
import { existsSync } from 'node:fs';
import { basename, dirname, resolve, sep } from 'node:path';
import { readJson } from '../../files/files.js';
import { InputError } from '../../support/errors.js';
import type { AnswerRow } from './generate-answers.js';
import { readGenerations } from './generations-file.js';
import { rouge } from './rouge.js';
import { largest } from '../../support/extremes.js';

/** An example and what each model wrote: columns as in `TextComparison.columns`. */
export type ComparedTexts = Record<string, string | number>;

/** Several models' texts of one task. */
export interface TextComparison {
  /** Name of the task; absent where no file says it. */
  task?: string;
  /** Names of the models: the folders of their files, as many of their last parts as tell them apart. */
  models: string[];
  /** Of each model, mean over the rows: F, stemmed. */
  'ROUGE-L': Record<string, number>;
  /**
   * `prompt`, `answer`, and for each model its name (the text) and `NAME ROUGE-L`. Where the models' prompts differ, as
   * with other SIDs or a chat template, `NAME prompt` of each in place of `prompt`.
   */
  columns: string[];
  /** In the order of the files. */
  rows: ComparedTexts[];
}

/**
 * @param results files of `generate`, `generations-TASK.jsonl`, one a model
 * @throws InputError for fewer than two files, one that is missing or given twice, of another task, or of other examples
 *
 * @example showTable((await compareTexts(['runs/a/generations-sid2title.jsonl', 'runs/b/...'])).rows)
 */
export async function compareTexts(results: readonly string[]): Promise<TextComparison> {
  checkFiles(results);
  const tasks = results.map(taskOf);
  checkTasks(results, tasks);
  const all: AnswerRow[][] = [];
  for (const file of results) {
    all.push(await readGenerations(file));
    checkExamples(results[0]!, all[0]!, file, all.at(-1)!);
  }
  const [first] = all as [AnswerRow[], ...AnswerRow[][]];
  const same = first.every(({ prompt }, row) => all.every((rows) => rows[row]!.prompt === prompt));
  const models = modelNames(results, same);
  const columns = columnsOf(models, same);
  const rows = first.map(({ prompt, answer }, row): ComparedTexts => {
    const own = ({ prompt, text }: AnswerRow) => [...(same ? [] : [prompt]), text, rouge(answer, text).rougeL.f];
    const cells = [...(same ? [prompt] : []), answer, ...all.flatMap((rows) => own(rows[row]!))];
    return Object.fromEntries(columns.map((column, i) => [column, cells[i]!]));
  });
  const task = tasks.find((task) => task !== undefined);
  const mean = (column: string): number => rows.reduce((sum, row) => sum + Number(row[column]), 0) / rows.length;
  return {
    ...(task !== undefined && { task }),
    models,
    'ROUGE-L': Object.fromEntries(models.map((name) => [name, mean(`${name} ROUGE-L`)])),
    columns,
    rows,
  };
}

function columnsOf(models: readonly string[], same: boolean): string[] {
  const own = (name: string): string[] => [...(same ? [] : [`${name} prompt`]), name, `${name} ROUGE-L`];
  return [...(same ? ['prompt'] : []), 'answer', ...models.flatMap(own)];
}

function checkFiles(results: readonly string[]): void {
  if (results.length < 2) {
    throw new InputError(`compare-texts: expected the files of two models or more, got ${results.length}`);
  }
  results.forEach((file, i) => {
    const before = results.slice(0, i).find((other) => resolve(other) === resolve(file));
    if (before !== undefined) throw new InputError(`${file}: is given twice; name each model's file once`);
    if (!existsSync(file)) throw new InputError(`${file}: no such file; run sidlab generate first`);
  });
}

/** What `generate` wrote beside its file says of which task it is. */
function taskOf(file: string): string | undefined {
  const provenance = file.replace(/(\.jsonl)?$/, '.json');
  if (!existsSync(provenance)) return undefined;
  const { task } = (readJson<{ task?: unknown } | null>(provenance) ?? {}) as { task?: unknown };
  return typeof task === 'string' ? task : undefined;
}

function checkTasks(results: readonly string[], tasks: readonly (string | undefined)[]): void {
  const first = tasks.findIndex((task) => task !== undefined);
  const other = tasks.findIndex((task) => task !== undefined && task !== tasks[first]);
  if (other >= 0) {
    throw new InputError(
      `${results[other]}: expected task ${tasks[first]} as in ${results[first]}, got ${tasks[other]}; compare one task at a time`,
    );
  }
}

/** Examples are the same where their answers and items are; prompts may differ. */
function checkExamples(first: string, expected: readonly AnswerRow[], file: string, rows: readonly AnswerRow[]): void {
  const mend = 'generate both of the same data, with the same --split and --limit';
  if (rows.length !== expected.length) {
    throw new InputError(`${file}: expected ${expected.length} rows as in ${first}, got ${rows.length}; ${mend}`);
  }
  const shown = ({ answer, item }: AnswerRow): string =>
    JSON.stringify(answer.length > 40 ? `${answer.slice(0, 40)}...` : answer) +
    (item === undefined ? '' : ` (item ${item})`);
  const row = rows.findIndex(({ answer, item }, i) => answer !== expected[i]!.answer || item !== expected[i]!.item);
  if (row >= 0) {
    throw new InputError(
      `${file}: expected the answer ${shown(expected[row]!)} of row ${row + 1} as in ${first}, got ${shown(rows[row]!)}; ${mend}`,
    );
  }
}

/**
 * The last part of each file's folder, or as many as tell all columns apart; files of one folder have their own name too.
 * Where no number of parts does (folders `a` and `a ROUGE-L`), the models are numbered.
 * @example modelNames(['runs/a/sft/x.jsonl', 'runs/b/sft/x.jsonl'], true) // ['a/sft', 'b/sft']
 */
function modelNames(results: readonly string[], same: boolean): string[] {
  const folders = results.map((file) => dirname(resolve(file)));
  const alone = new Set(folders).size === folders.length;
  const parts = results.map((file, i) => [
    ...folders[i]!.split(sep),
    ...(alone ? [] : [basename(file).replace(/\.jsonl$/, '')]),
  ]);
  const fewest = alone ? 1 : 2;
  const longest = largest(parts.map(({ length }) => length));
  for (let count = fewest; count < longest; count++) {
    const names = parts.map((of) => of.slice(-count).join('/'));
    const columns = columnsOf(names, same);
    if (names.every((name) => name !== '') && new Set(columns).size === columns.length) return names;
  }
  return parts.map((of, i) => `${i + 1} ${of.slice(-fewest).join('/')}`);
}
