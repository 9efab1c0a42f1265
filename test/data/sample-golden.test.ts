/**
 * The sample data set is the same on every machine and in every version: what documents and notebooks say about it holds
 * only while it is. These digests are of the kit's own output (seeds 42, 7 and 11); a change of the simulation that is meant
 * changes them, and those numbers with them.
 */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { sampleCatalogue, sampleItems } from '../../lib/data/sample/sample.js';

const digest = (value: unknown) => createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16);

test.each([
  ['tiny', 42, 956, 'f03105f624c3b9b4', '45287342abcbbf88'],
  ['tiny', 7, 930, '19eacabdd8f1572b', 'dd70d60b24a64fd6'],
  ['tiny', 11, 975, '33905a51bc001565', '67f52af71b017bf2'], // 0.88 of the purchases, when the late lines come, is whole
  ['small', 42, 15_053, '057c1fd4b88050a2', '6d5dfc02ac9ec1f4'],
  ['small', 7, 14_507, '55b68d5dd4afca59', 'c0a9f56345f4620e'],
] as const)('%s, seed %i', (size, seed, count, reviewed, listed) => {
  const { reviews, items } = sampleCatalogue({ size, seed });
  expect(reviews).toHaveLength(count);
  expect([digest(reviews), digest(sampleItems(items))]).toEqual([reviewed, listed]);
  if (size === 'small' && seed === 42) expect(sampleCatalogue()).toEqual({ reviews, items }); // the defaults
});

test('times are in order, from 2014 to September 2018', () => {
  const { reviews } = sampleCatalogue({ size: 'tiny' });
  const times = reviews.map(({ time }) => time);
  expect(times).toEqual([...times].sort((a, b) => a - b));
  expect(times[0]).toBeGreaterThanOrEqual(Date.UTC(2014, 0, 1) / 1000);
  expect(times.at(-1)).toBeLessThanOrEqual(Date.UTC(2018, 8, 30) / 1000);
});
