/** A toy project from end to end: what is killed, by whom, what is run at all, and what is not run twice. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test, vi } from 'vitest';
import { Imports } from './imports.mjs';
import { textMutant } from './mutate.mjs';
import { reportLines } from './report.mjs';
import { runTests } from './run-tests.mjs';
import { Session } from './session.mjs';
import { Workspace } from './workspace.mjs';

const root = mkdtempSync(join(tmpdir(), 'sidlab-toy-'));
/** Where the copies are made: of this test alone. */
const copies = mkdtempSync(join(tmpdir(), 'sidlab-copies-'));
vi.stubEnv('TMPDIR', copies);
afterAll(() => {
  vi.unstubAllEnvs();
  for (const folder of [root, copies]) rmSync(folder, { recursive: true, force: true });
});

const FILES: Record<string, string> = {
  'lib/sum.ts': `import type { Unused } from './unused.js';
export const zero: Unused = 0;
export function sum(values: readonly number[]): number {
  let total = zero + 0;
  for (let i = 0; i < values.length; i++) total += values[i] ?? 0;
  return total;
}
export function half(x: number): number {
  return x / 2;
}
`,
  'lib/unused.ts': 'export type Unused = number;\nexport const other = 1 + 1;\n',
  'lib/mean.ts':
    "import { sum } from './sum.js';\nexport const mean = (of: readonly number[]) => sum(of) / of.length;\n",
  'test/sum.test.ts': `import { expect, test } from 'vitest';
import { sum } from '../lib/sum.js';
test('the sum', () => expect(sum([1, 2])).toBe(3));
`,
  'test/mean.test.ts': `import { expect, test } from 'vitest';
import { mean } from '../lib/mean.js';
test('the mean', async () => {
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(mean([4, 2])).toBe(3);
});
`,
  'test/slow.test.ts': "import '../lib/unused.js';\nthrow new Error('left out');\n",
  'test/broken.test.ts':
    "import '../lib/sum.js';\nimport { expect, test } from 'vitest';\ntest('no', () => expect(1).toBe(2));\n",
};

for (const [file, text] of Object.entries(FILES)) {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), text);
}
symlinkSync(fileURLToPath(new URL('../../node_modules', import.meta.url)), join(root, 'node_modules'));

const modules = { toy: { files: ['lib/'], tests: ['test', 'test/not-yet'], without: ['test/slow.test.ts'] } };

function job(file: string, find: string, replace: string) {
  return { module: 'toy', mutant: textMutant(file, FILES[file]!, { what: 'change', find, replace }) };
}

test('what a test runs: imports of imports, not types', () => {
  const imports = new Imports(root);
  expect(imports.closure('test/mean.test.ts')).toEqual(['lib/mean.ts', 'lib/sum.ts', 'test/mean.test.ts']);
  expect(imports.isDirect('test/mean.test.ts', 'lib/mean.ts')).toBe(true);
  expect(imports.isDirect('test/mean.test.ts', 'lib/sum.ts')).toBe(false);
});

test('killed, survived, unreached; the second call runs nothing', async () => {
  const jobs = [
    job('lib/sum.ts', 'total += values', 'total -= values'),
    job('lib/sum.ts', 'x / 2', 'x'),
    job('lib/mean.ts', 'of) / of.length', 'of)'),
    job('lib/unused.ts', '1 + 1', '1 - 1'),
  ];
  const lines: string[] = [];
  const first = await new Session(root, modules, { workers: 2, log: (line) => lines.push(line) }).run(jobs);
  expect(first.map(({ status, by }) => [status, by])).toEqual([
    ['killed', 'test/sum.test.ts > the sum'], // the faster one of two that would
    ['survived', undefined],
    ['killed', 'test/mean.test.ts > the mean'],
    ['unreached', undefined],
  ]);
  expect(lines).toContain('left out: test/broken.test.ts fails without a mutant');
  for (const [file, text] of Object.entries(FILES)) expect(readFileSync(join(root, file), 'utf8')).toBe(text);
  expect(readdirSync(copies)).toEqual([]);

  const again: string[] = [];
  expect(await new Session(root, modules, { log: (line) => again.push(line) }).run(jobs)).toEqual(first);
  expect(again).toEqual([]);

  // a new test: what was killed stays so, what survived is run again
  writeFileSync(
    join(root, 'test/half.test.ts'),
    "import { expect, test } from 'vitest';\nimport { half } from '../lib/sum.js';\ntest('half', () => expect(half(4)).toBe(2));\n",
  );
  const third = await new Session(root, modules, { log: (line) => again.push(line) }).run(jobs.slice(0, 2));
  expect(third).toMatchObject([first[0], { status: 'killed', by: 'test/half.test.ts > half' }]);
  expect(again.filter((line) => line.startsWith('1/'))).toHaveLength(1);

  const outcomes = jobs.map((of, i) => ({ ...of, result: first[i]! }));
  const equivalent = { file: 'lib/sum.ts', before: 'return x / 2;', after: 'return x;', reason: 'nobody asks' };
  const report = reportLines(outcomes, [equivalent]);
  expect(report[0]).toBe('toy: 2 of 3 killed (66.7 %), 1 equivalent');
  expect(report).toContain('  lib/sum.ts:9 [change] equivalent: nobody asks');
  expect(report).toContain('  lib/unused.ts:2 [change] unreached');
  expect(report.at(-1)).toBe('all: 2 of 3 killed (66.7 %)');
});

test('a copy: its dist follows the mutant, a test without end is stopped, the project is as it was', async () => {
  const workspace = new Workspace(root);
  const built = (): string => readFileSync(join(workspace.folder, 'dist/sum.js'), 'utf8');
  const original = built();
  expect(original).not.toContain(': readonly');
  const restore = workspace.replace('lib/sum.ts', FILES['lib/sum.ts']!.replace('i++', 'i += 0'));
  expect(built()).toContain('i += 0');
  expect(await runTests(workspace.folder, ['test/sum.test.ts'], 3)).toMatchObject({ status: 'timeout' });
  restore();
  expect(built()).toBe(original);
  expect(await runTests(workspace.folder, ['test/sum.test.ts'], 60)).toMatchObject({ status: 'passed' });
  workspace.dispose();
  expect(readdirSync(copies)).toEqual([]);
});
