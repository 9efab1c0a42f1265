/**
 * Tasks as data: what a prompt is made of, what its answer is, with several prompts (`templates.json`). Another file of
 * the same form adds tasks or replaces them, so that anyone with a published checkpoint can supply the prompts that it
 * was trained with, and a new task needs no code.
 *
 * The tasks are those of MiniOneRec (arXiv 2510.24431) and of GRec, which has its own from LC-Rec (arXiv 2311.09049);
 * the words are ours. Departures:
 *   1. no prompt can hold its answer: in a task of rows a prompt's placeholders are the history's, in a task of items the
 *      answer's placeholders are refused in the prompts (there the item-feature and title-to-SID prompts held it);
 *   2. the first prompt of a task is the one of evaluation, and is trained like the others (there evaluation has words
 *      of its own);
 *   3. `fusionseqrec` gives each item of the history as code and title together.
 */
import { readJson } from '../files/files.js';
import { ENRICHED_FIELDS } from '../data/item-text.js';
import { InputError } from '../support/errors.js';
import templates from './templates.json' with { type: 'json' };

/**
 * Of a row's history, joined by the separator: SIDs, SIDs with their numbers ("1. <a_1><b_2>", GRec's prefix), titles,
 * SIDs with titles; the SID of its last item, for a wording that says it again; and what the history says of a taste
 * (`preferenceText`, or a file's text).
 */
export const HISTORY_PLACEHOLDERS = [
  'history',
  'history_numbered',
  'history_titles',
  'history_pairs',
  'latest',
  'preference',
] as const;
/** Whose texts hold SIDs. */
export const SID_PLACEHOLDERS: readonly string[] = ['sid', 'history', 'history_numbered', 'history_pairs', 'latest'];
/** Of one item: a row's target, or the item of an item's task. Those of `ENRICHED_FIELDS` an enriched file has. */
export const ITEM_PLACEHOLDERS = ['sid', 'title', 'description', 'brand', 'categories', ...ENRICHED_FIELDS] as const;
/** Of no row or item: what the data set's items are called, and the model's end of text. */
export const FIXED_PLACEHOLDERS = ['category', 'end'] as const;
/** A name that may be in braces in a template. */
export type Placeholder =
  (typeof HISTORY_PLACEHOLDERS)[number] | (typeof ITEM_PLACEHOLDERS)[number] | (typeof FIXED_PLACEHOLDERS)[number];

const PLACEHOLDERS: readonly string[] = [...HISTORY_PLACEHOLDERS, ...ITEM_PLACEHOLDERS, ...FIXED_PLACEHOLDERS];

function isFixed(placeholder: Placeholder): boolean {
  return placeholder === 'category' || placeholder === 'end';
}

/** A task as data. */
export interface Template {
  /** Whether an example is made of a row (history and target) or of an item by itself. */
  of: 'rows' | 'items';
  /** Between the items of the history. */
  separator: string;
  /** With placeholders. */
  answer: string;
  /** At least one; the first is that of evaluation. */
  prompts: string[];
}

/** By name. */
export type Templates = Readonly<Record<string, Template>>;

/** `sids` is the shortest: the history's SIDs and nothing else, for small models. */
export const TEMPLATES: Templates = parseTemplates(templates, 'templates.json');

/** @throws InputError for an unknown name */
export function findTemplate(name: string, among: Templates = TEMPLATES): Template {
  const template = Object.hasOwn(among, name) ? among[name] : undefined;
  if (!template) throw new InputError(`template: expected one of ${Object.keys(among).join(', ')}, got ${name}`);
  return template;
}

/** The kit's tasks, with those of a file added or put in their place. @throws InputError for what does not fit */
export function readTemplates(file?: string): Templates {
  return file === undefined
    ? TEMPLATES
    : { ...TEMPLATES, ...parseTemplates(readJson(file, 'check --templates'), file) };
}

/** The placeholders in a text, in their order. */
export function placeholdersIn(text: string): Placeholder[] {
  return [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as Placeholder);
}

/** Whether the answer is made of the item's SID or title alone, so that the catalogue can be ranked by it. */
export function ranksItems({ answer }: Template): boolean {
  const asked = placeholdersIn(answer).filter((placeholder) => placeholder !== 'end');
  return asked.length > 0 && asked.every((placeholder) => placeholder === 'sid' || placeholder === 'title');
}

/** Whether the answer is the item's SID and nothing else. */
export function answersWithSid({ answer }: Pick<Template, 'answer'>): boolean {
  return answer.replaceAll('{end}', '').trim() === '{sid}';
}

/** Whether prompts or answer hold texts of items, which no vocabulary of words covers. */
export function holdsText({ answer, prompts }: Template): boolean {
  const coded: readonly Placeholder[] = ['history', 'latest', 'sid', 'end'];
  return [answer, ...prompts].some((text) => placeholdersIn(text).some((placeholder) => !coded.includes(placeholder)));
}

/** The words of templates, which a word-level vocabulary must hold; default those of SIDs alone, which a small model is trained on. */
export function templateWords(of: readonly Template[] = [TEMPLATES.sids!, TEMPLATES.words!]): string[] {
  const texts = of.flatMap(({ prompts, separator, answer }) => [...prompts, separator, answer]);
  return texts.flatMap((text) => text.replace(/\{\w+\}/g, ' ').match(/\w+|[^\w\s]+/g) ?? []);
}

/** @param source the file, for the error's text @throws InputError for what does not fit, in one line */
export function parseTemplates(raw: unknown, source: string): Templates {
  if (!isObject(raw) || Object.keys(raw).length === 0) {
    throw new InputError(`${source}: expected an object {task: {of, prompts, answer}}, got ${JSON.stringify(raw)}`);
  }
  return Object.fromEntries(Object.entries(raw).map(([name, value]) => [name, parseTemplate(name, value, source)]));
}

function parseTemplate(name: string, raw: unknown, source: string): Template {
  const wrong = (what: string): never => {
    throw new InputError(`${source}: ${name}: ${what}`);
  };
  if (!/^[a-z][\w-]*$/.test(name)) return wrong('expected a name of letters, digits, _ and -');
  if (!isObject(raw)) return wrong(`expected {of, prompts, answer}, got ${JSON.stringify(raw)}`);
  const { of, prompts, answer, separator = ', ', ...others } = raw;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) return wrong(`unknown key ${unknown}; expected of, separator, answer, prompts`);
  if (of !== 'rows' && of !== 'items') return wrong(`expected of to be rows or items, got ${JSON.stringify(of)}`);
  if (typeof separator !== 'string') return wrong('expected separator to be a text');
  if (typeof answer !== 'string') return wrong('expected answer to be a text');
  if (!Array.isArray(prompts) || prompts.length === 0 || !prompts.every((text) => typeof text === 'string')) {
    return wrong('expected prompts to be a list of at least one text');
  }
  const template = { of, separator, answer, prompts } satisfies Template;
  checkPlaceholders(template, wrong);
  return template;
}

/** No prompt may hold its answer, and each must say what it asks about. */
function checkPlaceholders({ of, answer, prompts }: Template, wrong: (what: string) => never): void {
  const answered: readonly Placeholder[] = placeholdersIn(answer).filter((placeholder) => !isFixed(placeholder));
  if (answered.length === 0) wrong('the answer holds no placeholder such as {sid}');
  const history: readonly string[] = HISTORY_PLACEHOLDERS;
  const asked: readonly Placeholder[] = of === 'rows' ? HISTORY_PLACEHOLDERS : ITEM_PLACEHOLDERS;
  const allowed: readonly string[] = [
    ...asked.filter((placeholder) => !answered.includes(placeholder)),
    ...FIXED_PLACEHOLDERS,
  ];
  [answer, ...prompts].forEach((text, i) => {
    const where = i === 0 ? 'the answer' : `prompt ${i}`;
    const placeholders = placeholdersIn(text);
    for (const placeholder of placeholders) {
      if (!PLACEHOLDERS.includes(placeholder))
        wrong(`${where}: unknown placeholder {${placeholder}}; expected one of ${PLACEHOLDERS.join(', ')}`);
      if (i > 0 && !allowed.includes(placeholder)) {
        wrong(
          `${where}: {${placeholder}} would give the answer away, or is not of ${of}; allowed are ${allowed.join(', ')}`,
        );
      }
      if (i === 0 && of === 'items' && history.includes(placeholder))
        wrong(`the answer: {${placeholder}} is not of items`);
    }
    if (placeholders.every(isFixed)) wrong(`${where} holds no placeholder`);
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
