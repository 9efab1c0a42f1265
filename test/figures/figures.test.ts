import { expect, test } from 'vitest';
import { failureModes } from '../../lib/figures/failure-modes.js';
import { failureRate } from '../../lib/figures/failure-rate.js';
import { sidHealth } from '../../lib/figures/sid/sid-health.js';
import { boxPlot, quantile } from '../../lib/figures/box-plot.js';
import type { Figure } from '../../lib/figures/figure.js';
import { historyLengths } from '../../lib/figures/history-lengths.js';
import { lossCurve, movingMean } from '../../lib/figures/loss-curve.js';
import { metricBars, shortNumber } from '../../lib/figures/metric-bars.js';
import { popularityCurve } from '../../lib/figures/popularity-curve.js';
import { rankDistribution } from '../../lib/figures/rank-distribution.js';
import { sidUsage } from '../../lib/figures/sid/sid-usage.js';

/** The traces, numbers rounded to 4 digits, styles left out. */
function drawn(figure: Figure) {
  const rounded = JSON.parse(JSON.stringify(figure.data), (_, value: unknown) =>
    typeof value === 'number' ? Math.round(value * 1e4) / 1e4 : value,
  ) as Record<string, unknown>[];
  return rounded.map(({ type, name, x, y, text }) => ({ type, name, x, y, text }));
}

test('loss curve: a moving mean, and the metric on the right where a row has it', () => {
  const rows = [
    { step: 1, loss: 4 },
    { step: 2, loss: 2, 'valid/HR@10': 0.05 },
    { step: 3, loss: NaN },
    { step: 4, loss: 1 },
  ];
  const figure = lossCurve(rows, { window: 2 });
  expect(drawn(figure)).toEqual([
    { type: 'scatter', x: [1, 2, 4], y: [4, 2, 1] },
    { type: 'scatter', name: 'loss, mean of 2', x: [1, 2, 4], y: [4, 3, 1.5] },
    { type: 'scatter', name: 'valid/HR@10 (right)', x: [2], y: [0.05] },
  ]);
  expect(figure.layout.yaxis2).toMatchObject({ side: 'right', title: { text: 'valid/HR@10' } });
  expect(lossCurve([]).layout.yaxis2).toBeUndefined();
  expect(movingMean([3, 1, 2], 2)).toEqual([3, 2, 1.5]);
});

test('metric bars: a bar a model in each group, hatched', () => {
  const figure = metricBars([
    { model: 'popularity', 'HR@10': 0.0432, 'NDCG@10': 0.0281 },
    { model: 'a <b>', 'HR@10': 0.1095, 'NDCG@10': 0.0775 },
  ]);
  expect(drawn(figure)).toEqual([
    { type: 'bar', name: 'popularity', x: ['HR@10', 'NDCG@10'], y: [0.0432, 0.0281], text: ['.043', '.028'] },
    { type: 'bar', name: 'a &lt;b&gt;', x: ['HR@10', 'NDCG@10'], y: [0.1095, 0.0775], text: ['.110', '.077'] },
  ]);
  const patterns = figure.data.map(({ marker }) => JSON.stringify((marker as { pattern: object }).pattern));
  expect(new Set(patterns).size).toBe(2);
  const many = metricBars(Array.from({ length: 20 }, (_, i) => ({ model: `m${i}`, x: 1 })));
  expect(new Set(many.data.map(({ marker }) => JSON.stringify(marker))).size).toBe(20);
  expect([12.25, 1.25, 0.9996, 0.9994, 0, -0.5].map(shortNumber)).toEqual([
    '12.25',
    '1.25',
    '1.00',
    '.999',
    '.000',
    '-.500',
  ]);
});

test('popularity: the head is where the share is reached', () => {
  const figure = popularityCurve([1, 6, 2, 1, 0]);
  expect(drawn(figure)).toEqual([
    { type: 'scatter', name: 'interactions', x: [1, 2, 3, 4, 5], y: [6, 2, 1, 1, null] },
    { type: 'scatter', name: 'share of all up to here (right)', x: [1, 2, 3, 4, 5], y: [0.6, 0.8, 0.9, 1, 1] },
  ]);
  expect(figure.layout.annotations).toMatchObject([{ x: 2, text: ' 2 items hold 80 % ' }]);
  const long = popularityCurve(Array.from({ length: 100_000 }, (_, i) => i));
  expect((long.data[0]!.x as number[]).length).toBeLessThan(1000);
  expect((long.data[0]!.x as number[]).at(-1)).toBe(100_000);
});

test('history lengths, codes in use, ranks, failure modes', () => {
  expect(drawn(historyLengths([2, 1, 2, 10]))).toEqual([{ type: 'bar', x: [1, 2, 10], y: [1, 2, 1] }]);
  expect(
    drawn(
      sidUsage([
        [0, 3, 1],
        [2, 2, 0],
      ]),
    ),
  ).toEqual([
    // prettier-ignore
    { type: 'scatter', name: 'level a: 2 of 3', x: [1, 2], y: [3, 1] },
    { type: 'scatter', name: 'level b: 2 of 3', x: [1, 2], y: [2, 2] },
  ]);
  expect(drawn(rankDistribution([1, 3, 2, 9, 0, 60], { bands: [1, 3, 10] }))).toEqual([
    { type: 'bar', name: 'listed', x: ['1', '2 to 3', '4 to 10'], y: [0.1667, 0.3333, 0.1667], text: ['1', '2', '1'] },
    { type: 'bar', name: 'beyond 10, or not listed', x: ['beyond 10, or not listed'], y: [0.3333], text: ['2'] },
  ]);
  expect(drawn(rankDistribution([1, 0, 0], { bands: [1] }))[1]).toMatchObject({ name: 'not listed', text: ['2'] });
  const modes = { 'long tail': { count: 8, share: 0.4, lift: 1.1 }, 'cold start': { count: 2, share: 0.1, lift: 2 } };
  expect(drawn(failureModes(modes))).toMatchObject([
    {
      y: ['cold start', 'long tail'],
      x: [0.1, 0.4],
      text: ['2 rows, 2.00 × as often', '8 rows, 1.10 × as often'],
    },
  ]);
  const kinds = {
    popularity: { count: 5, share: 0.5, lift: 2, low: 1.234, high: 12.34, named: true },
    'near miss': { count: 1, share: 0.1, lift: null, kind: 'symptom' as const },
    absent: { count: 0, share: 0, lift: null },
  };
  expect(drawn(failureModes(kinds))).toMatchObject([
    { name: 'named cause', y: ['popularity'], text: ['5 rows, 2.00 × as often (1.23 to 12.3)'] },
    { name: 'symptom', y: ['near miss'], text: ['1 row'] },
  ]);
  expect(drawn(failureRate({ found: 1, missed: { 'further down': 3, nowhere: 0 } }, 10))).toMatchObject([
    { type: 'pie', text: ['found: 1 to 10<br>1 rows, 25 %', 'further down<br>3 rows, 75 %'] },
  ]);
  const levels = [{ level: 'a', codes: 4, used: 2, perplexity: 1.5 }];
  const gaps = [
    { length: 1, within: 0.5, across: 0.1 },
    { length: 2, within: null, across: 0 },
  ];
  expect(drawn(sidHealth({ levels, gaps, collisions: 3 }))).toMatchObject([
    { name: 'codes in use', y: [0.5] },
    { name: 'perplexity', y: [0.375] },
    { name: 'likeness, same prefix', x: ['1 code'], y: [0.5] },
    { name: 'likeness, other prefix', x: ['1 code'], y: [0.1] },
  ]);
});

test('figures are plain JSON and fit the page', () => {
  for (const figure of [
    lossCurve([]),
    metricBars([]),
    popularityCurve([]),
    historyLengths([]),
    boxPlot({}),
    sidUsage([]),
    rankDistribution([]),
    failureModes({}),
    sidHealth({ levels: [], gaps: [], collisions: 0 }),
  ]) {
    // prettier-ignore
    expect(JSON.parse(JSON.stringify(figure))).toEqual(figure);
    expect(figure.layout.width).toBe(900);
    expect(figure.layout.xaxis).toMatchObject({ automargin: true });
  }
});

test('boxes: five quantiles a group, as numpy has them', () => {
  const figure = boxPlot({ a: [9, 1, 4, 2], none: [], '<b>': [7] }, { axis: 'items' });
  const five = figure.data.map(({ lowerfence, q1, median, q3, upperfence }) => [lowerfence, q1, median, q3, upperfence].flat()); // prettier-ignore
  // numpy.quantile([9, 1, 4, 2], [.05, .25, .5, .75, .95])
  [1.15, 1.75, 3, 5.25, 8.25].forEach((value, i) => expect(five[0]![i]).toBeCloseTo(value, 10));
  expect(five[1]).toEqual([7, 7, 7, 7, 7]);
  expect(figure.data.map(({ name }) => name)).toEqual(['a (4)', '&lt;b&gt; (1)']);
  expect(quantile([1, 2, 4], 0.25)).toBe(1.5);
});

test('groups whose names are cut alike have boxes of their own', () => {
  const name = 'a group with a name that is longer than its label, ';
  const { data } = boxPlot({ [`${name}1`]: [1, 2], [`${name}2`]: [3, 4] });
  expect(new Set(data.map(({ x }) => (x as string[])[0])).size).toBe(2);
});
