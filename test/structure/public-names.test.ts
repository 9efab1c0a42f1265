/** The public face: `sidlab` exports these names and no others, so that a new export is a decision. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const index = readFileSync(fileURLToPath(new URL('../../lib/index.ts', import.meta.url)), 'utf8');
const names = [...index.matchAll(/export (?:type )?\{([^}]*)\}/g)].flatMap(([, list]) =>
  list!.split(',').map((name) => name.trim()),
);

test('at most 150 names, each once, none by a star', () => {
  expect(names.length).toBeLessThanOrEqual(150);
  expect(new Set(names).size).toBe(names.length);
  expect(index).not.toContain('export *');
});

test('the list', async () => {
  await expect([...names].sort().join('\n') + '\n').toMatchFileSnapshot('public-names.txt');
});
