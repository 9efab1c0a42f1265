/**
 * Types, lint and format of everything. What has not changed since it passed is not looked at again: each tool keeps a
 * cache by content in `.run`, and another version or configuration of a tool begins a new one.
 */
import { spawn } from 'node:child_process';
import { expect, test } from 'vitest';
import { at, ROOT as root } from '../../kernels/setup/paths.mjs';
import { hashOf } from '../../kernels/setup/stamp.mjs';

/** Where to cache, by all that decides a verdict but the file itself. */
function cache(tool: string, ...configuration: string[]): string[] {
  const inputs = ['package-lock.json', ...configuration].map((file) => ({ file: at(file) }));
  const key = hashOf(process.version, ...inputs).slice(0, 16);
  return ['--cache', '--cache-strategy', 'content', '--cache-location', `.run/${tool}-${key}.json`];
}

/** What the script wrote, where it ended with an error; else nothing. */
function complaints(script: string, ...args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = '';
    const child = spawn(process.execPath, [`node_modules/${script}`, ...args], { cwd: root });
    child.stdout.on('data', (chunk) => (output += String(chunk)));
    child.stderr.on('data', (chunk) => (output += String(chunk)));
    child.on('error', reject);
    child.on('close', (code) => resolve(code === 0 ? '' : output || `exit status ${code}`));
  });
}

test('types (tsc)', async () => {
  expect(await complaints('typescript/bin/tsc', '-p', 'tsconfig.json', '--noEmit')).toBe('');
});

test('lint (eslint)', async () => {
  expect(await complaints('eslint/bin/eslint.js', '.', ...cache('eslint', 'eslint.config.js'))).toBe('');
});

test('format (prettier); npm run format mends it', async () => {
  const cached = cache('prettier', '.prettierrc.json', '.prettierignore');
  expect(await complaints('prettier/bin/prettier.cjs', '--check', '.', ...cached)).toBe('');
});
