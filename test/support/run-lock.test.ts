/** Two runs in one folder: the second is refused, a dead one's lock is taken over. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { RunFolder } from '../../lib/runs/run-folder.js';

const newFolder = (): string => join(mkdtempSync(join(tmpdir(), 'sidlab-lock-')), 'run');
const lockOf = (folder: string): string => join(folder, 'run.lock');

function lockBy(folder: string, holder: object): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(lockOf(folder), JSON.stringify({ host: hostname(), started: '', lock: 0, ...holder }));
}

function startOf(pid: number): string {
  return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')[19]!;
}

test.skipIf(!existsSync('/proc/self/stat'))('a living process is not disturbed', () => {
  const folder = newFolder();
  const child = spawn('sleep', ['60']);
  try {
    lockBy(folder, { pid: child.pid, started: startOf(child.pid!) });
    expect(() => new RunFolder(folder, { a: 1 })).toThrow(
      `${folder}: in use by process ${child.pid}; wait for it, stop it, or give another --run`,
    );
    expect(existsSync(join(folder, 'config.json'))).toBe(false);
    lockBy(folder, { pid: child.pid, started: '1' }); // its number was another's before
    new RunFolder(folder, { a: 1 }).release();
  } finally {
    child.kill('SIGKILL');
  }
});

test('the lock of a dead process, and one cut short, are taken over', () => {
  const dead = spawnSync('true').pid;
  const folder = newFolder();
  lockBy(folder, { pid: dead });
  const run = new RunFolder(folder, {});
  expect(JSON.parse(readFileSync(lockOf(folder), 'utf8'))).toMatchObject({ pid: process.pid });
  run.release();
  expect(existsSync(lockOf(folder))).toBe(false);
  writeFileSync(lockOf(folder), '{"pid": 12');
  new RunFolder(folder, {}).release();
});

test('of another machine nothing is known', () => {
  const folder = newFolder();
  lockBy(folder, { pid: 1, host: 'elsewhere' });
  expect(() => new RunFolder(folder, {})).toThrow(
    /in use by process 1 on elsewhere; give another --run, or remove .*run\.lock/,
  );
});

test('within one process the later run goes on, the earlier one stops at its next write', () => {
  const folder = newFolder();
  const earlier = new RunFolder(folder, {});
  const later = new RunFolder(folder, {});
  later.log({ step: 1, loss: 1 });
  expect(() => earlier.log({ step: 1, loss: 2 })).toThrow(`${folder}: taken over by a later run; this one stops`);
  expect(() => earlier.finish({})).toThrow('taken over');
  earlier.release();
  later.finish({});
  expect(later.readLog()).toEqual([{ step: 1, loss: 1 }]);
  expect(existsSync(lockOf(folder))).toBe(false);
});
