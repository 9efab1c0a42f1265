import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from '../fast-check.js';
import { afterAll, describe, expect, test } from 'vitest';
import { readJson, readLines, readText, writeAllAtomic, writeAtomic } from '../../lib/files/files.js';
import { readBlocks } from '../../lib/files/text-blocks.js';

const dir = mkdtempSync(join(tmpdir(), 'sidlab-'));
afterAll(() => rmSync(dir, { recursive: true }));
let count = 0;
function file(content: string | Uint8Array): string {
  const path = join(dir, `file-${count++}`);
  writeFileSync(path, content);
  return path;
}
async function linesOf(path: string, encoding?: string): Promise<string[]> {
  const lines: string[] = [];
  for await (const { text } of readLines(path, encoding)) lines.push(text);
  return lines;
}

const utf16 = (text: string, big: boolean) => {
  const bytes = Buffer.from(text, 'utf16le');
  return big ? bytes.swap16() : bytes;
};
const ENCODINGS: [string, (text: string) => Uint8Array][] = [
  ['UTF-8', (text) => Buffer.from(text)],
  ['UTF-8 with a mark', (text) => Buffer.from(`\ufeff${text}`)],
  ['UTF-16LE', (text) => utf16(text, false)],
  ['UTF-16BE', (text) => utf16(text, true)],
  ['UTF-16LE with a mark', (text) => utf16(`\ufeff${text}`, false)],
  ['UTF-16BE with a mark', (text) => utf16(`\ufeff${text}`, true)],
];

describe.each(ENCODINGS)('%s', (_, encode) => {
  test('lines, text and JSON, plain and packed', async () => {
    const text = '{"a": "é",\r\n\n"b": "用户 😀"}';
    for (const bytes of [encode(text), gzipSync(encode(text))]) {
      const path = file(bytes);
      expect(await linesOf(path)).toEqual(['{"a": "é",', '"b": "用户 😀"}']);
      expect(readText(path)).toBe(text);
      expect(readJson(path)).toEqual({ a: 'é', b: '用户 😀' });
    }
  });

  test('any text, in chunks of any size', async () => {
    const line = fc.string({ unit: 'grapheme', maxLength: 5 }).map((text) => text.replace(/[\r\n]/g, '_'));
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 20 }), fc.integer({ min: 0, max: 3 }), async (lines, packed) => {
        const text = ['first', ...lines].join('\n'); // ASCII, by which UTF-16 without a mark is detected
        let bytes = encode(text);
        // Several members: the inflated chunks end anywhere, also within a character.
        for (let i = 0; i < packed; i++) {
          const at = Math.floor(bytes.length / 2);
          bytes = i === 0 ? Buffer.concat([gzipSync(bytes.subarray(0, at)), gzipSync(bytes.subarray(at))]) : bytes;
        }
        expect(await linesOf(file(bytes))).toEqual(text.split('\n').filter((part) => part !== ''));
      }),
      { numRuns: 60 },
    );
  });
});

test('a byte that is no UTF-8 is an error with its line, wherever it is', async () => {
  const good = 'x'.repeat(99) + '\n';
  for (const before of [0, 1, 30_000]) {
    const bytes = Buffer.concat([
      Buffer.from(good.repeat(before)),
      Buffer.from('Jos\xe9 M\n', 'latin1'),
      Buffer.from(good),
    ]);
    for (const path of [file(bytes), file(gzipSync(bytes))]) {
      const expected = `${path}:${before + 1}: expected UTF-8, got other bytes near "Jos\ufffd M"`;
      await expect(linesOf(path)).rejects.toThrow(expected);
      expect(() => readText(path)).toThrow(expected);
      expect((await linesOf(path, 'latin1'))[before]).toBe('José M');
      expect(readText(path, undefined, 'latin1')).toContain('José M');
    }
  }
  const half = file(Buffer.concat([Buffer.from('\ufeffa\nb\n', 'utf16le'), Buffer.from([0x3d, 0xd8, 0x0a, 0])]));
  await expect(linesOf(half)).rejects.toThrow(/:3: expected UTF-16LE, got other bytes/);
});

test('other encodings by name; unknown ones, UTF-32 and other compressions are refused', async () => {
  expect(await linesOf(file(Uint8Array.of(0xd3, 0xc3, 0xbb, 0xa7, 10)), 'gbk')).toEqual(['用户']);
  await expect(linesOf(file('a'), 'latin9000')).rejects.toThrow('expected an encoding such as utf-8');
  await expect(linesOf(file(Uint8Array.of(0xff, 0xfe, 0, 0, 65, 0, 0, 0)))).rejects.toThrow('got utf-32');
  const zstd = file(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 1, 2, 3));
  await expect(linesOf(zstd)).rejects.toThrow('expected plain text or gzip, got zstd; decompress it first');
  expect(() => readText(zstd)).toThrow('got zstd');
});

/** Processor seconds, which other work on the machine changes little. */
async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6;
}

test('one long line takes time by its length: 8 times as long, nowhere near 64 times the time', async () => {
  const read = (path: string) => async () => {
    for await (const block of readBlocks(path, () => 0)) if (block.length === 0) return;
  };
  const [short, long] = [8, 64].map((size) => file(Buffer.alloc(size << 20, 'x'))) as [string, string];
  await read(short)();
  const [one, eight] = [await seconds(read(short)), await seconds(read(long))];
  expect(eight).toBeLessThan(24 * Math.max(one, 0.01));
});

test('content in pieces: the same bytes, plain and packed, longer than a string can be; all or nothing', () => {
  const [plain, packed] = [join(dir, 'pieces.txt'), join(dir, 'pieces.txt.gz')];
  const pieces = ['a', '', 'é'.repeat(3 << 20), '\n', 'z'];
  writeAllAtomic([
    [plain, pieces.values()],
    [packed, pieces.values()],
  ]);
  expect(readFileSync(plain, 'utf8') === pieces.join('')).toBe(true);
  expect(gunzipSync(readFileSync(packed)).toString() === pieces.join('')).toBe(true);
  writeAtomic(plain, [].values());
  expect(readFileSync(plain, 'utf8')).toBe('');
  const block = 'x'.repeat(1 << 20);
  writeAtomic(
    plain,
    (function* () {
      for (let i = 0; i < 513; i++) yield block;
    })(),
  );
  expect(statSync(plain).size).toBe(513 << 20);
  expect(() =>
    writeAtomic(
      plain,
      (function* () {
        yield 'half';
        throw new Error('stop');
      })(),
    ),
  ).toThrow('stop');
  expect(statSync(plain).size).toBe(513 << 20);
});
