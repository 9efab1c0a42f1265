import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

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
  expect(await complaints('eslint/bin/eslint.js', '.')).toBe('');
});

test('format (prettier); npm run format mends it', async () => {
  expect(await complaints('prettier/bin/prettier.cjs', '--check', '.')).toBe('');
});
