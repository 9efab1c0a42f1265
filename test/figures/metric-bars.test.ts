/** Error bars of `metricBars`: as long as the interval, and the number above them. */
import { expect, test } from 'vitest';
import { metricBars } from '../../lib/figures/metric-bars.js';

const row = (model: string, intervals?: object) => ({
  model,
  'HR@10': 0.13,
  'NDCG@10': 0.07,
  ...(intervals && { intervals }),
});

test('a bar and its interval, the number above it', () => {
  const { data } = metricBars([row('a', { 'HR@10': [0.12, 0.15] })]);
  expect(data).toHaveLength(2);
  const [bar, text] = data as [Record<string, never>, Record<string, never>];
  const { array, arrayminus, symmetric } = bar['error_y']! as {
    array: number[];
    arrayminus: number[];
    symmetric: boolean;
  };
  expect(array.map((x) => x.toFixed(6))).toEqual(['0.020000', '0.000000']);
  expect(arrayminus.map((x) => x.toFixed(6))).toEqual(['0.010000', '0.000000']);
  expect(symmetric).toBe(false);
  expect(bar).not.toHaveProperty('text');
  expect(text).toMatchObject({
    y: [0.15, 0.07],
    text: ['.130', '.070'],
    showlegend: false,
    offsetgroup: bar['offsetgroup'],
  });
});

test('of a report of an evaluation: fields of item and SID', () => {
  const report = { model: 'a', item: { 'HR@10': 0.1 }, intervals: { item: { 'HR@10': [0.08, 0.11] } } };
  const { data } = metricBars([report], { metrics: ['item.HR@10'] });
  expect((data[0]!['error_y'] as { array: number[] }).array[0]).toBeCloseTo(0.01, 12);
});

test('rows without intervals are drawn as ever', () => {
  const { data } = metricBars([row('a')]);
  expect(data).toHaveLength(1);
  expect(data[0]).toMatchObject({ text: ['.130', '.070'] });
  expect(data[0]).not.toHaveProperty('error_y');
});
