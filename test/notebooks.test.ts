/**
 * The notebooks that need no training run from the first cell to the last, as `npm start` runs the quickstart: copies of
 * them, in a folder of their own, in Jupyter with the kit's kernel.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { hasJupyter, jupyterEnv } from '../kernels/setup/jupyter.mjs';

import { linkPackage } from '../kernels/setup/notebook-link.mjs';
import { VENV_PYTHON } from '../kernels/setup/paths.mjs';

const ROOT = join(import.meta.dirname, '..');
const REAL = join(ROOT, '../shared/data');
const why = !hasJupyter()
  ? 'no Jupyter in .venv (npm run setup says why)'
  : existsSync(REAL)
    ? undefined
    : 'no ../shared/data, whose catalogues they read';
if (why !== undefined) process.stderr.write(`notebooks are not executed: ${why}\n`);

const home = mkdtempSync(join(tmpdir(), 'sidlab-notebooks-')); // of the data that they make
const project = join(home, 'project');
const run = join(ROOT, 'notebooks/.run/test'); // of the copies: packages are found from the project's notebooks folder

beforeAll(() => {
  if (why !== undefined) return;
  for (const folder of [project, run]) mkdirSync(folder, { recursive: true });
  linkPackage();
  mkdirSync(join(home, 'shared'));
  symlinkSync(realpathSync(REAL), join(home, 'shared/data'));
});

afterAll(() => {
  for (const folder of [home, run]) rmSync(folder, { recursive: true, force: true });
});

interface Output {
  output_type: string;
  name?: string;
  text?: string | string[];
  ename?: string;
  evalue?: string;
}

/** Exit status and what was printed of `execute.py NOTEBOOK COPY`. */
function execute(notebook: string, copy: string): Promise<{ status: number | null; printed: string }> {
  const env = { ...process.env, ...jupyterEnv(), SIDLAB_HOME: project };
  const child = spawn(VENV_PYTHON, [join(ROOT, 'kernels/tslab/execute.py'), notebook, copy], { env });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (printed += String(chunk)));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, printed }));
  });
}

test.skipIf(why !== undefined).each(['01-data-filtering', '02-embedding'])(
  '%s runs from the first cell to the last',
  async (name) => {
    const notebook = join(run, `${name}.ipynb`);
    const copy = join(run, `${name}.executed.ipynb`);
    await copyFile(join(ROOT, 'notebooks', `${name}.ipynb`), notebook);
    const { status, printed } = await execute(notebook, copy);
    expect(status, printed).toBe(0);
    const { cells } = JSON.parse(readFileSync(copy, 'utf8')) as {
      cells: { cell_type: string; execution_count?: number; outputs?: Output[] }[];
    };
    const code = cells.filter(({ cell_type: type }) => type === 'code');
    expect(code.map(({ execution_count: count }) => count)).toEqual(code.map((_, i) => i + 1));
    const outputs = code.flatMap((cell) => cell.outputs!);
    const wrong = outputs.filter(
      ({ output_type: type, name, text }) =>
        type === 'error' ||
        (name === 'stderr' && !/^sidlab: no tensorflow engine [^\n]*\n$/.test([text].flat().join(''))),
    );
    expect(wrong).toEqual([]);
    expect(outputs.length).toBeGreaterThan(5);
  },
  600_000,
);
