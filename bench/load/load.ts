/**
 * Loading a safetensors file of 1 GB to tensors: ours against Python's safetensors, each in a process of its own. Both
 * then add up every tensor's numbers, which proves that they are in memory (Python's maps the file and reads it when
 * it is looked at). Peak memory is the process's own, less what it had before.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { homeFolder, Random } from 'sidlab';
import { writeSafetensors } from 'sidlab/files';
import { inTurn, type Precise, runPeer, type Timed } from '../peer.js';
import type { Row } from '../row.js';

const TENSORS = 16;
const SIZE = 1 << 24;

export interface Loaded extends Timed {
  /** More than before loading, bytes. */
  peak: number;
  /** Of all numbers. */
  sum: number;
}

export async function loadBench(): Promise<Row[]> {
  const folder = join(homeFolder(), 'data/bench');
  const file = join(folder, 'load.safetensors');
  mkdirSync(folder, { recursive: true });
  if (!existsSync(file)) writeFile(file);
  const script = fileURLToPath(new URL('load-ours.js', import.meta.url));
  const { times, ours, peer } = await inTurn(
    5,
    () => JSON.parse(execFileSync(process.execPath, [script, file], { encoding: 'utf8' })) as Loaded,
    () => runPeer<Loaded & Precise>('load.py', file),
  );
  const share = ours.peak / statSync(file).size;
  const same = typeof peer !== 'string' && Math.abs(ours.sum - peer.sum) < 1e-3 * Math.abs(peer.sum);
  return [
    {
      name: 'load',
      ...times,
      floor: null,
      precision: 'float32',
      unit: 's',
      goal: 'at most 1.5 x, memory at most 1.1 x the file',
      reached: times.ratio !== null && times.ratio <= 1.5 && share <= 1.1 && same,
      note:
        typeof peer === 'string'
          ? peer
          : `memory ${share.toFixed(2)} x the file, of Python ${(peer.peak / statSync(file).size).toFixed(2)} x; ${same ? 'same numbers' : 'OTHER NUMBERS'}`,
    },
  ];
}

function writeFile(file: string): void {
  const random = new Random('load');
  const data = Float32Array.from({ length: SIZE }, () => random.normal() + 1);
  writeSafetensors(file, new Map(Array.from({ length: TENSORS }, (_, i) => [`t${i}`, { shape: [4096, 4096], data }])));
}
