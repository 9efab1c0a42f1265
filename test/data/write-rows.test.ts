import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from '../fast-check.js';
import { expect, test } from 'vitest';
import { SPLITS } from '../../lib/data/dataset.js';
import { filterStage } from '../../lib/data/filter/filter-stage.js';
import { filterInteractions } from '../../lib/data/filter/filter.js';
import { SPLIT_RULES } from '../../lib/data/filter/filter-options.js';
import { formatInter } from '../../lib/data/inter-file.js';

test('the stage writes the bytes of the rows that filterInteractions makes', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'sidlab-'));
  const [reviewsFile, meta, out] = [join(dir, 'r.jsonl'), join(dir, 'm.jsonl'), join(dir, 'out')];
  const items = Array.from({ length: 12 }, (_, i) => ({ asin: `I${i}`, title: i % 5 === 4 ? '' : `Title ${i}` }));
  writeFileSync(meta, items.map((item) => JSON.stringify(item) + '\n').join(''));
  const catalogue = items.map((item) => ({ ...item, description: '', brand: '', categories: '' }));
  const review = fc.record({
    user: fc.nat(6).map((n) => `U${n}é`),
    asin: fc.nat(12).map((n) => `I${n}`),
    time: fc.integer({ min: -5, max: 5 }),
    stars: fc.constant(5),
  });
  const options = fc.record({
    userK: fc.integer({ min: 1, max: 3 }),
    itemK: fc.integer({ min: 1, max: 3 }),
    window: fc.integer({ min: 1, max: 12 }),
    split: fc.constantFrom(...SPLIT_RULES),
    from: fc.constantFrom('any', '1970-01'),
    to: fc.constant('any'),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(review, { minLength: 1, maxLength: 80 }), options, async (reviews, rules) => {
      const raw = reviews.map(({ user, asin, time }) =>
        JSON.stringify({ reviewerID: user, asin, unixReviewTime: time }),
      );
      writeFileSync(reviewsFile, raw.join('\n'));
      const stage = () => filterStage({ reviews: reviewsFile, meta, out, dataset: 'S', ...rules });
      let plain;
      try {
        plain = filterInteractions(reviews, catalogue, rules);
      } catch (error) {
        return void (await expect(stage()).rejects.toThrow((error as Error).message));
      }
      expect(await stage()).toMatchObject(plain.counts);
      for (const split of SPLITS)
        expect(readFileSync(join(out, `S.${split}.inter`), 'utf8')).toBe(formatInter(plain[split]));
    }),
    { numRuns: 150 },
  );
  rmSync(dir, { recursive: true });
});
