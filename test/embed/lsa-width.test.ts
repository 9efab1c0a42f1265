/** The default width of large catalogues, which take seconds. */
import { beforeAll, expect, test } from 'vitest';
import { lsa } from '../../lib/embed/lsa/lsa.js';
import { useEngine } from '../../lib/engine/engine.js';
import { Random } from '../../lib/support/random.js';

beforeAll(() => useEngine());

test('384 at most by default', () => {
  const random = new Random(1);
  const texts = Array.from({ length: 1537 }, () => `word${random.int(400)} word${random.int(400)}`);
  expect(lsa(texts, { iterations: 0 }).vectors.width).toBe(384);
});
