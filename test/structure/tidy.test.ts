/** No array of numbers leaves `tf.tidy`, which would look at every one of them for a tensor (lib/support/values-of.ts). */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, test } from 'vitest';

const lib = fileURLToPath(new URL('../../lib', import.meta.url));
const READS = ['dataSync', 'arraySync'];

test('what is read off the engine is read outside of tf.tidy', () => {
  const files = readdirSync(lib, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'));
  expect(files.flatMap((path) => handedOut(path, readFileSync(join(lib, path), 'utf8')))).toEqual([]);
});

test('the rule finds an array, in a block and among others, and passes over a number and a tensor', () => {
  const found = (source: string): number => handedOut('x.ts', source).length;
  expect(found(`tf.tidy(() => x.dataSync<'float32'>());`)).toBe(1);
  expect(found(`tf.tidy('name', () => { const y = f(x); return [y.dataSync(), y.arraySync()]; });`)).toBe(1);
  expect(found(`tf.tidy(() => { work(() => { return y.dataSync(); }); return x; });`)).toBe(0);
  expect(found(`tf.tidy(() => x.dataSync()[0]!); tf.tidy(() => void x.dataSync()); tf.tidy(() => f(x));`)).toBe(0);
});

/** Places where an array is the value of a `tf.tidy`, or part of it. */
function handedOut(path: string, source: string): string[] {
  const file = ts.createSourceFile(path, source, ts.ScriptTarget.Latest, true);
  const places: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && node.expression.getText() === 'tf.tidy') {
      const work = node.arguments.at(-1)!;
      if (ts.isArrowFunction(work) && valuesOf(work).some(hasRead)) {
        places.push(`${path}:${file.getLineAndCharacterOfPosition(node.getStart()).line + 1}`);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return places;
}

/** Expressions that a function returns. */
function valuesOf({ body }: ts.ArrowFunction): ts.Node[] {
  if (!ts.isBlock(body)) return [body];
  const values: ts.Node[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isReturnStatement(node) && node.expression) values.push(node.expression);
    else if (!ts.isFunctionLike(node)) ts.forEachChild(node, visit);
  };
  ts.forEachChild(body, visit);
  return values;
}

/** Whether it is, or lists, what is read; `void` and an element of it are not. */
function hasRead(node: ts.Node): boolean {
  if (ts.isVoidExpression(node) || ts.isElementAccessExpression(node) || ts.isFunctionLike(node)) return false;
  if (ts.isCallExpression(node)) {
    return ts.isPropertyAccessExpression(node.expression) && READS.includes(node.expression.name.text);
  }
  return ts.forEachChild(node, hasRead) ?? false;
}
