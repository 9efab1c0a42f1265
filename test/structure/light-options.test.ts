/** `sidlab --help` is quick: what the commands' options need loads no engine and no other large package. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const lib = fileURLToPath(new URL('../../lib', import.meta.url));

/**
 * Packages that a file loads, and what it loads them by: `file <- file <- cli.ts`. Types are not loaded, nor are the
 * imports of a function that runs later.
 */
function packages(file: string, by = '', seen = new Set<string>()): string[] {
  if (seen.has(file)) return [];
  seen.add(file);
  const chain = by === '' ? file : `${file} <- ${by}`;
  const text = readFileSync(join(lib, file), 'utf8');
  const loads = text.matchAll(/^(?:import|export) (?!type )(?:[^;']*? from )?'([^']+)'/gm);
  return [...loads].flatMap(([, name]) => {
    if (name!.startsWith('node:') || name!.endsWith('.json')) return [];
    if (!name!.startsWith('.')) return [`${name} <- ${chain}`];
    return packages(join(dirname(file), name!.replace(/\.js$/, '.ts')), chain, seen);
  });
}

test('the command line loads no package before it knows the command', () => {
  expect(packages('cli.ts')).toEqual([]);
});

test('a stage does, by its chain of imports', () => {
  expect(packages('ops/basic.ts')).toContain('@tensorflow/tfjs <- ops/custom-op.ts <- ops/basic.ts');
});
