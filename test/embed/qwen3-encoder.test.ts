/** An encoder in the manner of Qwen3-Embedding: a decoder, causal, byte-level BPE, the last token's vector. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { encodeTexts } from '../../lib/embed/sentence/encode-texts.js';
import type { Pooling } from '../../lib/embed/embed-options.js';
import { loadSentenceEncoder, type SentenceEncoder } from '../../lib/embed/sentence/sentence-encoder.js';

interface Golden {
  texts: string[];
  ids: number[][];
  cases: { pooling: string; normalize: boolean; vectors: number[][] }[];
  plain: number[][];
}

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const MODEL = here('../golden/tiny-qwen3-encoder');
const golden = JSON.parse(readFileSync(join(MODEL, 'golden.json'), 'utf8')) as Golden;

async function worst(encoder: SentenceEncoder, expected: readonly (readonly number[])[], tokenBudget: number) {
  const { vectors } = await encodeTexts(encoder, golden.texts, { tokenBudget });
  const flat = expected.flat();
  expect(vectors.data.length).toBe(flat.length);
  return flat.reduce((most, value, i) => Math.max(most, Math.abs(value - vectors.data[i]!)), 0);
}

/** `lasttoken` of sentence-transformers is `last` here; without scaling where a case has none. */
const cased = (pooling: string) => golden.cases.find((given) => given.pooling === pooling && given.normalize)!;

describe.skipIf(!existsSync(here('../../node_modules/onnxruntime-node')))(
  'a Qwen3 encoder (skipped where @huggingface/transformers is not installed)',
  () => {
    test('its own configuration says the last token, scaled to length 1', async () => {
      const encoder = await loadSentenceEncoder(MODEL);
      expect(encoder).toMatchObject({ pooling: 'last', normalize: true, maxTokens: 24 });
      // one text at a time, some together, all together: what is padded on the right is not seen
      for (const tokenBudget of [1, 40, 4096]) {
        expect(await worst(encoder, cased('lasttoken').vectors, tokenBudget)).toBeLessThan(2e-5);
      }
      await encoder.close();
    });

    test("a pooling by option: sentence-transformers' vectors too", async () => {
      for (const [pooling, name] of [
        ['last', 'lasttoken'],
        ['mean', 'mean'],
      ] as const satisfies readonly (readonly [Pooling, string])[]) {
        const encoder = await loadSentenceEncoder(MODEL, { pooling });
        expect(encoder.pooling).toBe(pooling);
        expect(await worst(encoder, cased(name).vectors, 4096)).toBeLessThan(2e-5);
        await encoder.close();
      }
    });

    test("token ids end on <|endoftext|>, where a text is cut too; the vectors are transformers' alone", async () => {
      const encoder = await loadSentenceEncoder(MODEL);
      const { ids } = encoder.tokenize(golden.texts);
      expect(ids).toEqual(golden.ids);
      const end = golden.ids[0]!.at(-1);
      expect(ids.every((row) => row.at(-1) === end)).toBe(true);
      const lengths = golden.plain.map((row) => Math.hypot(...row));
      const scaled = golden.plain.map((row, i) => row.map((value) => value / lengths[i]!));
      expect(await worst(encoder, scaled, 4096)).toBeLessThan(2e-5);
      await encoder.close();
    });
  },
);
