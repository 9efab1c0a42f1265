/**
 * Loading a bf16 checkpoint of Qwen2.5-0.5B's shape for inference in bf16: ours against Python's safetensors, each in a
 * process of its own. Both then add up every tensor's numbers, which proves that they are in memory. Peak memory is the
 * process's own, less what it had before.
 */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Loaded } from './load.js';
import { inTurn, type Precise, runPeer } from '../peer.js';
import { benchShape } from '../qwen.js';
import { randomModel } from '../random-model.js';
import type { Row } from '../row.js';
import { runOurs } from '../run-ours.js';

export async function loadBf16(): Promise<Row[]> {
  const shape = benchShape();
  const folder = bf16Model(randomModel(shape));
  const file = join(folder, 'model.safetensors');
  const { times, ours, peer } = await inTurn(
    5,
    () => runOurs<Loaded & Precise>('load/load-bf16-ours.js', folder),
    () => runPeer<Loaded & Precise>('load.py', file),
  );
  const share = (bytes: number): number => bytes / statSync(file).size;
  const same = typeof peer !== 'string' && Math.abs(ours.sum - peer.sum) < 1e-3 * Math.abs(peer.sum);
  return [
    {
      name: `load-bf16${shape.suffix}`,
      ...times,
      floor: null,
      unit: 's',
      goal: 'at most 1.3 x, memory at most 1.1 x the file',
      reached: times.ratio !== null && times.ratio <= 1.3 && share(ours.peak) <= 1.1 && same,
      precision: ours.precision ?? null,
      note:
        typeof peer === 'string'
          ? peer
          : `memory ${share(ours.peak).toFixed(2)} x the file, of Python ${share(peer.peak).toFixed(2)} x; ${same ? 'same numbers' : 'OTHER NUMBERS'}`,
    },
  ];
}

/** The same model in bf16, beside it; without Python the row is left out before this. */
function bf16Model(folder: string): string {
  const out = `${folder}-bf16`;
  if (existsSync(join(out, 'model.safetensors'))) return out;
  const made = runPeer<{ bytes: number }>('to_bf16.py', folder, out);
  if (typeof made === 'string') throw new Error(made);
  return out;
}
