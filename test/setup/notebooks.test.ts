/** The committed notebooks: executed from the first cell to the last, light, and about the kit alone. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

interface Cell {
  cell_type: 'markdown' | 'code';
  execution_count?: number | null;
  outputs?: { output_type: string; name?: string }[];
}

const FOLDER = join(import.meta.dirname, '../../notebooks');
const names = readdirSync(FOLDER).filter((name) => name.endsWith('.ipynb'));

test.each(names)('%s', (name) => {
  const text = readFileSync(join(FOLDER, name), 'utf8');
  const { cells } = JSON.parse(text) as { cells: Cell[] };
  const code = cells.filter(({ cell_type: type }) => type === 'code');
  expect(code.map(({ execution_count: count }) => count)).toEqual(code.map((_, i) => i + 1));
  const outputs = code.flatMap((cell) => cell.outputs!);
  expect(outputs.filter(({ output_type: type, name }) => type === 'error' || name === 'stderr')).toEqual([]);
  expect(Buffer.byteLength(text)).toBeLessThan(300_000);
  expect(text).not.toMatch(/\/(work|tmp|home|root|Users)\//);
});

test('README names every notebook', () => {
  const readme = readFileSync(join(FOLDER, '../README.md'), 'utf8');
  for (const name of names) expect(readme).toContain(name.replace('.ipynb', ''));
});
