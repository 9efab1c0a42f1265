/** A run's folder: which checkpoints stay, what a resumed run forgets, when an event was. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { RunFolder } from '../../lib/runs/run-folder.js';
import { tfRecord, scalarEvent, versionEvent } from '../../lib/runs/tensorboard-events.js';

const newRun = (): RunFolder => new RunFolder(join(mkdtempSync(join(tmpdir(), 'sidlab-folder-')), 'run'), { a: 1 });

function save(run: RunFolder, step: number, keep: number): void {
  run.saveCheckpoint(step, keep, (folder) => writeFileSync(join(folder, 'x'), String(step)));
}

test('checkpoints by the number of their step; the last ones stay', () => {
  const run = newRun();
  save(run, 9, 2);
  expect(run.checkpoints()).toEqual([9]);
  save(run, 10, 2);
  expect(run.checkpoints()).toEqual([9, 10]);
  save(run, 100, 2);
  expect(run.checkpoints()).toEqual([10, 100]);
  expect(readFileSync(join(run.checkpoint(100), 'x'), 'utf8')).toBe('100');
  mkdirSync(join(run.folder, 'checkpoint-7.old'));
  mkdirSync(join(run.folder, 'old-checkpoint-7'));
  expect(run.checkpoints()).toEqual([10, 100]);
  save(run, 101, 1);
  expect(run.checkpoints()).toEqual([101]);
});

test('a step that has a checkpoint keeps it; one that fails leaves nothing', () => {
  const run = newRun();
  save(run, 5, 1);
  run.saveCheckpoint(5, 1, () => {
    throw new Error('not called');
  });
  const failing = (folder: string): void => {
    writeFileSync(join(folder, 'half'), '');
    throw new Error('full');
  };
  expect(() => run.saveCheckpoint(6, 1, failing)).toThrow('full');
  expect(readdirSync(run.folder).filter((name) => name.startsWith('checkpoint'))).toEqual(['checkpoint-5']);
});

test.each([
  [0, []],
  [1, [4]],
  [2, [2, 4]],
])('a finished run keeps %i checkpoints', (keep, steps) => {
  const run = newRun();
  [2, 4].forEach((step) => save(run, step, 2));
  run.finish({ report: 1 }, keep);
  expect(run.checkpoints()).toEqual(steps);
  expect(run.card).toEqual({ report: 1 });
  expect(existsSync(join(run.folder, 'run.lock'))).toBe(false);
});

test('without a number a finished run keeps no checkpoint', () => {
  const run = newRun();
  save(run, 2, 2);
  run.finish({});
  expect(run.checkpoints()).toEqual([]);
});

test('a resumed run keeps the lines up to its checkpoint, that step included', () => {
  const run = newRun();
  for (let step = 1; step <= 4; step++) run.log({ step, loss: step });
  run.log({ step: 3, 'valid loss': 1 });
  run.truncateLog(3);
  expect(run.readLog().map(({ step }) => step)).toEqual([1, 2, 3, 3]);
  run.truncateLog(-1);
  expect(run.readLog()).toEqual([]);
});

test('another configuration is refused, with the value that differs', () => {
  const run = newRun();
  run.release();
  expect(() => new RunFolder(run.folder, { a: 2 })).toThrow(/another configuration \(a is 1 there, 2 here\)/);
  expect(() => new RunFolder(run.folder, { a: 1, b: true })).toThrow(/b is undefined there, true here/);
  new RunFolder(run.folder, { a: 1 }).release();
});

test('an event is as late as its line; a validation, which has no time, follows its step', () => {
  vi.useFakeTimers({ now: 1_700_000_000_900 });
  const run = newRun();
  run.log({ step: 1, seconds: 2.5, loss: 3 });
  run.log({ step: 1, 'valid loss': 2 });
  vi.useRealTimers();
  const start = 1_700_000_000; // whole seconds
  const name = `events.out.tfevents.${start}.sidlab`;
  const expected = [
    versionEvent(start),
    scalarEvent(start + 2.5, 1, { 'train/loss': 3 }),
    scalarEvent(start + 2.5, 1, { 'valid/loss': 2 }),
  ];
  const asked = Buffer.concat(expected.map(tfRecord)).toString('base64');
  expect(readFileSync(join(run.folder, name)).toString('base64')).toBe(asked);
  run.truncateLog(1); // written anew from the lines, under the same name
  expect(readdirSync(run.folder).filter((file) => file.startsWith('events'))).toEqual([name]);
  expect(readFileSync(join(run.folder, name)).toString('base64')).toBe(asked);
});
