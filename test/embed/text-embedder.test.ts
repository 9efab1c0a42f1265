/** Encoders as functions of texts. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { encodeTexts } from '../../lib/embed/sentence/encode-texts.js';
import { loadSentenceEncoder } from '../../lib/embed/sentence/sentence-encoder.js';
import { textEmbedder } from '../../lib/embed/text-embedder.js';
import { useEngine } from '../../lib/engine/engine.js';
import { textCosines } from '../../lib/evaluate/text/cosine.js';

beforeAll(async () => void (await useEngine()));

const MODEL = fileURLToPath(new URL('../golden/tiny-encoder', import.meta.url));
const installed = existsSync(fileURLToPath(new URL('../../node_modules/onnxruntime-node', import.meta.url)));

const ITEMS = ['steel kettle', 'folding lamp', 'cordless drill', 'steel lamp', 'folding tent'].map((title) => ({
  ...{ title, description: `A ${title} for every day`, brand: '', categories: '' },
}));

test('lsa: equal texts are alike, others less, and a text without a word is like nothing', async () => {
  const { embed, close } = await textEmbedder('lsa', ITEMS);
  const texts = ['steel kettle', 'steel kettle', 'steel kettle', '!!'];
  const [same, near, far, none] = await textCosines(
    texts,
    ['Steel kettle', 'steel lamp', 'cordless drill', '?'],
    embed,
  );
  expect(same).toBeCloseTo(1, 5);
  expect(near).toBeGreaterThan(far!);
  expect(near).toBeLessThan(0.99);
  expect(none).toBe(0);
  await close();
});

test.skipIf(!installed)('a sentence encoder: its own vectors, in the order of the texts', async () => {
  const texts = ['a steel kettle for tea', 'lamp', 'a steel kettle for tea'];
  const { embed, close } = await textEmbedder(MODEL, []);
  const { rows, width, data } = await embed(texts);
  await close();
  const encoder = await loadSentenceEncoder(MODEL);
  const { vectors } = await encodeTexts(encoder, texts);
  await encoder.close();
  expect([rows, width]).toEqual([3, vectors.width]);
  expect([...data]).toEqual([...vectors.data]);
  expect([...data.subarray(2 * width)]).toEqual([...data.subarray(0, width)]);
});

test('an encoder that cannot be had is reported at once', async () => {
  await expect(textEmbedder('no such folder', ITEMS)).rejects.toThrow('expected --encoder lsa, a folder');
});
