/**
 * MiniOneRec's `data.py` as templates: of each data set class its instruction, the frame around its input, and its input
 * as an f-string, whose expressions become placeholders.
 *
 * The words at evaluation are those of training there too where the class is the same; a class that this file does not
 * know, or that no longer has its words, is left out and counted.
 */
import { InputError } from '../../support/errors.js';
import type { Template } from '../templates.js';
import { textsAfter } from './python-literals.js';
import type { ImportedTemplates } from './read-prompt-py.js';

/** Where a task's words are: the class, and what stands before the text of its input. */
interface Source {
  task: string;
  of: Template['of'];
  class: string;
  /** Before the f-string of the input. */
  input: RegExp;
  /** Of several such texts, the one with this in it. */
  having?: RegExp;
  /** Expressions in braces, and the kit's placeholders. */
  places: Readonly<Record<string, string>>;
  answer: string;
  separator?: string;
}

const INPUT = /["']input["']\s*:/g;
const SID = '{sid}\n{end}';

const SOURCES: readonly Source[] = [
  { task: 'seqrec', of: 'rows', class: 'SidSFTDataset', input: INPUT, places: { history: 'history' }, answer: SID },
  {
    ...{ task: 'title2sid', of: 'items', class: 'SidItemFeatDataset', input: /\bprompt\s*=/g, having: /title:/ },
    ...{ places: { data_point: 'title' }, answer: SID },
  },
  {
    ...{ task: 'sid2title', of: 'items', class: 'SidItemFeatDataset', input: /\bprompt\s*=/g, having: /title of/ },
    ...{ places: { data_point: 'sid' }, answer: '{title}\n{end}' },
  },
  {
    ...{
      task: 'sids2title',
      of: 'rows',
      class: 'FusionSeqRecDataset',
      input: /def generate_prompt_title\([^)]*\):\s*return/g,
    },
    ...{ places: { history: 'history' }, answer: '{title}\n{end}' },
  },
  {
    ...{ task: 'sids2description', of: 'rows', class: 'FusionSeqRecDataset' },
    ...{ input: /def generate_prompt_description\([^)]*\):\s*return/g },
    ...{ places: { history: 'history' }, answer: '{description}\n{end}' },
  },
  {
    ...{ task: 'titles2sid', of: 'rows', class: 'TitleHistory2SidSFTDataset', input: INPUT, separator: '", "' },
    ...{ places: { history_titles: '"{history_titles}"', self: 'category' }, answer: SID },
  },
  {
    ...{
      task: 'preference',
      of: 'rows',
      class: 'PreferenceSFTDataset',
      input: INPUT,
      places: { history_str: 'history' },
    },
    answer: '### Reasoning:\n{preference}\n### Response:\n{sid}{end}',
  },
  {
    ...{ task: 'preference2sid', of: 'rows', class: 'UserPreference2sidSFTDataset', input: INPUT },
    ...{ places: { user_preference: 'preference', history_str: 'history' }, answer: '{sid}{end}' },
  },
];

/** @throws InputError for a file that has none of the classes */
export function readDataPy(source: string, path: string): ImportedTemplates {
  const classes = new Map(source.split(/^(?=class )/m).map((body) => [/^class (\w+)/.exec(body)?.[1], body] as const));
  const read: ImportedTemplates = { templates: {}, leftOut: {} };
  for (const known of SOURCES) {
    const body = classes.get(known.class);
    if (body === undefined) continue;
    const template = templateOf(known, body);
    if (template) read.templates[known.task] = template;
    else read.leftOut[known.task] = 1;
  }
  if (Object.keys(read.templates).length > 0) return read;
  throw new InputError(`${path}: expected MiniOneRec's data.py with classes such as SidSFTDataset; check --from`);
}

function templateOf(
  { of, input, having, places, answer, separator = ', ' }: Source,
  body: string,
): Template | undefined {
  const [instruction] = textsAfter(body, /\binstruction\s*=/g);
  const inputs = [...textsAfter(body, input)].filter(({ text }) => having?.test(text) ?? true);
  const frames = [...textsAfter(body, /def generate_(?:formatted_)?prompt\([^)]*\):[^]*?\breturn/g)];
  const frame = frames.find(({ text }) => /Response/.test(text));
  const [asked] = inputs;
  if (!instruction || !frame || !asked) return undefined;
  let known = true;
  const fill = (text: string, value: (name: string) => string | undefined): string =>
    text.replace(/\{([a-z_]+)[^{}]*\}/gi, (_, name: string) => {
      const found = value(name);
      known &&= found !== undefined;
      return found ?? '';
    });
  const words = fill(asked.text, (name) => {
    const place = Object.hasOwn(places, name) ? places[name]! : undefined;
    return place === undefined || place.includes('{') ? place : `{${place}}`;
  });
  // its first hole is the input, the second the answer, which is empty in a prompt
  let holes = 0;
  const framed = frame.text.replace(/\{[^{}]*\}/g, () => (holes++ === 0 ? words : ''));
  return known ? { of, separator, answer, prompts: [instruction.text + framed] } : undefined;
}
