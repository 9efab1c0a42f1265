/** Files read as a whole: in pieces of any size the same bytes and lines, so that no size of Node's is the limit. */
import { mkdtempSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { readInfo } from '../../lib/data/converted-files.js';
import { bytesAsUtf8, type Encoding } from '../../lib/files/encoding.js';
import { linesIn, readBytes, readUtf8, wholeLines } from '../../lib/files/whole-file.js';
import { InputError } from '../../lib/support/errors.js';
import fc from '../fast-check.js';

const dir = mkdtempSync(join(tmpdir(), 'sidlab-whole-'));
const path = join(dir, 'file');

const texts = fc
  .array(fc.constantFrom('', 'a', 'é', '中', '😀', '\n', '\r\n', '\ufeff', '\u2028', 'x'.repeat(30)), { maxLength: 30 })
  .map((parts) => parts.join(''));

test('bytes: however few are read at once, packed or not', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 300 }),
      fc.integer({ min: 1, max: 400 }),
      fc.boolean(),
      (bytes, few, packed) => {
        const plain = Buffer.concat([Buffer.from('#'), bytes]); // no file that looks packed
        writeFileSync(path, packed ? gzipSync(plain) : plain);
        expect(Buffer.compare(readBytes(path, undefined, few), plain)).toBe(0);
      },
    ),
    { numRuns: 100 },
  );
});

test('lines: those of the text split at its line ends, however little becomes a string at once', () => {
  fc.assert(
    fc.property(texts, fc.integer({ min: 1, max: 200 }), (text, piece) => {
      expect([...linesIn(Buffer.from(text), piece)]).toEqual(text.split('\n'));
    }),
    { examples: [['', 1], ['\n', 1], ['a\n', 2], ['a\n\n', 1], ['a', 1]], numRuns: 300 }, // prettier-ignore
  );
});

const encoded = (text: string, encoding: Encoding): Buffer =>
  encoding === 'utf-16be' ? Buffer.from(text, 'utf16le').swap16() : Buffer.from(text, encoding as 'utf8');

test('other encodings become UTF-8 in pieces that may end within a character', () => {
  const encodings = fc.constantFrom('utf8', 'utf-16le', 'utf-16be', 'latin1');
  fc.assert(
    fc.property(texts, encodings, fc.integer({ min: 1, max: 60 }), (text, encoding, piece) => {
      const known = encoding === 'latin1' ? text.replace(/[^\0-~]/gu, 'é') : text.replace(/^\ufeff+/, '');
      const bytes = encoded(known, encoding);
      expect(Buffer.from(bytesAsUtf8(bytes, 'x', encoding, piece)).toString()).toBe(known);
    }),
    { numRuns: 300 },
  );
});

test('bytes that are none of the encoding: the line, in whatever piece', () => {
  const bytes = Buffer.concat([encoded('ab\ncd\nef', 'utf-16le'), Buffer.from([0, 0xd8]), encoded('\ngh', 'utf-16le')]);
  for (let piece = 1; piece <= bytes.length + 1; piece++) {
    expect(() => bytesAsUtf8(bytes, 'x', 'utf-16le', piece)).toThrow(
      /^x:3: expected UTF-16LE, got other bytes near "ef\ufffd/,
    );
  }
});

test('a file that is missing, damaged, cut or too large: one line', () => {
  expect(() => readBytes(join(dir, 'none'), 'fetch it')).toThrow(/none: no such file; fetch it$/);
  const packed = gzipSync('x'.repeat(1000));
  for (let left = 2; left < packed.length; left++) {
    writeFileSync(path, packed.subarray(0, left));
    expect(() => readUtf8(path)).toThrow(InputError);
    expect(() => readUtf8(path)).toThrow(/^\S+: cannot be read \([^\n]+\); fetch it again$/);
  }
  writeFileSync(path, 'x');
  truncateSync(path, 2 ** 43); // eight terabytes of nothing
  expect(() => readBytes(path)).toThrow(/^\S+: cannot be read \([^\n]+\); fetch it again$/);
  truncateSync(path, 0);
});

test('lines of a packed file in UTF-16; the info file of a catalogue', () => {
  writeFileSync(path, gzipSync(Buffer.from('\ufeffa\tb\nc', 'utf16le')));
  expect([...wholeLines(path)]).toEqual(['a\tb', 'c']);
  writeFileSync(path, '<a_1>\tKettle\t0\r\n<a_2>\tPot\t1\n');
  expect(readInfo(path).map(({ title }) => title)).toEqual(['Kettle', 'Pot']);
});
