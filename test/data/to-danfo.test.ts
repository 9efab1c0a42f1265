import * as aq from 'arquero';
import { expect, test } from 'vitest';
import { toDanfo } from '../../lib/data/to-danfo.js';

test('a table as a data frame: same columns and rows, lists as text', async () => {
  const table = aq.table({ user: ['U', 'V'], history: [[0, 1], [2]], length: [2, 1] });
  const frame = await toDanfo(table);
  expect(frame.columns).toEqual(['user', 'history', 'length']);
  expect(frame.values).toEqual([
    ['U', '0 1', 2],
    ['V', '2', 1],
  ]);
});
