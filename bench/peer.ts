/**
 * Runs a peer: a script of `bench/peers` in a process of its own, with the Python of SIDLAB_PEERS, which `npm run bench`
 * sets to the venv of `npm run setup -- --peers`. Its packages are those of `bench/peers/requirements.txt`.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { homeFolder, writeNpy, type Vectors } from 'sidlab';
import type { Row } from './row.js';

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

const failures: string[] = [];

/** Why peers did not run, a line each, in the order of their runs. */
export const peerFailures = (): readonly string[] => failures;

/** The object that the script prints last, or a line that says why there is none. */
export function runPeer<T>(script: string, ...args: string[]): T | string {
  const python = process.env.SIDLAB_PEERS || 'python3';
  const path = join(homeFolder(), 'bench/peers', script);
  const { stdout, stderr, signal, error } = spawnSync(python, [path, ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  const last = stdout?.trim().split('\n').at(-1) ?? '';
  if (last.startsWith('{')) return JSON.parse(last) as T;
  const printed = stderr?.trim().split('\n').at(-1) || 'it printed nothing';
  const why = signal ? `killed by ${signal}; is there enough memory?` : (error?.message ?? printed);
  const line = `no peer: ${script}: ${why}; npm run setup -- --peers installs what it needs`;
  failures.push(line);
  return line;
}

/** GFLOP/s of float32 and bf16 products at a job's shapes, measured by its peer. */
export interface Rates {
  float32: number;
  bfloat16: number;
}

/** What peers that multiply print beside their results. */
export interface Precise {
  /** That the products ran in; of training the way (`peers/training.py`). Absent where nothing is multiplied. */
  precision?: string;
  rates?: Rates;
}

/** For a note. */
export function ratesText({ rates }: Precise): string {
  return rates ? `PyTorch's products ${rates.float32} GFLOP/s in float32, ${rates.bfloat16} in bf16` : '';
}

export interface Timed {
  seconds: number;
}

/** What running in turn says of a row. */
export type TimesOfRow = Pick<Row, 'ours' | 'peer' | 'ratio' | 'spread' | 'peerPrecision'>;

/**
 * Ours and the peer in turn, after one run of ours that does not count.
 * @returns the row's times and the peer's precision, and what both gave last
 */
export async function inTurn<O extends Timed, P extends Timed & Precise>(
  repetitions: number,
  ours: () => O | Promise<O>,
  peer: () => P | string,
): Promise<{ times: TimesOfRow; ours: O; peer: P | string }> {
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
    times: {
      ...{ ours: mine, peer: peers, ratio: peers === null ? null : mine / peers, spread },
      peerPrecision: typeof other === 'string' ? null : (other.precision ?? null),
    },
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
