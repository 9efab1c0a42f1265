/** A line of `results.jsonl` by `JSON.parse`, with what is wrong with it. */
import { parseObject } from '../../data/raw/json-text.js';
import { InputError } from '../../support/errors.js';
import type { Result } from '../result.js';

/** @param where file and line, for the error @throws InputError for a broken line or a missing field */
export function parseResult(text: string, where: string): Result {
  if (!text.endsWith('}')) throw new InputError(`${where}: not valid JSON, the line is cut short; evaluate again`);
  const { user, history, target, items, scores, targetLogProbs } = parseObject(text, where);
  const numbers = (value: unknown): value is number[] =>
    Array.isArray(value) && value.every((element) => typeof element === 'number');
  const wrong = (field: string): never => {
    throw new InputError(`${where}: ${field} is missing or of another kind; evaluate again`);
  };
  if (typeof user !== 'string') return wrong('user');
  if (!numbers(history)) return wrong('history');
  if (typeof target !== 'number') return wrong('target');
  if (!numbers(items)) return wrong('items');
  if (Array.isArray(scores) && scores.includes(null)) {
    throw new InputError(
      `${where}: score ${scores.indexOf(null) + 1} is NaN or infinite; look for the model's first NaN loss`,
    );
  }
  if (!numbers(scores) || scores.length !== items.length) return wrong('scores (one an item)');
  if (targetLogProbs !== undefined && !numbers(targetLogProbs)) return wrong('targetLogProbs');
  return { user, history, target, items, scores, ...(targetLogProbs && { targetLogProbs }) };
}
