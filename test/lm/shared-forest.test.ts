/** Texts that share their beginnings: every text is its path, and no beginning is there twice. */
import fc from '../fast-check.js';
import { expect, test } from 'vitest';
import { pathTo, shareBeginnings } from '../../lib/lm/shared-forest.js';

const TEXTS = fc.array(fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 7 }), {
  minLength: 1,
  maxLength: 12,
});

test.each([true, false])('branching %s: a path spells its text; parents come first, trees end to end', (branching) => {
  fc.assert(
    fc.property(TEXTS, (texts) => {
      const { forest, ends } = shareBeginnings(texts, branching);
      texts.forEach((text, u) => {
        expect(Array.from(pathTo(forest, ends[u]!), (node) => forest.token[node]!)).toEqual(text);
      });
      forest.parent.forEach((parent, node) => {
        const start = forest.starts.findLast((first) => first <= node)!;
        expect(parent).toBe(node === start ? -1 : branching ? parent : node - 1);
        if (node > start) expect(parent).toBeGreaterThanOrEqual(start);
        expect(parent).toBeLessThan(node);
        expect(forest.depth[node]).toBe(parent < 0 ? 0 : forest.depth[parent]! + 1);
      });
    }),
  );
});

test('as many nodes as distinct beginnings; without branches, as the texts that begin no other have tokens', () => {
  fc.assert(
    fc.property(TEXTS, (texts) => {
      const beginnings = new Set(texts.flatMap((text) => text.map((_, i) => text.slice(0, i + 1).join())));
      expect(shareBeginnings(texts).forest.token.length).toBe(beginnings.size);
      const longest = new Set(texts.map((text) => text.join()));
      const whole = [...longest].filter((text) => ![...longest].some((other) => other.startsWith(`${text},`)));
      const tokens = whole.reduce((sum, text) => sum + text.split(',').length, 0);
      expect(shareBeginnings(texts, false).forest.token.length).toBe(tokens);
    }),
  );
});
