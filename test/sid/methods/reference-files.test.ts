/** MiniOneRec's files (written by NumPy, `test/golden/sid/make_sid.py`), spellings of an index, and what follows them. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { codeTokens, indexCodes, readIndex, spelledTokens, writeIndex } from '../../../lib/data/sid-index.js';
import { useEngine } from '../../../lib/engine/engine.js';
import { sharedWithHistory } from '../../../lib/evaluate/rows/features.js';
import { readIntegerNpy, writeIntegerNpy } from '../../../lib/files/npy-integers.js';
import { readNpy, writeNpy } from '../../../lib/files/npy.js';
import { readNpz } from '../../../lib/files/npz.js';
import { sidVocabulary } from '../../../lib/lm/tokenizer/tokenizer.js';
import { extendIndex } from '../../../lib/sid/extend-index.js';
import { readSids } from '../../../lib/sid/files/read-sids.js';
import { exportSids, importSids } from '../../../lib/sid/files/reference-files.js';
import { sidStage } from '../../../lib/sid/sid-stage.js';

beforeAll(async () => void (await useEngine()));

const golden = 'test/golden/sid/reference';
const theirs = (name: string): string => join(golden, name);
const folder = mkdtempSync(join(tmpdir(), 'sid-reference-'));
const at = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true }));

const { mse, codes } = JSON.parse(readFileSync(theirs('mse.json'), 'utf8')) as { mse: number; codes: number[][] };
const files = { codebooks: theirs('codebooks_constrained.npz'), embeddings: theirs('vectors.npy') };

test('tables of whole numbers, also as NumPy transposed them', () => {
  expect(readFileSync(theirs('codes_constrained.npy')).includes("'fortran_order': True")).toBe(true);
  expect(readIntegerNpy(theirs('codes_constrained.npy'))).toEqual(codes);
  writeIntegerNpy(at('codes.npy'), [[1, -2], [70000, 0]]); // prettier-ignore
  expect(readIntegerNpy(at('codes.npy'))).toEqual([[1, -2], [70000, 0]]); // prettier-ignore
  expect(() => readIntegerNpy(theirs('vectors.npy'))).toThrow('expected whole numbers, got <f4; save them as int32');
  expect(() => readNpy(at('codes.npy'))).toThrow('expected float32, float64 or float16, got <i4');
  writeFileSync(at('short.npy'), readFileSync(at('codes.npy')).subarray(0, -1));
  expect(() => readIntegerNpy(at('short.npy'))).toThrow('expected 144 bytes, got 143');
});

describe('sid import', () => {
  const index = at('Toys.index.json');
  const both = { ...files, from: theirs('theirs.index.json'), codes: theirs('codes_constrained.npy') };

  test.each([
    ['codes and index', both, 1],
    ['the index alone', { ...both, codes: undefined }, 1],
    ['codes alone', { ...both, from: undefined }, 0],
  ])('%s', (_, { codes: npy, from, ...given }, countFrom) => {
    const report = importSids({ ...given, index, ...(npy && { codes: npy }), ...(from && { from }) });
    expect(report).toMatchObject({ items: 12, codebookSize: [3, 2], countFrom });
    expect(report.mse).toBeCloseTo(mse, 6);
    const saved = readSids(index);
    expect(saved.raw).toEqual(codes);
    expect(saved.codes.map((path) => path.slice(0, 2))).toEqual(codes);
    expect(saved.card).toMatchObject({ method: 'rqkmeans-constrained', space: 'vectors', width: 3 });
    if (from) expect(readIndex(index)).toEqual(readIndex(from));
    else expect(saved.codes).toEqual(codes.map((path, i) => (saved.codes[i]!.length > 2 ? [...path, saved.codes[i]![2]] : path))); // prettier-ignore
  });

  test('and sid export gives the same files back', () => {
    importSids({ ...both, index });
    const written = exportSids({ index });
    expect(written).toEqual({
      codebooks: at('Toys.codebooks_constrained.npz'),
      codes: at('Toys.codes_constrained.npy'),
    });
    expect(readNpz(written.codebooks)).toEqual(readNpz(files.codebooks));
    expect(readIntegerNpy(written.codes)).toEqual(codes);
  });

  test('later items are written as the others are', () => {
    importSids({ ...both, index });
    const vectors = readNpy(files.embeddings);
    const more = { ...vectors, rows: 13, data: Float32Array.from([...vectors.data, 0.1, 0.2, 0.3]) };
    writeNpy(at('more.npy'), more);
    extendIndex({ embeddings: at('more.npy'), index });
    const tokens = readIndex(index);
    expect(tokens.slice(0, 12)).toEqual(readIndex(both.from));
    const last = indexCodes(tokens, 1)[12]!;
    expect(last.every((code, level) => code >= 0 && code < [3, 2][level]!)).toBe(true);
    expect(readSids(index).codes[12]).toEqual(last);
  });

  test('what does not fit is refused, and nothing is written', () => {
    const fails = (given: object, message: string): void =>
      expect(() => importSids({ ...both, index: at('None.index.json'), ...given })).toThrow(message);
    fails({ countFrom: 0 }, 'sid import: expected --count-from 1, got 0');
    fails({ index: at('none.json') }, 'expected --index to end in .index.json');
    fails({ codebooks: files.embeddings }, 'vectors.npy');
    writeIntegerNpy(at('beyond.npy'), codes.map(() => [0, 2])); // prettier-ignore
    fails({ codes: at('beyond.npy') }, 'item 0: expected 2 codes of 3 x 2, got 0 2');
    writeIntegerNpy(at('other.npy'), codes.map(([a], i) => [(a! + i) % 3, 0])); // prettier-ignore
    fails(
      { codes: at('other.npy') },
      'expected tokens of the codes of --codes, counted from 0 or 1; are they of one run?',
    );
    copyFileSync(theirs('theirs.index.json'), at('theirs.index.json'));
    expect(() => importSids({ ...files, index: at('None.index.json') })).toThrow(
      'expected --codes or --from, got neither',
    );
    expect(() => readFileSync(at('None.index.json'))).toThrow();
  });
});

describe('spellings', () => {
  const spelled = (path: number[]) => spelledTokens(path, { tokens: 'openonerec', countFrom: 0 });

  test("OpenOneRec's, from codes and back", () => {
    expect(spelled([12, 200])).toEqual(['<|sid_begin|>', '<s_a_12>', '<s_b_200>', '<|sid_end|>']);
    expect(spelledTokens([12], { tokens: 'plain', countFrom: 1 })).toEqual(['<a_13>']);
    const index = [spelled([1, 0]), spelled([1, 2, 0]), spelled([1, 2, 1])];
    writeIndex(at('open.index.json'), index);
    expect(readIndex(at('open.index.json'))).toEqual(index);
    expect(indexCodes(index)).toEqual([[1, 0], [1, 2, 0], [1, 2, 1]]); // prettier-ignore
    expect(codeTokens(index[0]!)).toEqual(['<s_a_1>', '<s_b_0>']);
    expect(sidVocabulary(index, 'used')).toEqual(['<|sid_begin|>', '<|sid_end|>', '<s_a_1>', '<s_b_0>', '<s_b_2>', '<s_c_0>', '<s_c_1>']); // prettier-ignore
    expect(sidVocabulary(index, 'all')).toHaveLength(2 + 3 * 3);
  });

  test.each([
    [['<|sid_begin|>', '<s_a_1>']],
    [['<|sid_begin|>', '<|sid_end|>']],
    [['<|sid_begin|>', '<a_1>', '<|sid_end|>']],
    [['<s_a_1>']],
  ])('%j is none', (tokens) => {
    expect(() => writeIndex(at('bad.index.json'), [tokens])).toThrow('item 0: expected');
  });

  test('one index has one spelling', () => {
    expect(() => writeIndex(at('bad.index.json'), [spelled([1]), ['<a_1>']])).toThrow(
      'item 1: expected <|sid_begin|>, tokens such as <s_a_12>, <|sid_end|>, got ["<a_1>"]',
    );
  });

  test('begin and end are no codes that two items share', () => {
    const index = [spelled([1, 0]), spelled([2, 0])];
    expect(sharedWithHistory({ history: [0], target: 1 }, index)).toBe(0);
    expect(sharedWithHistory({ history: [1], target: 1 }, index)).toBe(2);
  });

  test('sid --spelling openonerec --count-from 1, read back with the same codes', async () => {
    const embeddings = at('Toys.emb-lsa.npy');
    copyFileSync(files.embeddings, embeddings);
    const [plain, open] = [at('plain.index.json'), at('openone.index.json')];
    await sidStage({ embeddings, index: plain, codebookSize: [3, 4] });
    await sidStage({ embeddings, index: open, codebookSize: [3, 4], spelling: 'openonerec', countFrom: 1 });
    expect(readSids(open).codes).toEqual(readSids(plain).codes);
    expect(readIndex(open)[0]).toEqual(
      spelledTokens(readSids(plain).codes[0]!, { tokens: 'openonerec', countFrom: 1 }),
    );
  });
});
