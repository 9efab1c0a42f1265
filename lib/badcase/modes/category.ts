/** The category of items that tells them apart best: in a catalogue of one department, that is not the first one. */
import type { Item } from '../../data/dataset.js';

/**
 * Of each item its category at the first depth at which no category holds more than half of the items that have any;
 * the last depth if there is none such. `''` where an item has no category there.
 * @example [{ categories: 'Tools, Saws' }, { categories: 'Tools, Drills' }] // ['Saws', 'Drills']
 */
export function tellingCategories(items: readonly Pick<Item, 'categories'>[]): string[] {
  const paths = items.map(({ categories }) =>
    categories === '' ? [] : categories.split(',').map((one) => one.trim()),
  );
  const depth = paths.reduce((most, { length }) => Math.max(most, length), 0);
  for (let d = 0; d < depth; d++) {
    const found = paths.map((path) => path[d] ?? '');
    const counts = new Map<string, number>();
    for (const name of found) if (name !== '') counts.set(name, (counts.get(name) ?? 0) + 1);
    const all = [...counts.values()].reduce((sum, count) => sum + count, 0);
    if (Math.max(...counts.values()) <= all / 2 || d === depth - 1) return found;
  }
  return items.map(() => '');
}
