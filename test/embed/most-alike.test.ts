import { expect, test } from 'vitest';
import { cosine, mostAlike } from '../../lib/embed/most-alike.js';

const vectors = { rows: 4, width: 2, data: Float32Array.from([1, 0, 2, 0, 0, 0, 1, 1]) };

test('most alike first, whatever the lengths; zeros are like nothing', () => {
  expect(mostAlike(vectors, 0).map(({ item }) => item)).toEqual([1, 3, 2]);
  expect(mostAlike(vectors, 0, 2)[1]!.cosine).toBeCloseTo(Math.SQRT1_2, 6);
  expect(cosine([0, 0], [1, 0])).toBe(0);
});

test('an item that is not there', () => {
  expect(() => mostAlike(vectors, 4)).toThrow('expected an item from 0 to 3, got 4');
});

test('vectors with a number that is none have no order', () => {
  expect(() => mostAlike({ ...vectors, data: vectors.data.with(5, NaN) }, 0)).toThrow('row 2, column 1 is NaN');
});
