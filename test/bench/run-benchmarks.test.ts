/** What `npm run bench` runs, prints and exits with. */
import { describe, expect, test } from 'vitest';
import { BENCHMARKS } from '../../bench/benchmarks.js';
import type { Row } from '../../bench/row.js';
import { runBenchmarks } from '../../bench/run-benchmarks.js';

const row = (name: string): Row => ({
  ...{ name, ours: 2, peer: 4, floor: 1.5, unit: 's', ratio: 0.5, goal: 'at most 1 x', reached: true, spread: 0.25 },
  ...{ precision: 'float32', peerPrecision: 'autocast', note: `${'a long note '.repeat(20)}to its end` },
});

interface Ran {
  status: number;
  printed: string;
  complaints: string[];
  /** Names of the benchmarks that ran, in order. */
  runs: string[];
}

async function run(args: string[], hasPeers: boolean, failures: string[] = []): Promise<Ran> {
  const [printed, complaints, runs]: string[][] = [[], [], []];
  const measure = (name: string) => (): Promise<Row[]> => {
    runs!.push(name);
    return Promise.resolve([row(name)]);
  };
  const step = measure('step');
  const status = await runBenchmarks({
    args,
    benchmarks: {
      alone: { run: measure('alone'), peers: false },
      compared: { run: measure('compared'), peers: true },
      time: { run: step, peers: true },
      memory: { run: step, peers: true },
    },
    hasPeers,
    failures: () => failures,
    machine: () => Promise.resolve({ cpu: 'a processor', engine: 'an engine' }),
    print: (line) => printed!.push(line),
    complain: (line) => complaints!.push(line),
  });
  return { status, printed: printed!.join('\n'), complaints: complaints!, runs: runs! };
}

describe('with the peers', () => {
  test('everything runs, and the status is 0', async () => {
    const { status, runs, complaints } = await run(['alone', 'compared'], true);
    expect({ status, runs, complaints }).toEqual({ status: 0, runs: ['alone', 'compared'], complaints: [] });
  });

  test('a peer that failed is said once, and the status is not 0', async () => {
    const { status, complaints, printed } = await run(['compared'], true, ['no peer: a.py', 'no peer: a.py']);
    expect(status).toBe(1);
    expect(complaints).toEqual(['bench: no peer: a.py']);
    expect(printed).toContain('compared');
  });

  test('names that are rows of one measurement run it once', async () => {
    expect((await run(['time', 'memory', 'alone', 'time'], true)).runs).toEqual(['step', 'alone']);
  });

  test('the text has precisions, floor, engine and processor, and the note to its end', async () => {
    const [head, values, note] = (await run(['compared'], true)).printed.split('\n') as [string, string, string];
    for (const column of ['floor', 'precision', 'peerPrecision', 'engine', 'cpu']) expect(head).toContain(column);
    for (const value of ['1.5', 'float32', 'autocast', 'an engine', 'a processor']) expect(values).toContain(value);
    expect(note).toMatch(/^compared: a long note .*to its end$/);
  });

  test('--json prints a row a line, the machine in each', async () => {
    const { printed } = await run(['alone', 'compared', '--json'], true);
    const rows = printed.split('\n').map((line) => JSON.parse(line) as object);
    expect(rows).toEqual(
      ['alone', 'compared'].map((name) => ({ ...row(name), cpu: 'a processor', engine: 'an engine' })),
    );
  });
});

describe('without the peers', () => {
  test('what needs none runs; the rest is said in one line with the command, and the status is not 0', async () => {
    const { status, runs, complaints } = await run(['compared', 'alone', 'memory'], false);
    expect(status).toBe(1);
    expect(runs).toEqual(['alone']);
    expect(complaints).toEqual(['bench: no peers, so compared, memory did not run; npm run setup -- --peers']);
  });

  test('the status is 0 where nothing needed them', async () => {
    expect(await run(['alone'], false)).toMatchObject({ status: 0, runs: ['alone'], complaints: [] });
  });
});

test.each([[[]], [['alone', 'other']]])('%j is refused before anything runs', async (args: string[]) => {
  const { status, runs, complaints } = await run(args, true);
  expect({ status, runs }).toEqual({ status: 1, runs: [] });
  expect(complaints).toEqual([
    `bench: expected names of alone, compared, time, memory, got ${args.length === 0 ? 'none' : 'other'}`,
  ]);
});

test('the rows of the search and of the step are there, those of ours against ours without the peers', () => {
  const peers = [
    'sft-step',
    'sft-step-answers',
    'sft-memory',
    'sft-real',
    'beam-50',
    'beam-20',
    'load-bf16',
    'grpo-step',
    'grpo-memory',
  ];
  for (const name of peers) expect(BENCHMARKS[name]?.peers, name).toBe(true);
  for (const name of ['evaluate-small', 'evaluate-memory', 'grpo-real'])
    expect(BENCHMARKS[name]?.peers, name).toBe(false);
});
