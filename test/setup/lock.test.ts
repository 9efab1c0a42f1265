/** One set-up at a time, whoever comes, and whatever lock lies there: several processes at once, in a copy of the set-up. */
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const root = mkdtempSync(join(tmpdir(), 'sidlab-lock-'));
afterAll(() => rmSync(root, { recursive: true }));
cpSync('kernels/setup', join(root, 'kernels/setup'), { recursive: true });
const lock = join(root, '.run/setup.lock');
const counter = join(root, 'counter');

/** Each adds one to a number in a file, slowly: two at a time would lose one. */
const WORK = `
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { withLock } from './kernels/setup/lock.mjs';
await withLock(async () => {
  const before = Number(readFileSync('counter', 'utf8'));
  await sleep(40);
  writeFileSync('counter', String(before + 1));
});`;

function run(): Promise<number | null> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', WORK], { cwd: root, stdio: 'ignore' });
  return new Promise((resolve) => child.once('exit', resolve));
}

test.each([
  ['no lock', undefined],
  ['the lock of a process that is gone', '4194303'],
  ['a lock that says nothing', ''],
])('five at once, %s', { timeout: 60_000 }, async (_, content) => {
  mkdirSync(join(root, '.run'), { recursive: true });
  writeFileSync(counter, '0');
  if (content !== undefined) writeFileSync(lock, content);
  expect(await Promise.all(Array.from({ length: 5 }, run))).toEqual([0, 0, 0, 0, 0]);
  expect(readFileSync(counter, 'utf8')).toBe('5');
  expect(existsSync(lock)).toBe(false);
  expect(readdirSync(join(root, '.run'))).toEqual([]); // nothing of theirs is left
});
