/** The mutator: what each operator makes of a line, what it leaves alone, and the sample. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { MODULES } from './modules.mjs';
import { apply, drawByOperator, listMutants, textMutant } from './mutate.mjs';
import { OPERATORS } from './operators.mjs';
import { filesOf } from './plan.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/[\\/]$/, '');

/** What one operator makes of a source, in the order of the text. */
function madeBy(operator: string, source: string): string[] {
  return listMutants('lib/toy.ts', source)
    .filter((mutant) => mutant.operator === operator)
    .map((mutant) => apply(source, mutant));
}

/** TypeScript's messages on a text that does not parse. */
function syntaxErrors(source: string): unknown[] {
  const parsed = ts.createSourceFile('toy.ts', source, ts.ScriptTarget.ES2022) as unknown as {
    parseDiagnostics: { messageText: unknown }[];
  };
  return parsed.parseDiagnostics.map(({ messageText }) => messageText);
}

const CASES: [operator: string, source: string, mutants: string[]][] = [
  ['arithmetic', 'x = a + b;', ['x = a - b;']],
  ['arithmetic', 'x = a - b * c;', ['x = a + b * c;', 'x = a - b / c;']],
  ['arithmetic', 'x += a / b;', ['x -= a / b;', 'x += a * b;']],
  ['bound', 'if (a < b) f();', ['if (a <= b) f();']],
  ['bound', 'for (; a >= b; ) f();', ['for (; a > b; ) f();']],
  ['equality', 'a === b;', ['a !== b;']],
  ['equality', 'a !== b;', ['a === b;']],
  ['logic', 'a && b || c;', ['a || b || c;', 'a && b && c;']],
  ['factor', 'x = a * b;', ['x = a;']],
  ['factor', 'x = (a + 1) / b;', ['x = (a + 1);']],
  ['factor', 'x = tf.mul<tf.Scalar>(a, b);', ['x = a;']],
  ['factor', 'x = a.div(b);', ['x = a;']],
  ['negation', 'x = -a;', ['x = a;']],
  ['negation', 'if (!a) f();', ['if (a) f();']],
  ['negation', 'x = tf.neg(a);', ['x = a;']],
  ['function', 'Math.min(a, b);', ['Math.max(a, b);']],
  ['function', 'tf.add(tf.mul(a, b), c);', ['tf.sub(tf.mul(a, b), c);', 'tf.add(tf.div(a, b), c);']],
  ['function', 'tf.argMax(a, b); a.toString(); set.add(b);', ['tf.argMin(a, b); a.toString(); set.add(b);']],
  ['number', 'x = 0.5;', ['x = 1.5;']],
  ['number', 'x = 0;', ['x = 1;']],
  ['number', 'x = 1;', ['x = 2;', 'x = 0;']],
  ['number', 'const { k = 7 } = options;', ['const { k = 8 } = options;']],
  ['number', 'x = { 3: 0xff };', ['x = { 3: 256 };']],
  ['argument order', 'tf.sub(a, b);', ['tf.sub(b, a);']],
  ['argument order', 'tf.matMul(a, f(b), true);', ['tf.matMul(f(b), a, true);']],
  ['argument order', 'tf.matMul(a, a); tf.add(a, b); x.sub(a, b);', []],
  ['sort', 'x = a.sort();', ['x = a;']],
  ['sort', 'x = a.sort(([p], [q]) => p - q);', ['x = a;', 'x = a.sort(([q], [p]) => p - q);']],
  ['slice', 'a.slice(i, 2);', ['a.slice(i + 1, 2);']],
  ['slice', 'a.subarray(i - k, -j);', ['a.subarray((i - k) + 1, -j);', 'a.subarray(i - k, -j + 1);']],
  ['default', 'x = a ?? b;', ['x = b;', 'x = a;']],
];

test.each(CASES)('%s: %s', (operator, source, mutants) => {
  expect(madeBy(operator, source).sort()).toEqual([...mutants].sort());
});

test('every operator has a case', () => {
  expect(new Set(CASES.map(([operator]) => operator))).toEqual(new Set(Object.keys(OPERATORS)));
});

test.each([
  "import { a } from './x1.js';",
  "export { a } from './x1.js';",
  'type T = 1 | -2;',
  'interface T { a: 1 }',
  'let x: [1, 2];',
  'const x = y as 1;',
  'throw new Error(a + b);',
  'f(new InputError(a * b));',
  'x = `${a + 1}`;',
  "x = 'a' + b;",
  'x = a.toFixed(3) + `b`;',
  'JSON.stringify(a, b, 2);',
  '/** a < b, 1 + 1 */',
])('left alone: %s', (source) => {
  expect(listMutants('lib/toy.ts', source)).toEqual([]);
});

describe('the files of the list', () => {
  const files = Object.values(MODULES).flatMap((module) => filesOf(root, module.files));

  test('are there, and in one module each', () => {
    for (const file of files) expect(readFileSync(`${root}/${file}`, 'utf8')).not.toBe('');
    expect(new Set(files).size).toBe(files.length);
  });

  test('every mutant parses, changes one place, and has an id of its own', () => {
    const ids = new Set<string>();
    let count = 0;
    for (const file of files.filter((_, i) => i % 12 === 0)) {
      const source = readFileSync(`${root}/${file}`, 'utf8');
      for (const mutant of listMutants(file, source)) {
        const mutated = apply(source, mutant);
        expect(syntaxErrors(mutated), mutant.after).toEqual([]);
        expect(mutated).not.toBe(source);
        expect(source.split('\n')[mutant.line - 1]).toContain(mutant.before.split(' ')[0]);
        ids.add(mutant.id);
        count++;
      }
    }
    expect(count).toBeGreaterThan(300);
    expect(ids.size).toBe(count);
  });
});

test('an id outlives an edit elsewhere in the file, and tells equal lines apart', () => {
  const ids = (source: string): string[] => listMutants('lib/toy.ts', source).map(({ id }) => id);
  const before = ids('x = a + b;\nx = a + b;');
  expect(new Set(before).size).toBe(2);
  expect(ids('// more\n\nx = a + b;\nx = a + b;')).toEqual(before);
});

test('the sample: by the seed, every operator in turn, stable under additions', () => {
  const of = (operator: string, count: number): { id: string; operator: string }[] =>
    Array.from({ length: count }, (_, i) => ({ id: `${operator}${i}`, operator }));
  const all = [...of('number', 50), ...of('sort', 3), ...of('bound', 20)];
  const sample = drawByOperator(all, 12, 1);
  const count = (operator: string): number => sample.filter((mutant) => mutant.operator === operator).length;
  expect([count('sort'), count('number') + count('bound')]).toEqual([3, 9]);
  expect(Math.abs(count('number') - count('bound'))).toBeLessThanOrEqual(1);
  expect(drawByOperator([...all].reverse(), 12, 1)).toEqual(sample);
  expect(drawByOperator(all, 12, 2)).not.toEqual(sample);
  const kept = drawByOperator([...all, { id: 'new', operator: 'bound' }], 12, 1);
  expect(kept.filter((mutant) => sample.includes(mutant)).length).toBeGreaterThanOrEqual(11);
  expect(drawByOperator(all, 100, 1)).toHaveLength(73);
});

test('a fixed change is refused where its text is missing or not alone', () => {
  const change =
    (find: string): (() => unknown) =>
    () =>
      textMutant('lib/toy.ts', 'a + b;\nb + c;', { what: 'w', find, replace: '' });
  expect(change('a +')()).toMatchObject({ line: 1, operator: 'w', before: 'a + b;', after: 'b;' });
  expect(change('x')).toThrow('lib/toy.ts: expected to find "x", got no such text');
  expect(change('b')).toThrow('stands there twice');
});
