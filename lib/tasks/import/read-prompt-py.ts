/**
 * A `prompt.py` of GRec or LC-Rec as templates: lists of `{"instruction": ..., "response": ...}` under the names of tasks
 * (`all_prompt["seqrec"] = ...`), set in `sft_prompt`.
 *
 * A task whose prompts have several kinds of answers (index2item: title, description, both) becomes a task for each,
 * named after what it answers with; prompts with a placeholder that the kit lacks, or that hold their answer, are left
 * out and counted.
 */
import { InputError } from '../../support/errors.js';
import { placeholdersIn, type Template } from '../templates.js';
import { pythonText, textsAfter } from './python-literals.js';

/** Their placeholders, and the kit's. */
const PLACES: Readonly<Record<string, string>> = {
  inters: 'history',
  inter_titles: 'history_titles',
  item: 'sid',
  ...Object.fromEntries(
    'title description brand categories enhanced_title tags highlights characteristics'
      .split(' ')
      .map((name) => [name, name]),
  ),
};

/** Templates that were read, and what was left out of each task. */
export interface ImportedTemplates {
  /** By name. */
  templates: Record<string, Template>;
  /** Prompts that cannot be templates, by task. */
  leftOut: Record<string, number>;
}

/** How histories are written. */
export interface HistoryStyle {
  /** Between the items. Default `, `. */
  separator?: string;
  /** Whether the items have numbers (`--add_prefix`). Default false. */
  numbered?: boolean;
}

/** @throws InputError for a file without such lists */
export function readPromptPy(source: string, path: string, style: HistoryStyle = {}): ImportedTemplates {
  const frame = frameOf(source);
  const tasks = [...source.matchAll(/^all_prompt\[\s*["'](\w+)["']\s*\]\s*=\s*(\w+)/gm)];
  if (tasks.length === 0) throw new InputError(`${path}: expected all_prompt["task"] = list, got none; check --from`);
  const lists = promptLists(source);
  const read: ImportedTemplates = { templates: {}, leftOut: {} };
  for (const [, task, list] of tasks) addTask(read, task!.toLowerCase(), lists.get(list!) ?? [], frame, style);
  if (Object.keys(read.templates).length === 0) throw new InputError(`${path}: no prompt in it can be a template`);
  return read;
}

/** What stands around an instruction; `{instruction}` alone where the file has no `sft_prompt`. */
function frameOf(source: string): string {
  const [frame] = textsAfter(source, /^sft_prompt\s*=/gm);
  return frame?.text.replace('{response}', '') ?? '{instruction}';
}

interface Prompt {
  instruction: string;
  response: string;
}

/** `prompt = {}; prompt["instruction"] = ...; prompt["response"] = ...; LIST.append(prompt)`, list by list. */
function promptLists(source: string): Map<string, Prompt[]> {
  const lists = new Map<string, Prompt[]>();
  let [instruction, response] = ['', ''];
  for (const match of source.matchAll(
    /prompt\[\s*["'](instruction|response)["']\s*\]\s*=|^(\w+)\.append\(prompt\)/gm,
  )) {
    const [whole, field, list] = match;
    if (list !== undefined) {
      lists.set(list, [...(lists.get(list) ?? []), { instruction, response }]);
      continue;
    }
    const text = pythonText(source, match.index + whole.length)?.text ?? '';
    if (field === 'instruction') instruction = text;
    else response = text;
  }
  return lists;
}

function addTask(
  { templates, leftOut }: ImportedTemplates,
  task: string,
  prompts: readonly Prompt[],
  frame: string,
  { separator = ', ', numbered = false }: HistoryStyle,
): void {
  const groups = new Map<string, Prompt[]>();
  for (const prompt of prompts) groups.set(prompt.response, [...(groups.get(prompt.response) ?? []), prompt]);
  for (const [response, group] of groups) {
    const of = group.some(({ instruction }) => /\{inter(s|_titles)\}/.test(instruction)) ? 'rows' : 'items';
    const answer = translated(response, numbered);
    const asked = group.map(({ instruction }) =>
      translated(
        frame.replace('{instruction}', () => instruction),
        numbered,
      ),
    );
    const good = asked.filter((prompt) => isTemplate(prompt, answer, of)) as string[];
    leftOut[task] = (leftOut[task] ?? 0) + group.length - good.length;
    if (good.length === 0 || answer === undefined) continue;
    const name = groups.size === 1 || !(task in templates) ? task : `${task}_${placeholdersIn(answer).join('_')}`;
    templates[name] = { of, separator, answer: `${answer}{end}`, prompts: [...new Set(good)] };
  }
}

/** With the kit's placeholders; undefined where it has none for one. */
function translated(text: string, numbered: boolean): string | undefined {
  let known = true;
  const result = text.replace(/\{\{|\}\}|\{(\w+)\}/g, (match, name?: string) => {
    if (name === undefined) return match[0]!;
    known &&= Object.hasOwn(PLACES, name);
    const place = PLACES[name] ?? name;
    return `{${place === 'history' && numbered ? 'history_numbered' : place}}`;
  });
  return known ? result : undefined;
}

/** Whether a prompt asks something, and does not hold its answer, which is something. */
function isTemplate(prompt: string | undefined, answer: string | undefined, of: 'rows' | 'items'): boolean {
  if (prompt === undefined || answer === undefined) return false;
  const [asked, answered] = [placeholdersIn(prompt), placeholdersIn(answer)];
  const ofItem = asked.filter((placeholder) => !placeholder.startsWith('history'));
  return (
    asked.length > 0 &&
    answered.length > 0 &&
    !asked.some((placeholder) => answered.includes(placeholder)) &&
    (of === 'items' || ofItem.length === 0)
  );
}
