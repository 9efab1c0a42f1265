import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { embedItems } from '../../lib/embed/embed-items.js';
import { encodeTexts } from '../../lib/embed/sentence/encode-texts.js';
import type { Pooling } from '../../lib/embed/embed-options.js';
import { loadSentenceEncoder, type SentenceEncoder } from '../../lib/embed/sentence/sentence-encoder.js';
import { hashText } from '../../lib/files/files.js';
import { readNpy } from '../../lib/files/npy.js';

interface Golden {
  texts: string[];
  ids: number[][];
  cases: { pooling: string; normalize: boolean; vectors: number[][] }[];
}

const MODEL = fileURLToPath(new URL('../golden/tiny-encoder', import.meta.url));
const golden = JSON.parse(readFileSync(join(MODEL, 'golden.json'), 'utf8')) as Golden;
const scratch = mkdtempSync(join(tmpdir(), 'encoder-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** Whether the optional package is there; without it there is nothing to test but the message. */
const installed = existsSync(fileURLToPath(new URL('../../node_modules/onnxruntime-node', import.meta.url)));

let copies = 0;
/** The tiny model with some of its files replaced (`undefined`: removed). */
function variant(files: Record<string, unknown>): string {
  const folder = join(scratch, `model-${copies++}`);
  cpSync(MODEL, folder, { recursive: true });
  for (const [name, value] of Object.entries(files)) {
    if (value === undefined) rmSync(join(folder, name), { recursive: true });
    else writeFileSync(join(folder, name), typeof value === 'string' ? value : JSON.stringify(value));
  }
  return folder;
}

function dataFolder(texts: readonly string[]): string {
  const data = mkdtempSync(join(scratch, 'data-'));
  const items = texts.map((text, id) => [id, { title: text || '-', description: '', brand: '', categories: '' }]);
  writeFileSync(join(data, 'Tools.item.json'), JSON.stringify(Object.fromEntries(items)));
  return data;
}

function worst(rows: Float32Array, expected: readonly (readonly number[])[]): number {
  const flat = expected.flat();
  expect(rows.length).toBe(flat.length);
  return flat.reduce((most, x, i) => Math.max(most, Math.abs(x - rows[i]!)), 0);
}

/** An encoder in plain numbers: a text's vector is its first token and its length. */
function fake(fails: (batch: readonly (readonly number[])[]) => boolean = () => false): SentenceEncoder {
  return {
    ...{ name: 'fake', pooling: 'mean', normalize: false, maxTokens: 9, special: new Set<number>() },
    tokenize: (texts) => ({ ids: texts.map((text) => [...text].map(Number)), truncated: new Set() }),
    encode: (batch) => {
      if (fails(batch)) return Promise.reject(new Error('bad alloc\nat ...'));
      return Promise.resolve({ data: Float32Array.from(batch.flatMap((ids) => [ids[0] ?? 0, ids.length])), width: 2 });
    },
    encodeTokens: () => Promise.reject(new Error('not asked for')),
    close: () => Promise.resolve(),
  };
}

describe.skipIf(!installed)('a real ONNX encoder (skipped where @huggingface/transformers is not installed)', () => {
  golden.cases.forEach(({ pooling, normalize, vectors }) => {
    test(`sentence-transformers' vectors: ${pooling}, ${normalize ? 'length 1' : 'not scaled'}`, async () => {
      const modules = JSON.parse(readFileSync(join(MODEL, 'modules.json'), 'utf8')) as unknown[];
      const encoder = await loadSentenceEncoder(
        variant({
          'modules.json': normalize ? modules : modules.slice(0, 2),
          '1_Pooling/config.json': { word_embedding_dimension: 16, pooling_mode: pooling },
        }),
      );
      const asked = { mean: 'mean', cls: 'cls', lasttoken: 'last' }[pooling];
      expect(encoder).toMatchObject({ pooling: asked, normalize, maxTokens: 24 });
      for (const tokenBudget of [1, 60, 4096]) {
        const { vectors: ours, truncated } = await encodeTexts(encoder, golden.texts, { tokenBudget });
        expect(worst(ours.data, vectors)).toBeLessThan(2e-5);
        expect(truncated).toBe(golden.texts.filter((text) => text.length > 60).length);
      }
      await encoder.close();
    });
  });

  test("token ids are transformers', special tokens kept where a text is cut", async () => {
    const encoder = await loadSentenceEncoder(MODEL);
    expect(encoder.tokenize(golden.texts).ids).toEqual(golden.ids);
    await encoder.close();
    const short = await loadSentenceEncoder(MODEL, { cutoffLen: 5 });
    expect(short.tokenize(['steel bolt hex nut wing']).ids[0]).toEqual([
      2,
      ...golden.ids[0]!.slice(0, 0),
      84,
      83,
      82,
      3,
    ]);
    await short.close();
    const long = golden.ids.findIndex(({ length }) => length > 4 && length < 24);
    const { length } = golden.ids[long]!;
    for (const [cutoffLen, cut] of [
      [length, 0],
      [length - 1, 1],
    ] as const) {
      const exact = await loadSentenceEncoder(MODEL, { cutoffLen });
      const { ids, truncated } = exact.tokenize([golden.texts[long]!]);
      expect([ids[0]!.length, truncated.size]).toEqual([cutoffLen, cut]);
      expect(ids[0]!.at(-1)).toBe(golden.ids[long]!.at(-1));
      await exact.close();
    }
    await expect(loadSentenceEncoder(MODEL, { cutoffLen: 1 }).then((one) => one.tokenize(['a']))).rejects.toThrow(
      'embed: expected --cutoff-len above 1, the special tokens of a text, got 1',
    );
    const two = await loadSentenceEncoder(MODEL, { cutoffLen: 2 });
    expect(two.tokenize(['steel bolt']).ids[0]).toHaveLength(2);
    await two.close();
  });

  test('the stage: own pooling, another one by option, a hub by HTTP', async () => {
    const data = dataFolder(golden.texts);
    const report = await embedItems({ data, encoder: MODEL });
    expect(report).toMatchObject({ items: 8, width: 16, pooling: 'mean', normalize: true, maxTokens: 24, resumed: 0 });
    expect(report.embeddings).toBe(join(data, 'Tools.emb-tiny-encoder.npy'));
    expect(existsSync(`${report.embeddings}.partial`)).toBe(false);
    const own = readNpy(report.embeddings);
    const cls = await embedItems({ data, encoder: MODEL, pooling: 'cls' });
    expect(cls.pooling).toBe('cls');
    expect(readNpy(cls.embeddings)).not.toEqual(own);

    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url!);
      const file = join(MODEL, request.url!.replace('/golden/tiny/resolve/main/', ''));
      if (existsSync(file)) response.end(readFileSync(file));
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    vi.stubEnv('HF_ENDPOINT', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    vi.stubEnv('HF_HOME', join(scratch, 'hub'));
    const fetched = await embedItems({ data, encoder: 'golden/tiny' });
    expect(fetched).toMatchObject({ encoder: 'golden/tiny', pooling: 'mean', normalize: true, maxTokens: 24 });
    expect(readNpy(fetched.embeddings)).toEqual(own);
    expect(asked).toContain('/golden/tiny/resolve/main/1_Pooling/config.json');
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await expect(embedItems({ data, encoder: 'golden/another' })).rejects.toThrow(/give --encoder a folder/);
    vi.unstubAllEnvs();
  });

  test('what a model lacks is one line', async () => {
    const wrong = (files: Record<string, unknown>) => expect(loadSentenceEncoder(variant(files))).rejects;
    const missing = /cannot be loaded as an encoder .*onnx\/model\.onnx/;
    await wrong({ 'onnx/model.onnx': undefined }).toThrow(missing);
    await wrong({ 'tokenizer.json': undefined }).toThrow(missing);
    await wrong({ 'onnx/model.onnx': 'no protobuf' }).toThrow(missing);
    await wrong({ 'modules.json': '[' }).toThrow('modules.json: not valid JSON');
    await wrong({ '1_Pooling/config.json': { pooling_mode_max_tokens: true } }).toThrow(
      'choose --pooling mean|cls|last',
    );
    const both = { pooling_mode_cls_token: true, pooling_mode_mean_tokens: true };
    await wrong({ '1_Pooling/config.json': both }).toThrow('its pooling cls_token + mean_tokens is not known');
    const dense = [{ type: 'sentence_transformers.models.Dense', path: '2_Dense' }];
    await wrong({ 'modules.json': dense }).toThrow('its module Dense is not in the ONNX file');
    const load = (options: object) => expect(loadSentenceEncoder(MODEL, options)).rejects;
    await load({ pooling: 'max' as Pooling }).toThrow('expected pooling to be one of mean, cls, last, got "max"');
    await load({ cutoffLen: 0 }).toThrow('expected cutoffLen to be a whole number of 1 or more');
  });

  test('without configuration of pooling: the mean, not scaled', async () => {
    const folder = variant({
      'modules.json': undefined,
      '1_Pooling': undefined,
      'sentence_bert_config.json': undefined,
    });
    const encoder = await loadSentenceEncoder(folder);
    expect(encoder).toMatchObject({ pooling: 'mean', normalize: false, maxTokens: 64 });
    await encoder.close();
  });
});

test('rows are where their texts are, equal texts are encoded once', async () => {
  let encoded = 0;
  const encoder = fake((batch) => ((encoded += batch.length), false));
  const { vectors, empty } = await encodeTexts(encoder, ['12', '', '333', '12', '4', ''], { batchSize: 2 });
  expect([...vectors.data]).toEqual([1, 2, 0, 0, 3, 3, 1, 2, 4, 1, 0, 0]);
  expect(encoded).toBe(4);
  expect(empty).toBe(2);
});

test('a failed batch stops the run and names its items; the next run goes on and ends on the same bytes', async () => {
  const partial = join(scratch, 'x.npy.partial');
  const texts = ['1', '22', '333', '4444', '55555', '666666'];
  const options = { partial, batchSize: 2, key: 'model' };
  const third = fake((batch) => batch.some((ids) => ids[0] === 1));
  await expect(encodeTexts(third, texts, options)).rejects.toThrow(
    'fake failed on items 1, 0 (2 texts of up to 2 tokens): bad alloc; nothing was written',
  );
  const whole = await encodeTexts(fake(), texts);
  let asked = 0;
  const counting = fake((batch) => ((asked += batch.length), false));
  const again = await encodeTexts(counting, texts, options);
  expect([again.resumed, asked]).toEqual([4, 2]);
  expect(again.vectors).toEqual(whole.vectors);
  again.finish();
  expect(existsSync(partial)).toBe(false);
});

test('a partial file that is truncated, damaged or of other texts is not believed', async () => {
  const partial = join(scratch, 'y.npy.partial');
  const texts = ['1', '22', '333', '4444', '55555', '666666'];
  const options = { partial, batchSize: 2, key: 'model' };
  const whole = await encodeTexts(fake(), texts, options);
  const bytes = readFileSync(partial);
  const { pooling, normalize, maxTokens } = fake();
  const { key } = JSON.parse(bytes.toString('utf8', 0, bytes.indexOf(10))) as { key: string };
  expect(key).toBe(hashText(JSON.stringify(['model', pooling, normalize, maxTokens, texts])));
  const resume = async (other: Partial<typeof options> = {}, of = texts) => {
    const { resumed, vectors } = await encodeTexts(fake(), of, { ...options, ...other });
    if (of === texts) expect(vectors).toEqual(whole.vectors);
    return resumed;
  };
  expect(await resume()).toBe(6);
  truncateSync(partial, bytes.length - 3);
  expect(await resume()).toBe(4);
  expect(readFileSync(partial)).toEqual(bytes); // what was cut is there again
  bytes[bytes.length - 40]! ^= 1; // in the second of three records
  writeFileSync(partial, bytes);
  expect(await resume()).toBe(2);
  appendFileSync(partial, 'xyz');
  expect(await resume()).toBe(6);
  expect(await resume({ key: 'another' })).toBe(0);
  expect(await resume({ key: 'another' }, ['1', '23', ...texts.slice(2)])).toBe(0);
  for (const junk of ['', 'hello', '{"key":1}\n', '\n\n\n', '{"width":1e99}\nabc']) {
    writeFileSync(partial, junk);
    expect(await resume()).toBe(0);
  }
});

test('numbers that are not finite name their item; no texts and no room say so', async () => {
  const encoder = { ...fake(), encode: () => Promise.resolve({ data: Float32Array.of(1, 2, 3, NaN), width: 2 }) };
  await expect(encodeTexts(encoder, ['12', '3'])).rejects.toThrow('gives item 1 a number that is not finite');
  await expect(encodeTexts(fake(), [])).rejects.toThrow('expected texts, got none');
  await expect(encodeTexts(fake(), ['1'], { tokenBudget: 0 })).rejects.toThrow(
    'expected tokenBudget to be a whole number of 1 or more',
  );
});
