import { expect, test } from 'vitest';
import fc from '../../fast-check.js';
import { rankGains, rankingMeasures } from '../../../lib/evaluate/measures/ranking.js';
import type { RowEntry } from '../../../lib/evaluate/rows/row-table.js';
import { estimates, metricIntervals } from '../../../lib/evaluate/statistics/intervals.js';
import { measureRows, rankUnits, unitsOf } from '../../../lib/evaluate/statistics/units.js';

const rows = fc.array(fc.record({ user: fc.constantFrom(...'abcdefg'), rank: fc.nat(60) }), { maxLength: 40 });

test('units of ranks are those of the same measures of rows, to the bit', () => {
  fc.assert(
    fc.property(rows, fc.subarray([1, 3, 5, 10, 50], { minLength: 1 }), (rows, ks) => {
      const measures = rankingMeasures(ks);
      const table = rows as unknown as RowEntry[];
      const plain = unitsOf(table, measureRows(table, measures), Object.keys(measures).length);
      const gains = rankGains(ks);
      expect(Object.keys(gains)).toEqual(Object.keys(measures));
      expect(rankUnits(rows, rows.map(({ rank }) => rank), Object.values(gains))).toEqual(plain); // prettier-ignore
    }),
    { numRuns: 500 },
  );
});

test('and so are the intervals of a report', () => {
  const table = Array.from({ length: 60 }, (_, i) => ({ user: `u${i % 23}`, rank: (i * 7) % 13 })) as RowEntry[];
  const found = metricIntervals(table, [1, 10]);
  expect(Object.keys(found)).toEqual(['HR@1', 'NDCG@1', 'HR@10', 'NDCG@10']);
  for (const [name, { low, high }] of Object.entries(estimates(table, rankingMeasures([1, 10])))) {
    if (name in found) expect(found[name], name).toEqual([low, high]);
  }
});
