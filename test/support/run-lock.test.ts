/** Checkpoints that are kept, and locks of others: another machine's, one that cannot be read. */
import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { RunFolder } from '../../lib/runs/run-folder.js';
import { isLocked, RunLock } from '../../lib/runs/run-lock.js';
import { validator } from '../../lib/train/loop/validate.js';

const newFolder = (): string => mkdtempSync(join(tmpdir(), 'sidlab-lock-'));

test.each([
  [3, 2, [1, 2]],
  [2, 2, [1, 2]],
  [1, 2, [2]],
  [0, 2, []],
])('of keep %i, %i checkpoints: %j stay', (keep, made, stay) => {
  const run = new RunFolder(join(newFolder(), 'run'), { a: 1 });
  for (let step = 1; step <= made; step++) run.saveCheckpoint(step, 9, () => {});
  run.finish({}, keep);
  expect(run.checkpoints()).toEqual(stay);
});

test('the lock of another machine is respected, also where the process has the number of this one', () => {
  const folder = newFolder();
  const other = { pid: process.pid, host: 'another-machine', started: '1', lock: 0 };
  writeFileSync(join(folder, 'run.lock'), JSON.stringify(other));
  expect(isLocked(folder)).toBe(true);
  expect(() => new RunLock(folder)).toThrow(`in use by process ${process.pid} on another-machine`);
  expect(existsSync(join(folder, 'run.lock'))).toBe(true);
});

test('a lock that cannot be read is an error, not a wait without end', () => {
  const folder = newFolder();
  mkdirSync(join(folder, 'run.lock')); // a folder: there, and not to be read as a file
  expect(() => new RunLock(folder)).toThrow('run.lock: cannot be read');
});

test('no validation rows: no first model passes for the best', () => {
  expect(() => validator({} as never, [], 0, 42)).toThrow('expected rows in the valid split, got none');
});
