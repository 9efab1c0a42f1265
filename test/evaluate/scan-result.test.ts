import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from '../fast-check.js';
import { afterAll, expect, test } from 'vitest';
import { readResults, writeResults } from '../../lib/evaluate/results-file.js';
import { columnResults, ResultColumnsBuilder } from '../../lib/evaluate/results/result-columns.js';
import { scanResult } from '../../lib/evaluate/results/scan-result.js';
import { exactDecimal } from '../../lib/files/exact-decimal.js';

const folder = mkdtempSync(join(tmpdir(), 'sidlab-scan-'));
afterAll(() => rmSync(folder, { recursive: true }));

const read = (text: string): { value: number; end: number } => {
  const into = { value: NaN };
  return { end: exactDecimal(Buffer.from(`${text},`), 0, into), value: into.value };
};

test('any double, as JSON writes it, and float32 among them', () => {
  const numbers = fc.oneof(
    fc.double({ min: -1e15, max: 1e15, noNaN: true }),
    fc.float({ noNaN: true, noDefaultInfinity: true }),
    fc.double({ min: -60, max: 0, noNaN: true }),
    fc.float({ min: -60, max: 0, noNaN: true }),
    fc.integer(),
  );
  fc.assert(
    fc.property(numbers, (x) => {
      const text = JSON.stringify(x);
      expect(read(text)).toEqual({ value: JSON.parse(text), end: text.length });
    }),
    { numRuns: 5000 },
  );
});

test('any digits at all: the double nearest to the text', () => {
  const digits = fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 1, maxLength: 24 });
  const exponent = fc.option(fc.integer({ min: -30, max: 30 }));
  fc.assert(
    fc.property(fc.nat(9999), digits, exponent, (whole, fraction, e) => {
      const text = `-${whole}.${fraction}${e === null ? '' : `e${e}`}`;
      expect(read(text).value).toBe(Number(text));
    }),
    { numRuns: 5000 },
  );
});

test('halfway between two doubles, where rounding could go either way', () => {
  for (const text of ['9007199254740993', '9007199254740993.0000001', '0.5000000000000000555', '4503599627370496.5']) {
    expect(read(text).value).toBe(Number(text));
  }
});

test('what is no JSON number', () => {
  for (const text of ['', '-', '.5', '1.', '01', '1e', '1e+', 'NaN', '+1']) expect(read(text).end, text).toBe(-1);
});

const ids = fc.array(fc.nat(1_000_000), { maxLength: 6 });
const result = fc
  .record({
    user: fc.string({ unit: 'grapheme' }),
    history: ids,
    target: fc.nat(99),
    items: ids,
    logProbs: fc.option(fc.array(fc.double({ min: -1e15, max: 1e15, noNaN: true }), { maxLength: 3 })),
  })
  .chain(({ logProbs, ...rest }) =>
    fc
      .array(fc.double({ min: -1e15, max: 1e15, noNaN: true }), {
        minLength: rest.items.length,
        maxLength: rest.items.length,
      })
      .map((scores) => ({
        ...rest,
        scores,
        ...(logProbs !== null && { targetLogProbs: logProbs }),
      })),
  );

test('scanned and parsed lines give the same results', async () => {
  const file = join(folder, 'any.jsonl');
  await fc.assert(
    fc.asyncProperty(
      fc.array(result, { minLength: 1, maxLength: 5 }),
      fc.constantFrom(0, 1),
      async (results, indent) => {
        if (indent === 0) writeResults(file, results);
        else writeFileSync(file, results.map((r) => JSON.stringify(r).replaceAll(',"', ', "')).join('\r\n'));
        const found = await readResults(file);
        const plain = results.map((r) => JSON.parse(JSON.stringify(r)) as object);
        if (indent === 0) expect(found).toEqual(plain);
        else
          expect(found.map(({ items, scores }) => ({ items, scores }))).toEqual(
            results.map(({ items, scores }) => JSON.parse(JSON.stringify({ items, scores })) as object),
          );
      },
    ),
    { numRuns: 200 },
  );
});

test('the usual line is scanned, others are left to JSON.parse', () => {
  const line = '{"user":"A","history":[3],"target":9,"items":[9,4],"scores":[-0.1,-2.3]}\n';
  const scan = (text: string) => {
    const columns = new ResultColumnsBuilder();
    columns.reserve(text.length);
    const next = scanResult(Buffer.from(text), 0, columns);
    return next < 0 ? columns.used : { result: [...columnResults(columns.take())], next };
  };
  const result = { user: 'A', history: [3], target: 9, items: [9, 4], scores: [-0.1, -2.3] };
  expect(scan(line)).toEqual({ result: [result], next: line.length });
  const asked = line.replace('}', ',"targetLogProbs":[-1,-0.5]}');
  expect(scan(asked)).toMatchObject({ result: [{ ...result, targetLogProbs: [-1, -0.5] }] });
  expect(scan(line.replace('}', ',"targetLogProbs":[]}'))).toMatchObject({
    result: [{ ...result, targetLogProbs: [] }],
  });
  const others = ['"A"', '"A\\n"', '-9', '1.5', '[9,]', '[9 ,4]', '[-0.1]'].map((text, i) =>
    line.replace(['{"user":"A"', '"A"', '9', '9', '[9,4]', '[9,4]', '[-0.1,-2.3]'][i]!, text),
  );
  for (const other of [...others, line.slice(0, -2), line.replace('}', ',"x":1}')]) expect(scan(other), other).toBe(0); // nothing is left behind
});

test('a file cut short, NaN, a field of another kind: file and line', async () => {
  const file = join(folder, 'bad.jsonl');
  const line = '{"user":"A","history":[3],"target":9,"items":[9,4],"scores":[-0.1,-2.3]}\n';
  const complaint = async (text: string): Promise<string> => {
    writeFileSync(file, text);
    return readResults(file).then(
      () => 'accepted',
      (error: Error) => error.message,
    );
  };
  expect(await complaint(line + line.slice(0, 40))).toBe(
    `${file}:2: not valid JSON, the line is cut short; evaluate again`,
  );
  expect(await complaint(line.replace('-2.3', 'NaN'))).toMatch(/:1: score 2 is NaN/);
  expect(await complaint(line.replace('-2.3', 'null'))).toMatch(/:1: score 2 is NaN/);
  expect(await complaint(line.replace('9,4', '9'))).toMatch(/:1: scores \(one an item\) is missing/);
  expect(await complaint(line.replace('}', ',"targetLogProbs":"x"}'))).toMatch(/:1: targetLogProbs is missing/);
  expect(await complaint('\n')).toMatch(/expected results, got an empty file/);
});
