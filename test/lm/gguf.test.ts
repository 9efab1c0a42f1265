/**
 * GGUF files: numbers as Python's package gguf reads them, parameters as the Hugging Face folder has them, tokens as the
 * package tokenizers makes them (`test/golden/gguf/make_gguf.py`); a file that is damaged is one line.
 */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { GgufFile, withGguf } from '../../lib/files/gguf/gguf-file.js';
import { readSafetensors } from '../../lib/files/safetensors.js';
import { addLora } from '../../lib/lm/lora/lora.js';
import { parseLora } from '../../lib/lm/lora/lora-options.js';
import { ggufName } from '../../lib/lm/gguf/gguf-weights.js';
import { isBare, loadModel, modelConfig, modelFile, saveModel } from '../../lib/lm/model.js';
import { loadChatTemplate } from '../../lib/lm/tokenizer/chat-template.js';
import { loadTokenizer } from '../../lib/lm/tokenizer/tokenizer.js';
import { fromBfloat16 } from '../../lib/ops/bfloat16.js';
import { hashInputs } from '../../lib/runs/inputs.js';
import { InputError } from '../../lib/support/errors.js';

const TYPES = 'test/golden/gguf/types.gguf';
const LLAMA = 'test/golden/gguf/llama.gguf';
const QWEN2 = 'test/golden/gguf/qwen2.gguf';

beforeAll(async () => void (await useEngine()));

const read = <T>(file: string): T => JSON.parse(readFileSync(file, 'utf8')) as T;
const newFolder = (): string => mkdtempSync(join(tmpdir(), 'sidlab-gguf-'));

describe('number formats', () => {
  const expected = read<Record<string, { shape: number[]; float32: string }>>('test/golden/gguf/types.json');

  test.each(Object.keys(expected))('%s has the very bits of the Python package', (name) => {
    const { shape, data } = withGguf(TYPES, (file) => file.read(name));
    expect(shape).toEqual(expected[name]!.shape);
    const bytes = Buffer.from(expected[name]!.float32, 'base64');
    expect(Buffer.from(data.buffer, data.byteOffset, data.byteLength).equals(bytes)).toBe(true);
  });

  test('another format is named, with those that are read', () => {
    expect(() => withGguf(TYPES, (file) => file.read('I32'))).toThrow(/types\.gguf: I32 is I32, expected F32, F16, BF16, Q4_0/); // prettier-ignore
  });
});

describe('a model', () => {
  test.each([
    ['llama', LLAMA, 0],
    ['qwen2-tied', QWEN2, 0x1fff],
  ])('%s: every parameter is the Hugging Face folder’s', (golden, path, lost) => {
    const { weights, config } = loadModel(path);
    const arrays = readSafetensors(`test/golden/${golden}/model.safetensors`);
    expect([...weights.keys()].sort()).toEqual([...arrays.keys()].sort());
    for (const [name, { data }] of arrays) {
      const got = weights.get(name)!.dataSync();
      const off = weights.get(name)!.rank === 2 && lost > 0 ? 2 ** -11 : 0; // float16 has eleven digits
      got.forEach((x, i) => expect(Math.abs(x - data[i]!), name).toBeLessThanOrEqual(off * Math.abs(data[i]!) + off * 2 ** -14)); // prettier-ignore
    }
    const {
      ropeScaling: _scaling,
      eosTokenId: _id,
      eosTokenIds: _ids,
      ...folder
    } = modelConfig(`test/golden/${golden}`);
    const { eosTokenId, eosTokenIds, ...own } = config;
    expect({ ...own, normEpsilon: Math.fround(own.normEpsilon) }).toEqual({
      ...folder,
      normEpsilon: Math.fround(folder.normEpsilon),
    });
    expect([eosTokenId, eosTokenIds]).toEqual([2, [2, 0]]); // end of turn, end of text
  });

  test('frozen in bfloat16 its matrices are kept in that, rounded', () => {
    const [whole, halves] = [loadModel(LLAMA), loadModel(LLAMA, { precision: 'bfloat16', frozen: true })];
    for (const [name, weight] of halves.weights) {
      const [got, exact] = [fromBfloat16(weight as tf.Tensor).dataSync(), whole.weights.get(name)!.dataSync()];
      got.forEach((x, i) => expect(Math.abs(x - exact[i]!)).toBeLessThanOrEqual(Math.abs(exact[i]!) / 256));
    }
  });

  test('a model folder is written of it, which reads the same', () => {
    const folder = newFolder();
    const [model, tokenizer] = [loadModel(LLAMA), loadTokenizer(LLAMA)];
    saveModel(folder, model, { json: tokenizer.json });
    const again = loadModel(folder);
    expect(again.config).toEqual(model.config);
    for (const [name, weight] of model.weights) expect(again.weights.get(name)!.dataSync()).toEqual(weight.dataSync());
    expect(loadChatTemplate(folder).wrap('ab')).toBe('<|im_start|>ab<|im_end|><|im_start|>');
    expect(loadTokenizer(folder).encode('abc def')).toEqual(tokenizer.encode('abc def'));
  });

  test('an adapter names the file as its base, and finds it again', () => {
    const folder = newFolder();
    const base = join(folder, 'base.gguf');
    copyFileSync(LLAMA, base);
    const adapter = join(folder, 'adapter');
    const lora = parseLora({ rank: 2, targets: ['q_proj'], modules: [] }, base, false);
    const model = addLora(loadModel(base), lora, 1);
    mkdirSync(adapter);
    saveModel(adapter, model, { json: loadTokenizer(base).json });
    const name = 'model.layers.0.self_attn.q_proj.weight';
    expect(loadModel(adapter).weights.get(name)!.dataSync()).toEqual(loadModel(base).weights.get(name)!.dataSync());
    const dataset = { dir: folder, name: 'none' };
    expect(Object.keys(hashInputs({ dataset, model: adapter }))).toContain('base base.gguf');
  });

  test('it is what a run is of, and no bare shape', () => {
    expect(hashInputs({ dataset: { dir: newFolder(), name: 'none' }, model: LLAMA })).toHaveProperty(
      'model llama.gguf',
    );
    expect([isBare(LLAMA), modelFile(LLAMA)]).toEqual([false, LLAMA]);
  });

  test('names', () => {
    expect(ggufName('model.layers.12.self_attn.k_norm.weight')).toBe('blk.12.attn_k_norm.weight');
    expect(ggufName('lm_head.weight')).toBe('output.weight');
  });
});

test('its tokenizer makes the tokens of the package tokenizers, digits apart', () => {
  const tokenizer = loadTokenizer(LLAMA);
  const texts = read<Record<string, number[]>>('test/golden/gguf/tokens.json');
  for (const [text, ids] of Object.entries(texts)) {
    expect(tokenizer.encode(text)).toEqual(ids);
    expect(tokenizer.decode(ids)).toBe(text);
  }
  expect(tokenizer.special).toEqual(['<|endoftext|>', '<|im_start|>', '<|im_end|>']);
  expect(tokenizer.vocabSize).toBe(31); // unused places are left to new tokens
  expect([tokenizer.begin, loadTokenizer(QWEN2).begin]).toEqual([[1], []]);
});

describe('what is wrong is one line', () => {
  const golden = readFileSync(LLAMA);
  /** A copy with some bytes changed, or cut. */
  function damaged(change: (bytes: Buffer) => Buffer): string {
    const file = join(newFolder(), 'model.gguf');
    writeFileSync(file, change(Buffer.from(golden)));
    return file;
  }
  /** The text in place of one as long. */
  const replaced = (from: string, to: string): string =>
    damaged((bytes) => {
      bytes.write(to, bytes.indexOf(from), 'latin1');
      return bytes;
    });

  test.each<[string, () => string, RegExp]>([
    ['no file', () => '/nowhere/model.gguf', /no such file/],
    ['no GGUF', () => damaged((bytes) => bytes.fill(0, 0, 4)), /does not begin with GGUF/],
    ['version 1', () => damaged((bytes) => bytes.fill(1, 4, 5)), /expected version 2 or 3, little-endian, got 1/],
    ['big-endian', () => damaged((bytes) => Buffer.concat([bytes.subarray(0, 4), Buffer.from([0, 0, 0, 3]), bytes.subarray(8)])), /got 50331648/],
    ['empty', () => damaged(() => Buffer.alloc(0)), /it ends too early/],
    ['cut in the header', () => damaged((bytes) => bytes.subarray(0, 200)), /it ends too early/],
    ['cut in the tensors', () => damaged((bytes) => bytes.subarray(0, bytes.length - 2000)), /ends at byte \d+ of \d+/],
    ['a count that no file can have', () => damaged((bytes) => bytes.fill(255, 8, 16)), /it ends too early/],
    ['another architecture', () => replaced('llama', 'mamba'), /expected general\.architecture to be one of qwen2, qwen3, llama, got mamba/],
    ['a tensor of another name', () => replaced('blk.1.attn_q', 'blk.1.attn_z'), /blk\.1\.attn_z\.weight is part of the model/],
    ['stretched frequencies', () => replaced('token_embd.weight', 'rope_freqs.weight'), /rope_freqs\.weight \(stretched/],
  ])('%s', (_, make, message) => {
    const file = make();
    const load = (): unknown => loadModel(file);
    expect(load).toThrow(InputError);
    expect(load).toThrow(message);
  }); // prettier-ignore

  test.each<[string, string, string, RegExp]>([
    ['SentencePiece', 'gpt2', 'bert', /expected a byte-level tokenizer \(gpt2\), got bert/],
    [
      'words of an unknown cut',
      'smollm',
      'smallm',
      /expected tokenizer\.ggml\.pre to be one of gpt-2, smollm, .* got smallm/,
    ],
  ])('%s', (_, from, to, message) => {
    expect(() => loadTokenizer(replaced(from, to))).toThrow(message);
  });

  test('random damage is an InputError or is not noticed, never anything else', () => {
    let seed = 1;
    const next = (below: number): number => (seed = (seed * 48271) % 2147483647) % below;
    const headerEnd = golden.indexOf('blk.1.ffn_up');
    for (let i = 0; i < 60; i++) {
      const file = damaged((bytes) => {
        bytes[next(headerEnd)] = next(256);
        return bytes;
      });
      try {
        new GgufFile(file).close();
      } catch (error) {
        expect(error).toBeInstanceOf(InputError);
      }
    }
  });
});
