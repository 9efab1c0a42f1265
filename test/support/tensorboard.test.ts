/** TensorBoard's event files: the bytes of its own writer, and what its own reader finds. */
import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { RunFolder } from '../../lib/runs/run-folder.js';
import { crc32c, scalarEvent, tfRecord, versionEvent } from '../../lib/runs/tensorboard-events.js';
import { tagOf } from '../../lib/runs/tensorboard-log.js';

interface Golden {
  start: number;
  events: { step: number; seconds: number; scalars: Record<string, number> }[];
  bytes: string;
}
const golden = JSON.parse(readFileSync(new URL('../golden/tensorboard.json', import.meta.url), 'utf8')) as Golden;

test("the bytes of TensorBoard's own writer", () => {
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
  const { start, events } = golden;
  const ours = [
    versionEvent(start),
    ...events.map(({ step, seconds, scalars }) => scalarEvent(start + seconds, step, scalars)),
  ];
  expect(Buffer.concat(ours.map(tfRecord)).toString('base64')).toBe(golden.bytes);
});

test('tags group by what they measure', () => {
  expect(['loss', 'valid NDCG@10', 'groups with a hit'].map(tagOf)).toEqual([
    'train/loss',
    'valid/NDCG@10',
    'train/groups with a hit',
  ]);
});

/** A run of six steps, killed after the fifth, resumed from a checkpoint at the third. */
function killedRun(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sidlab-tensorboard-'));
  const first = new RunFolder(folder, {});
  const line = (step: number): { step: number; loss: number; seconds: number } => ({
    step,
    loss: 1 / step,
    seconds: step,
  });
  for (let step = 1; step <= 5; step++) first.log(line(step));
  first.log({ step: 3, 'valid NDCG@10': 0.5 });
  appendFileSync(join(folder, events(folder)), Buffer.from([7, 0, 0])); // a kill in the midst of a record
  const second = new RunFolder(folder, {});
  second.truncateLog(3);
  for (let step = 4; step <= 6; step++) second.log(line(step));
  return folder;
}

function events(folder: string): string {
  const names = readdirSync(folder).filter((name) => name.startsWith('events.out.tfevents.'));
  expect(names).toHaveLength(1);
  return names[0]!;
}

test('a resumed run has every step once, in one file whose records are whole', () => {
  const folder = killedRun();
  const bytes = readFileSync(join(folder, events(folder)));
  const lengths: number[] = [];
  for (let at = 0; at < bytes.length; at += 16 + lengths.at(-1)!) {
    const length = Number(bytes.readBigUInt64LE(at));
    expect(bytes.subarray(at, at + 16 + length).equals(tfRecord(bytes.subarray(at + 12, at + 12 + length)))).toBe(true);
    lengths.push(length);
  }
  expect(lengths).toHaveLength(1 + 6 + 1);
});

const python = process.env.SIDLAB_PEERS ?? 'python3';
const reader = spawnSync(python, ['-c', 'import tensorboard']).status === 0;

test.skipIf(!reader)("TensorBoard's own reader (skipped without it: pip install tensorboard, SIDLAB_PEERS)", () => {
  const script = fileURLToPath(new URL('../python/read_tensorboard.py', import.meta.url));
  const { stdout, stderr } = spawnSync(python, [script, killedRun()], { encoding: 'utf8' });
  const read = JSON.parse(stdout.trim().split('\n').at(-1) || `"${stderr}"`) as Record<string, [number, number][]>;
  expect(Object.keys(read).sort()).toEqual(['train/loss', 'valid/NDCG@10']);
  expect(read['valid/NDCG@10']).toEqual([[3, 0.5]]);
  expect(read['train/loss']!.map(([step]) => step)).toEqual([1, 2, 3, 4, 5, 6]);
  read['train/loss']!.forEach(([step, value]) => expect(value).toBeCloseTo(1 / step, 6));
});
