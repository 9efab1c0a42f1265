import { fileURLToPath } from 'node:url';
import { expect, test, vi } from 'vitest';
import { loadSentenceEncoder } from '../../lib/embed/sentence/sentence-encoder.js';

vi.mock('@huggingface/transformers', () => {
  throw new Error("Cannot find package '@huggingface/transformers'\nRequire stack: ...");
});

test('without the optional package the rest of the kit loads, and a sentence encoder says what is missing', async () => {
  const model = fileURLToPath(new URL('../golden/tiny-encoder', import.meta.url));
  const message = await loadSentenceEncoder(model).catch((error: Error) => `${error.name}: ${error.message}`);
  expect(message).toMatch(/^InputError: embed: @huggingface\/transformers does not load \(.*or take --encoder lsa$/);
});
