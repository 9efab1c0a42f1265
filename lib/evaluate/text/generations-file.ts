/**
 * `generations.jsonl`: one line an example, what the metrics of a text task are computed from:
 * `{"prompt":"What is the title of item <a_1><b_2>?\n","answer":"Steel kettle","text":"Steel pot","ended":true,"item":7}`.
 */
import { parseObject } from '../../data/raw/json-text.js';
import { readLines, writeAtomic } from '../../files/files.js';
import { InputError } from '../../support/errors.js';
import type { AnswerRow } from './generate-answers.js';

/** Writes `generations-TASK.jsonl`, a line for each answer. */
export function writeGenerations(path: string, rows: readonly AnswerRow[]): void {
  writeAtomic(path, generationLines(rows));
}

function* generationLines(rows: readonly AnswerRow[]): Generator<string> {
  for (const row of rows) yield JSON.stringify(row) + '\n';
}

/** @throws InputError for a missing or empty file, a broken line, a missing field: file, line and mend */
export async function readGenerations(path: string): Promise<AnswerRow[]> {
  const rows: AnswerRow[] = [];
  for await (const { text, number } of readLines(path)) rows.push(parseRow(text, `${path}:${number}`));
  if (rows.length === 0) throw new InputError(`${path}: expected generations, got an empty file; generate again`);
  return rows;
}

function parseRow(line: string, where: string): AnswerRow {
  const { prompt, answer, text, ended, item, beams } = parseObject(line, where);
  const texts = (value: unknown): value is string[] =>
    Array.isArray(value) && value.every((element) => typeof element === 'string');
  const wrong = (field: string): never => {
    throw new InputError(`${where}: ${field} is missing or of another kind; generate again`);
  };
  if (typeof prompt !== 'string') return wrong('prompt');
  if (typeof answer !== 'string') return wrong('answer');
  if (typeof text !== 'string') return wrong('text');
  if (typeof ended !== 'boolean') return wrong('ended');
  if (item !== undefined && typeof item !== 'number') return wrong('item');
  if (beams !== undefined && !texts(beams)) return wrong('beams');
  return { prompt, answer, text, ended, ...(item !== undefined && { item }), ...(beams !== undefined && { beams }) };
}
