/**
 * Encoders from folders of safetensors against sentence-transformers and transformers (golden:
 * test/golden/vectors/make_hf_encoders.py): BERT, RoBERTa, and a Qwen3 that was saved without its output layer.
 */
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { parseBertConfig } from '../../lib/embed/hf/bert.js';
import { isSafetensorsFolder, loadHiddenStates } from '../../lib/embed/hf/hf-encoder.js';
import { encodeTexts } from '../../lib/embed/sentence/encode-texts.js';
import { loadSentenceEncoder } from '../../lib/embed/sentence/sentence-encoder.js';
import { useEngine } from '../../lib/engine/engine.js';

interface Golden {
  texts: string[];
  ids: number[][];
  hidden: number[][];
  cases: { pooling: 'mean' | 'cls' | 'lasttoken'; normalize: boolean; vectors: number[][] }[];
}

beforeAll(async () => void (await useEngine()));

const worst = (a: ArrayLike<number>, b: readonly number[]): number =>
  b.reduce((most, value, i) => Math.max(most, Math.abs(value - a[i]!)), 0);

describe.each(['bert', 'roberta', 'qwen3'])('%s', (name) => {
  const folder = join('test/golden/vectors', name);
  const golden = JSON.parse(readFileSync(join(folder, 'golden.json'), 'utf8')) as Golden;
  const largest = Math.max(...golden.hidden.flat().map(Math.abs));

  test("each token's last hidden state, alone and beside a longer text", async () => {
    expect(isSafetensorsFolder(folder)).toBe(true);
    const states = await loadHiddenStates(folder, 'fp32');
    const [, , ids, long] = golden.ids;
    const expected = golden.hidden.flat();
    expect(worst(states.hidden([ids!]), expected)).toBeLessThan(1e-5 * Math.max(1, largest));
    const T = long!.length;
    const both = states.hidden([long!, ids!]);
    const second = both.subarray(T * states.width, (T + ids!.length) * states.width);
    expect(worst(second, expected)).toBeLessThan(1e-5 * Math.max(1, largest));
    states.dispose();
  });

  test.skipIf(!existsSync('node_modules/@huggingface/transformers'))(
    "sentence-transformers' vectors by every pooling (skipped without @huggingface/transformers)",
    async () => {
      for (const pooling of ['mean', 'cls', 'last'] as const) {
        const encoder = await loadSentenceEncoder(folder, { pooling, cutoffLen: 24 });
        expect(encoder.tokenize(golden.texts).ids).toEqual(golden.ids);
        const given = golden.cases.find((of) => of.pooling === (pooling === 'last' ? 'lasttoken' : pooling) && of.normalize === encoder.normalize)!; // prettier-ignore
        for (const tokenBudget of [1, 4096]) {
          const { vectors } = await encodeTexts(encoder, golden.texts, { tokenBudget });
          expect(worst(vectors.data, given.vectors.flat())).toBeLessThan(1e-5 * Math.max(1, largest));
        }
        await encoder.close();
      }
    },
  );
});

describe('what is not computed here', () => {
  const good = { model_type: 'bert', num_hidden_layers: 1, num_attention_heads: 1, hidden_size: 4 };
  test.each([
    [{ ...good, model_type: 'deberta' }, 'expected model_type bert, roberta, xlm-roberta, camembert, got deberta'],
    [{ ...good, position_embedding_type: 'relative_key' }, 'expected absolute positions, got relative_key'],
    [{ ...good, hidden_act: 'tanh' }, 'expected hidden_act gelu or relu, got tanh'],
    [{ ...good, hidden_size: undefined }, 'expected hidden_size in it'],
  ])('%j', (raw, message) => expect(() => parseBertConfig(raw, 'c.json')).toThrow(message));

  test("a dtype of ONNX files; a folder without weights is no encoder's", async () => {
    await expect(loadHiddenStates('test/golden/vectors/bert', 'q8')).rejects.toThrow('expected --dtype fp32');
    const folder = mkdtempSync(join(tmpdir(), 'sidlab-hf-'));
    writeFileSync(join(folder, 'config.json'), '{}');
    expect(isSafetensorsFolder(folder)).toBe(false);
    await expect(loadHiddenStates(folder, 'fp32')).rejects.toThrow('expected onnx/model.onnx or model.safetensors');
  });
});
