/**
 * Preferences that somebody wrote of users' histories, as MiniOneRec's preference data sets read them: JSON lines or a JSON
 * list of `{user, user_preference, context: {history_items, target_item}, split}`.
 *
 * Departures: a text belongs to its history and target rather than to a row of its own, so that it serves the rows of
 * every split; lines whose history is not one of the data's rows are counted by nobody. A text that was written with the
 * target before its author's eyes gives the answer away in `preference2sid`: `sidlab enrich --what preferences` shows
 * the history alone.
 */
import { readText } from '../files/files.js';
import { parseObject } from '../data/raw/json-text.js';
import { InputError } from '../support/errors.js';

/** A user's preference as text: of a history and, where several rows have the same one, of their targets. */
export type PreferenceOf = (history: readonly number[], target: number) => string | undefined;

/** A line of the file. */
export interface PreferenceLine {
  /** Name of the user. */
  user: string;
  /** The text. */
  user_preference: string;
  /** What it was written of; items by id, oldest first. */
  context: { history_items: number[]; target_item?: number };
  /** Split of the row. */
  split?: string;
}

/** @throws InputError for a missing file, or a line of another form: file, line and mend */
export function readPreferences(path: string): PreferenceOf {
  const texts = new Map<string, Map<number | undefined, string>>(); // by history and target
  for (const { user_preference: text, context } of preferenceLines(path)) {
    const key = context.history_items.join(' ');
    const byTarget = texts.get(key) ?? new Map<number | undefined, string>();
    byTarget.set(context.target_item, text);
    texts.set(key, byTarget);
  }
  return (history, target) => {
    const found = texts.get(history.join(' '));
    return found && (found.get(target) ?? found.get(undefined) ?? found.values().next().value);
  };
}

/** @throws as `readPreferences` */
export function preferenceLines(path: string): PreferenceLine[] {
  const text = readText(path, 'check --preferences');
  if (!text.trimStart().startsWith('[')) {
    return text.split(/\r?\n/).flatMap((line, i) => (line.trim() === '' ? [] : [lineOf(line, `${path}:${i + 1}`)]));
  }
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    throw new InputError(`${path}: not valid JSON; write it anew, or as one object a line`);
  }
  return (list as unknown[]).map((value, i) => checked(value, `${path}: element ${i + 1}`));
}

const lineOf = (line: string, where: string): PreferenceLine => checked(parseObject(line, where), where);

function checked(value: unknown, where: string): PreferenceLine {
  const { user = '', user_preference: text, context, split } = (value ?? {}) as Record<string, unknown>;
  const { history_items: history, target_item: target } = (context ?? {}) as Record<string, unknown>;
  const ids = Array.isArray(history) && history.every((id) => Number.isSafeInteger(id));
  const aimed = target === undefined || target === null || Number.isSafeInteger(target);
  if (typeof text !== 'string' || !ids || !aimed) {
    throw new InputError(
      `${where}: expected {user, user_preference: text, context: {history_items: [ids], target_item: id}}; mend or remove the line`,
    );
  }
  return {
    user: String(user as string | number),
    user_preference: text,
    context: { history_items: history as number[], ...(typeof target === 'number' && { target_item: target }) },
    ...(typeof split === 'string' && { split }),
  };
}
