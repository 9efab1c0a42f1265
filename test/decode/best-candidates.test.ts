/** The heap against a sort of everything. */
import fc from '../fast-check.js';
import { expect, test } from 'vitest';
import { BestCandidates } from '../../lib/decode/best-candidates.js';

test('the best so many, best first, equal scores by the smaller tie, again after it was emptied', () => {
  const scores = fc.array(fc.integer({ min: -4, max: 4 }), { maxLength: 40 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), fc.array(scores, { minLength: 1, maxLength: 3 }), (limit, rounds) => {
      const best = new BestCandidates(limit);
      for (const round of rounds) {
        const candidates = round.map((score, i) => ({ score, tie: (i * 17) % 41, node: 100 + i, beam: i % 3 }));
        for (const { score, tie, node, beam } of candidates) best.offer(score, tie, node, beam);
        const expected = candidates.sort((a, b) => b.score - a.score || a.tie - b.tie).slice(0, limit);
        expect(best.size).toBe(expected.length);
        const taken = best.take();
        expect([...taken.score]).toEqual(expected.map(({ score }) => score));
        expect([...taken.node]).toEqual(expected.map(({ node }) => node));
        expect([...taken.beam]).toEqual(expected.map(({ beam }) => beam));
        expect(best.size).toBe(0);
      }
    }),
  );
});
