import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readIndex, spelledTokens, SPELLINGS, writeIndex } from '../../lib/data/sid-index.js';
import { useEngine } from '../../lib/engine/engine.js';
import { type Vectors, writeNpy } from '../../lib/files/npy.js';
import { sidItems } from '../../lib/sid/assign-sids.js';
import { extendIndex } from '../../lib/sid/extend-index.js';
import { codebookFile } from '../../lib/sid/files/codebook-files.js';
import { readSids } from '../../lib/sid/files/read-sids.js';
import { sidOutputs } from '../../lib/sid/files/saved-sids.js';
import { readCard } from '../../lib/sid/files/sid-card.js';
import { SID_METHODS, type SidMethodName } from '../../lib/sid/methods.js';
import { METHODS } from '../../lib/sid/methods.js';
import { sidQualityStage } from '../../lib/sid/quality/quality-stage.js';
import { rqVaeCodes } from '../../lib/sid/rqvae/rqvae.js';
import { type SidStageOptions } from '../../lib/sid/sid-options.js';
import { sidStage } from '../../lib/sid/sid-stage.js';
import { Random } from '../../lib/support/random.js';

const [ITEMS, LATER, WIDTH] = [60, 24, 6];
/** Items that come later have no code of `one-code`. */
const OF_CODEBOOKS = SID_METHODS.filter((method) => method !== 'one-code');
const codes = { codebookSize: 8 };
const learned = { hidden: [16], epochs: 8, batchSize: 20, evalEpochs: 4, learningRate: 3e-3 };
/** A method refuses another's options. */
const smallOf = (method: SidMethodName) => ({ ...codes, ...(METHODS[method].learned && learned) });

let folder: string;
let embeddings: string;
let all: string;
let index: string;

/** Groups of rows around centres; the mean is far from 0, so that latents are no vectors. */
function cloud(rows: number): Vectors {
  const random = new Random(1);
  const centres = Array.from({ length: 12 * WIDTH }, () => 3 + random.normal());
  const data = Float32Array.from({ length: rows * WIDTH }, (_, at) => {
    const [row, column] = [Math.floor(at / WIDTH), at % WIDTH];
    return centres[(row % 12) * WIDTH + column]! + 0.3 * random.normal();
  });
  return { rows, width: WIDTH, data };
}

const x = cloud(ITEMS + LATER);
const first = { rows: ITEMS, width: WIDTH, data: x.data.slice(0, ITEMS * WIDTH) };

/** An RQ-VAE whose latents are as wide as the vectors. */
const rqvae = { latent: WIDTH, hidden: [32], epochs: 60, autoencoderEpochs: 20, learningRate: 1e-2, evalEpochs: 20 };

const make = (method: SidMethodName, options: Partial<SidStageOptions> = {}) =>
  sidStage({
    ...smallOf(method),
    ...((method === 'rqvae' || method === 'letter') && rqvae),
    embeddings,
    index,
    method,
    ...options,
  });

beforeAll(async () => void (await useEngine()));

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'saved-sids-'));
  [embeddings, all, index] = ['x.npy', 'all.npy', 'x.index.json'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  writeNpy(embeddings, first);
  writeNpy(all, x);
});

test.each([
  ['rqkmeans', 'keep'],
  ['rqkmeans-constrained', 'rank'],
  ['rqkmeans-constrained', 'reassign'],
  ['rqvae', 'reassign'],
  ['rqkmeans-plus', 'reassign'],
] as const)('quality says what the stage said: %s, %s', async (method, collisions) => {
  const report = await make(method, { collisions });
  const quality = await sidQualityStage({ index, embeddings });
  expect(quality.collision).toEqual(report.collision);
  expect(quality.levels.at(-1)!.mse).toBeCloseTo(report.mse, 9);
  expect(quality.levels.map(({ used }) => used)).toEqual(report.codesUsed);
  expect(quality.ambiguousItems.raw!).toBeGreaterThanOrEqual(report.collision.raw * ITEMS);
  const errors = quality.levels.map(({ mse }) => mse!);
  expect(errors[0]!).toBeGreaterThan(errors[2]!);
  expect(errors[2]!).toBeLessThan(0.5); // the vectors' mean square is 10
});

describe.each(OF_CODEBOOKS)('%s', (method) => {
  test('items that arrive later get the codes that the method gives them, and a SID of their own', async () => {
    const before = tf.memory().numTensors;
    await make(method);
    const old = readIndex(index);
    const saved = readSids(index);
    expect(extendIndex({ embeddings: all, index })).toMatchObject({ items: 84, added: 24, levels: 3 });
    expect(tf.memory().numTensors).toBe(before);
    const grown = readIndex(index, 84);
    expect(grown.slice(0, ITEMS)).toEqual(old);
    expect(sidItems(grown).size).toBe(84);
    const { raw, card } = readSids(index, 84);
    expect(card).toMatchObject({ method, items: 84, moved: saved.card!.moved });
    expect(raw!.slice(0, ITEMS)).toEqual(saved.raw);
    expect(card!.mse).toBeLessThan(2 * saved.card!.mse + 0.2);
    expect(extendIndex({ embeddings: all, index })).toMatchObject({ items: 84, added: 0 });
    if (saved.model) {
      const later = { rows: LATER, width: WIDTH, data: x.data.slice(ITEMS * WIDTH) };
      expect(raw!.slice(ITEMS)).toEqual(rqVaeCodes(saved.model, later).codes);
    }
    // the later items are of the same groups: most begin as one of the old does, by their raw codes
    const begins = new Set(saved.raw!.map(([code]) => code));
    expect(raw!.slice(ITEMS).filter(([code]) => begins.has(code!)).length).toBeGreaterThan(LATER / 2);
  });

  test('the files are those that were announced, and none of the run before', async () => {
    await make('rqvae', { codebookSize: [4, 4, 4, 4, 4], embeddings: all, epochs: 22 });
    const { codebooks, card, model } = await make(method);
    const files = [index, card, ...codebooks, ...(model === null ? [] : [model])];
    expect(sidOutputs(index, method, 3)).toEqual(files);
    expect(readdirSync(folder).sort()).toEqual([...files.map((file) => file.slice(folder.length + 1)), 'all.npy', 'x.npy'].sort()); // prettier-ignore
    const { raw, codebooks: books } = await METHODS[method].quantize(first, { ...smallOf(method), ...((method === 'rqvae' || method === 'letter') && rqvae) } as never, 'x'); // prettier-ignore
    expect(readSids(index)).toMatchObject({ raw, codebooks: books });
  });
});

test.each(OF_CODEBOOKS)('vectors of another fit are noticed: %s', async (method) => {
  await make(method);
  const was = readFileSync(index, 'utf8');
  const turned = { ...x, data: x.data.map((_, at) => x.data[at - (at % WIDTH) + ((at + 1) % WIDTH)]!) }; // columns
  writeNpy(all, turned);
  expect(() => extendIndex({ embeddings: all, index })).toThrow(
    /all.npy: expected the first 60 vectors to be those that the SIDs were made of \(error .*\), got others \(.*\); lsa fits anew/,
  );
  expect(readFileSync(index, 'utf8')).toBe(was);
});

test('codebooks of another method, of another run, an index that is not theirs: one line each', async () => {
  const other = join(folder, 'y.index.json');
  for (const [method, stranger] of [
    ['rqvae', 'rqkmeans'],
    ['rqkmeans-plus', 'rqvae'],
    ['rqkmeans', 'rqkmeans-plus'],
  ] as const) {
    await make(method);
    await make(stranger, { index: other });
    const kept = readFileSync(codebookFile(index, 1));
    copyFileSync(codebookFile(other, 1), codebookFile(index, 1));
    const message = `x.codebook-b.npy: expected the file that ${method} wrote with x.sid.json, got another; run sidlab sid again`;
    expect(() => extendIndex({ embeddings: all, index })).toThrow(message);
    await expect(sidQualityStage({ index, embeddings })).rejects.toThrow(message);
    writeFileSync(codebookFile(index, 1), kept);
    expect(readSids(index).card!.method).toBe(method);
  }
  await make('rqvae');
  rmSync(join(folder, 'x.sid.safetensors'));
  expect(() => extendIndex({ embeddings: all, index })).toThrow(
    'x.sid.safetensors: expected the file that rqvae wrote',
  );
  await make('rqkmeans');
  expect(existsSync(join(folder, 'x.sid.safetensors'))).toBe(false);
  writeIndex(index, readIndex(index).reverse());
  expect(() => readSids(index)).toThrow('x.index.json: expected the file that rqkmeans wrote with x.sid.json, got another'); // prettier-ignore
  rmSync(join(folder, 'x.sid.json'));
  expect(readSids(index)).not.toHaveProperty('raw'); // an index from elsewhere
  const quality = await sidQualityStage({ index, embeddings });
  expect(quality.levels[2]!.mse).toBeGreaterThan(0);
  for (const text of ['[]', '{"method": "rqvae"}', 'null']) {
    writeFileSync(join(folder, 'x.sid.json'), text);
    expect(() => readCard(index)).toThrow('x.sid.json: expected what sidlab sid writes; run it again');
  }
});

test('vectors of another width; a start that is not constrained RQ-Kmeans', async () => {
  const narrow = join(folder, 'narrow.npy');
  writeNpy(narrow, { rows: ITEMS, width: 3, data: x.data.slice(0, ITEMS * 3) });
  const text = (file: string) => readFileSync(file, 'utf8');
  for (const method of ['rqkmeans', 'rqvae'] as const) {
    await make(method);
    const was = text(index);
    const message = `narrow.npy: expected vectors of width 6, of which ${method} made the SIDs, got 3; take the encoder`;
    expect(() => extendIndex({ embeddings: narrow, index })).toThrow(message);
    await expect(sidQualityStage({ index, embeddings: narrow })).rejects.toThrow(message);
    expect(text(index)).toBe(was);
    const start = make('rqkmeans-plus', { startIndex: index, index: join(folder, 'y.index.json') });
    await expect(start).rejects.toThrow(
      `x.index.json: expected an index of rqkmeans-constrained to start from, got one of ${method}`,
    );
  }
  expect(existsSync(join(folder, 'y.index.json'))).toBe(false);
  await make('rqkmeans-constrained');
  const started = await make('rqkmeans-plus', { startIndex: index, index: join(folder, 'y.index.json') });
  const alone = await make('rqkmeans-plus', { index: join(folder, 'z.index.json') });
  expect(started.mse).toBe(alone.mse);
});

test('an index from elsewhere counts from 0 or from 1: codes and quality are the same', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'sidlab-counts-'));
  const own = [[0, 3, 1], [2, 0, 0], [1, 1, 2], [2, 2, 1], [0, 3, 0]]; // prettier-ignore
  const qualities = [];
  for (const [i, spelling] of SPELLINGS.flatMap((tokens) =>
    [0, 1].map((countFrom) => ({ tokens, countFrom })),
  ).entries()) {
    const path = join(dir, `x${i}.index.json`);
    writeIndex(path, own.map((codes) => spelledTokens(codes, spelling))); // prettier-ignore
    expect(readSids(path).codes, JSON.stringify(spelling)).toEqual(own);
    const { levels, checks } = await sidQualityStage({ index: path, limits: { codesUsed: 1 }, out: join(dir, `${i}`) });
    qualities.push({ levels, checks });
  }
  expect(qualities[0]!.checks.map(({ pass }) => pass)).toEqual([true]); // no code that never was
  for (const quality of qualities) expect(quality).toEqual(qualities[0]);
});
