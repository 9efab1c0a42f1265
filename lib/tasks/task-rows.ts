/**
 * The rows that a task is made of, for each split. A task of rows takes the data's own; of items, every item is a row
 * without a history, and two small shares of them are held out: the same ones whatever the seed, so that no run is
 * trained on what another one is tested on.
 *
 * Left out: rows whose prompt or answer lacks its text (an item without a description), and those whose prompt holds their
 * answer word for word.
 */
import type { Dataset, Row, Split } from '../data/dataset.js';
import { ENRICHED_FIELDS, type EnrichedField, type ItemText } from '../data/item-text.js';
import { Random } from '../support/random.js';
import { renderAnswer, renderPrompt, type PromptContext } from './prompts.js';
import { type Placeholder, placeholdersIn, type Template } from './templates.js';

/** Share of the items for validation, and as many again for the test; at least one of each. */
export const HELD_OUT = 0.05;

/**
 * @param context where it is given, rows without their texts, or with the answer in the prompt, are left out
 * @param heldOutItems share of the items for validation, and as many again for the test (GRec: .1)
 */
export function taskRows(
  dataset: Dataset,
  template: Template,
  split: Split,
  context?: PromptContext,
  heldOutItems = HELD_OUT,
): Row[] {
  const rows = template.of === 'rows' ? dataset[split] : itemRows(dataset.items.length, split, heldOutItems);
  return context ? rows.filter((row) => isWhole(row, template, context)) : rows;
}

/** Items of a split, by rising id. */
function itemRows(count: number, split: Split, share: number): Row[] {
  const held = Math.max(1, Math.round(count * share));
  const drawn = new Random('held-out items').shuffle(Array.from({ length: count }, (_, item) => item));
  const bounds = { test: [0, held], valid: [held, 2 * held], train: [2 * held, count] } as const;
  const [from, to] = bounds[split];
  const items = drawn.slice(from, to).sort((a, b) => a - b);
  return items.map((item) => ({ user: '', history: [], target: item }));
}

function isWhole({ history, target: item }: Row, template: Template, context: PromptContext): boolean {
  const text = context.text?.(item);
  const [prompt = ''] = template.prompts;
  const { preferenceOf } = context;
  if (preferenceOf && [prompt, template.answer].some((words) => words.includes('{preference}'))) {
    if (preferenceOf(history, item) === undefined) return false;
  }
  const asked =
    template.of === 'items'
      ? [...placeholdersIn(prompt), ...placeholdersIn(template.answer)]
      : placeholdersIn(template.answer);
  if (text && asked.some((placeholder) => lacks(text, placeholder))) return false;
  if (template.of === 'rows') return true; // what the history holds may be bought again
  const answer = renderAnswer(template, { history, item }, { ...context, end: '' });
  return !renderPrompt(template, { history, item }, context).includes(answer);
}

function lacks(text: ItemText, placeholder: Placeholder): boolean {
  if (placeholder === 'title' || placeholder === 'description') return text[placeholder] === '';
  const enriched: readonly string[] = ENRICHED_FIELDS;
  return enriched.includes(placeholder) && !text.enriched?.[placeholder as EnrichedField];
}
