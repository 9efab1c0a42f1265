/**
 * Runs a peer: a script of `bench/peers` in a process of its own, with the Python of SIDLAB_PEERS (default python3),
 * whose packages `bench/peers/requirements.txt` lists.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { homeFolder, writeNpy, type Vectors } from 'sidlab';
import type { Row } from './run.js';

/** To be removed in the end. */
const folders: string[] = [];

/**
 * A folder with what a peer reads: `job.json`, matrices as `NAME.npy`, whole numbers as `NAME.i32`. It is removed when
 * the benchmark ends.
 */
export function peerFolder(
  job: object,
  matrices: Record<string, Vectors> = {},
  integers: Record<string, Int32Array> = {},
): string {
  const folder = mkdtempSync(join(tmpdir(), 'sidlab-bench-'));
  if (folders.length === 0) process.once('exit', () => folders.forEach((path) => rmSync(path, { recursive: true })));
  folders.push(folder);
  writeFileSync(join(folder, 'job.json'), JSON.stringify(job));
  for (const [name, matrix] of Object.entries(matrices)) writeNpy(join(folder, `${name}.npy`), matrix);
  for (const [name, values] of Object.entries(integers)) writeFileSync(join(folder, `${name}.i32`), values);
  return folder;
}

/** The object that the script prints last, or a line that says why there is none. */
export function runPeer<T>(script: string, ...args: string[]): T | string {
  const python = process.env.SIDLAB_PEERS ?? 'python3';
  const path = join(homeFolder(), 'bench/peers', script);
  const { stdout, stderr, signal, error } = spawnSync(python, [path, ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  const last = stdout?.trim().split('\n').at(-1) ?? '';
  if (last.startsWith('{')) return JSON.parse(last) as T;
  if (signal) return `no peer: ${script}: killed by ${signal}; is there enough memory?`;
  const why = error?.message ?? stderr.trim().split('\n').at(-1) ?? 'it printed nothing';
  return `no peer: ${script}: ${why}; set SIDLAB_PEERS to a Python with bench/peers/requirements.txt`;
}

export interface Timed {
  seconds: number;
}

/**
 * Ours and the peer in turn, after one run of ours that does not count.
 * @returns the row's times, and what both gave last
 */
export async function inTurn<O extends Timed, P extends Timed>(
  repetitions: number,
  ours: () => O | Promise<O>,
  peer: () => P | string,
): Promise<{ times: Pick<Row, 'ours' | 'peer' | 'ratio' | 'spread'>; ours: O; peer: P | string }> {
  let last = await ours();
  let other: P | string = 'no peer';
  const [own, theirs]: [number[], number[]] = [[], []];
  for (let repetition = 0; repetition < repetitions; repetition++) {
    last = await ours();
    own.push(last.seconds);
    other = peer();
    if (typeof other !== 'string') theirs.push(other.seconds);
  }
  const [mine, peers] = [median(own), theirs.length > 0 ? median(theirs) : null];
  const spread = Math.max(...own) - Math.min(...own);
  return {
    times: { ours: mine, peer: peers, ratio: peers === null ? null : mine / peers, spread },
    ours: last,
    peer: other,
  };
}

export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

/** Seconds of `work`, and what it gives. */
export function timed<T>(work: () => T): { seconds: number; value: T } {
  const start = performance.now();
  const value = work();
  return { seconds: (performance.now() - start) / 1000, value };
}
