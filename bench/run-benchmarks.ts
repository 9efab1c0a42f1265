/** Runs benchmarks by name and prints their rows. */
import { tableText } from 'sidlab';
import type { Benchmark, Row } from './row.js';

export interface BenchContext {
  /** Names that were asked for, and perhaps `--json`. */
  args: readonly string[];
  benchmarks: Readonly<Record<string, Benchmark>>;
  /** Whether there is a Python for the peers. */
  hasPeers: boolean;
  /** Peers that were started and failed so far, a line each. */
  failures: () => readonly string[];
  /** Starts the engine. @returns what is said of the machine in every row */
  machine: () => Promise<{ cpu: string; engine: string }>;
  print: (line: string) => void;
  complain: (line: string) => void;
}

const COLUMNS = ['name', 'ours', 'peer', 'ratio', 'floor', 'unit', 'goal', 'reached', 'spread'];
const MACHINE = ['precision', 'peerPrecision', 'engine', 'cpu'];

/**
 * Those compared with Python are left out where there are no peers; the others run all the same.
 * @returns the exit status: 0 only if every name was known and every peer ran
 */
export async function runBenchmarks(context: BenchContext): Promise<number> {
  const { benchmarks, hasPeers, failures, print, complain } = context;
  const json = context.args.includes('--json');
  const asked = context.args.filter((arg) => arg !== '--json');
  const unknown = asked.filter((name) => !Object.hasOwn(benchmarks, name));
  if (asked.length === 0 || unknown.length > 0) {
    complain(`bench: expected names of ${Object.keys(benchmarks).join(', ')}, got ${unknown.join(', ') || 'none'}`);
    return 1;
  }
  const runnable = asked.filter((name) => hasPeers || !benchmarks[name]!.peers);
  const left = asked.filter((name) => !runnable.includes(name));
  if (left.length > 0) complain(`bench: no peers, so ${left.join(', ')} did not run; npm run setup -- --peers`);
  const machine = runnable.length > 0 ? await context.machine() : { cpu: '', engine: '' };
  const done = new Set<Benchmark['run']>(); // several names may be rows of one measurement
  for (const name of runnable) {
    const { run } = benchmarks[name]!;
    if (done.has(run)) continue;
    done.add(run);
    const rows = (await run()).map((row) => ({ ...row, ...machine }));
    print(json ? rows.map((row) => JSON.stringify(row)).join('\n') : asText(rows));
  }
  for (const failure of new Set(failures())) complain(`bench: ${failure}`);
  return left.length > 0 || failures().length > 0 ? 1 : 0;
}

/** A table, and below it the notes, which are too long for one. */
function asText(rows: readonly Row[]): string {
  const notes = rows.flatMap(({ name, note }) => (note ? [`${name}: ${note}`] : []));
  return [tableText(rows, { columns: [...COLUMNS, ...MACHINE] }), ...notes].join('\n');
}
