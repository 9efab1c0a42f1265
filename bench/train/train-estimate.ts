/**
 * What `estimateRun` says of a run's memory before its first update, against what the process then takes: three shapes,
 * small and wide, one and several micro-batches an update, AdamW and Muon. No peer: `peer` is what was measured.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Row } from '../row.js';

interface Ran {
  /** Bytes. */
  estimated: number;
  measured: number;
  /** Seconds. */
  expected: number;
  seconds: number;
}

/** Shape, vocabulary, examples an update, tokens an example, tokens at once, optimizer. */
const RUNS = [
  ['qwen2:128x4', 900, 64, 60, 8192, 'adamw'],
  ['qwen2:256x6', 20_000, 32, 125, 8192, 'adamw'],
  ['qwen2:512x8', 40_000, 16, 125, 1024, 'adamw'],
  ['qwen2:512x8', 40_000, 16, 125, 1024, 'muon'],
] as const;

export async function trainEstimate(): Promise<Row[]> {
  const script = fileURLToPath(new URL('train-estimate-ours.js', import.meta.url));
  return RUNS.map((run) => {
    const args = ['--expose-gc', script, ...run.map(String)];
    const { estimated, measured, expected, seconds } = JSON.parse(
      execFileSync(process.execPath, args, { encoding: 'utf8' }),
    ) as Ran;
    const ratio = estimated / measured;
    return {
      name: `train-estimate, ${run[0]}, ${run[2]} x ${run[3]} tokens, ${run[4]} at once, ${run[5]}`,
      ours: estimated / 2 ** 30,
      peer: measured / 2 ** 30,
      floor: null,
      precision: 'float32',
      peerPrecision: null,
      unit: 'GiB',
      ratio,
      goal: '0.75 to 1.25 x of what was taken',
      reached: ratio >= 0.75 && ratio <= 1.25,
      spread: 0,
      note: `three updates: ${expected.toFixed(1)} s expected, ${seconds.toFixed(1)} s taken`,
    };
  });
}
