/** Everything that lib exports has a doc comment, types too. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, test } from 'vitest';

const lib = fileURLToPath(new URL('../../lib', import.meta.url));

/** Exported declarations of a file without a doc comment. */
function undocumented(file: string): string[] {
  const source = ts.createSourceFile(file, readFileSync(join(lib, file), 'utf8'), ts.ScriptTarget.ESNext, true);
  return source.statements.flatMap((statement) => {
    const modifiers = ts.canHaveModifiers(statement) ? ts.getModifiers(statement) : undefined;
    const exported = modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) ?? false;
    const documented = ts.getJSDocCommentsAndTags(statement).length > 0;
    return exported && !documented ? [`${file}: ${statement.getText().slice(0, 60).split('\n')[0]}`] : [];
  });
}

test('exported functions, classes, constants and types', () => {
  const files = readdirSync(lib, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.ts') && !name.endsWith('index.ts'),
  );
  expect(files.length).toBeGreaterThan(200);
  expect(files.flatMap(undocumented)).toEqual([]);
});
