/** A data set that can be counted by hand: item i is bought after item i - 1. */
import type { Dataset, Item, Row } from '../../lib/data/dataset.js';
import type { Template } from '../../lib/tasks/templates.js';

/** SIDs to SID, nothing else. */
export const TEMPLATE: Template = { of: 'rows', separator: '', answer: '{sid}', prompts: ['{history}'] };
/** A title to a SID. */
export const OF_ITEMS: Template = { ...TEMPLATE, of: 'items', prompts: ['{title}'] };

export function datasetOf(items: number, rows: number): Dataset {
  const list = Array.from({ length: rows }, (_, i): Row => {
    return { user: `u${i}`, history: [i % items], target: (i + 1) % items };
  });
  const texts = Array.from({ length: items }, (_, i): Item => {
    return { title: `thing ${i}`, description: `It is number ${i}.`, brand: '', categories: '' };
  });
  return { name: 'x', dir: '.', items: texts, train: list, valid: list.slice(0, 2), test: list.slice(0, 3) };
}
/** One code an item. */
export const indexOf = (items: number): string[][] => Array.from({ length: items }, (_, i) => [`<a_${i}>`]);
