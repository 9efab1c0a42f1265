/** What is asked: one question an item, or one a history of the rows, and what makes an answer fit. */
import { type EnrichedField, ENRICHED_FIELDS, itemText } from '../item-text.js';
import type { Dataset, Row, Split } from '../dataset.js';
import { SPLITS } from '../dataset.js';
import { type EnrichKind, type EnrichPrompt, fillPrompt } from './enrich-prompts.js';

/** A question, and the items or rows that its answer is of. */
export interface Question {
  prompt: EnrichPrompt;
  /** An item's id. */
  item?: number;
  /** Rows with this history. */
  rows?: { row: Row; split: Split }[];
}

/** @returns in the order of the items, or of the rows that a history is first met in */
export function questionsOf(kind: EnrichKind, dataset: Dataset, prompt: EnrichPrompt): Question[] {
  switch (kind) {
    case 'items':
      return dataset.items.map((item, id) => {
        const { title, description, brand, categories } = itemText(item);
        return { item: id, prompt: fillPrompt(prompt, { title, description, brand, categories }) };
      });
    case 'preferences':
      return [...byHistory(dataset).values()].map((rows) => {
        const titles = rows[0]!.row.history.map((id) => itemText(dataset.items[id]!).title);
        return { rows, prompt: fillPrompt(prompt, { history_titles: titles.join('; ') }) };
      });
    default:
      throw kind satisfies never;
  }
}

function byHistory(dataset: Dataset): Map<string, NonNullable<Question['rows']>> {
  const groups = new Map<string, NonNullable<Question['rows']>>();
  for (const split of SPLITS) {
    for (const row of dataset[split]) {
      const key = row.history.join(' ');
      const group = groups.get(key);
      if (group) group.push({ row, split });
      else groups.set(key, [{ row, split }]);
    }
  }
  return groups;
}

/** The four fields in an answer of any model: the outermost JSON object in it. @returns undefined if one is missing */
export function enrichedFields(answer: string): Record<EnrichedField, unknown> | undefined {
  try {
    const value = JSON.parse(answer.slice(answer.indexOf('{'), answer.lastIndexOf('}') + 1)) as Record<string, unknown>;
    const fields = ENRICHED_FIELDS.map((field) => [field, value[field]] as const);
    const whole = fields.every(([, found]) => isText(found));
    return whole ? (Object.fromEntries(fields) as Record<EnrichedField, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** A text, or a list or object that is not empty. */
function isText(value: unknown): boolean {
  if (typeof value === 'string') return value.trim() !== '';
  return typeof value === 'object' && value !== null && Object.keys(value).length > 0;
}
