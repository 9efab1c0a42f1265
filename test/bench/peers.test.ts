/** How peers are run: the ways that are tried, what a failure says, and which row's number counts. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { askedPrecision, inPrecision } from '../../bench/our-precision.js';
import { inTurn, peerFailures, runPeer } from '../../bench/peer.js';
import { fastest, runWays } from '../../bench/train/training-peers.js';

const folder = mkdtempSync(join(tmpdir(), 'sidlab-peers-'));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => void vi.unstubAllEnvs());

/** A Python that is a shell script: `$1` is the script's path, the rest its arguments. */
function fakePython(name: string, body: string): void {
  const file = join(folder, name);
  writeFileSync(file, `#!/bin/sh\n${body}\n`);
  chmodSync(file, 0o755);
  vi.stubEnv('SIDLAB_PEERS', file);
}

describe('a peer', () => {
  test('gives the object that it prints last', () => {
    fakePython('last', `echo warming up; echo '{"seconds": 3}'`);
    expect(runPeer('sft_step.py')).toEqual({ seconds: 3 });
  });

  test.each([
    ['that prints no object', `echo "ImportError: no torch" >&2; exit 1`, 'ImportError: no torch'],
    ['that says nothing', 'exit 1', 'it printed nothing'],
    ['that is killed', 'kill -9 $$', 'killed by SIGKILL; is there enough memory?'],
  ])('%s is one line with the command, and is remembered', (_, body, why) => {
    fakePython('fails', body);
    const before = peerFailures().length;
    const line = `no peer: sft_step.py: ${why}; npm run setup -- --peers installs what it needs`;
    expect(runPeer('sft_step.py')).toBe(line);
    expect(peerFailures().slice(before)).toEqual([line]);
  });

  test('whose Python is missing is one line too', () => {
    vi.stubEnv('SIDLAB_PEERS', join(folder, 'none'));
    expect(runPeer('sft_step.py')).toMatch(/^no peer: sft_step\.py: .*ENOENT; npm run setup -- --peers/);
  });

  test('says the precision of the row', async () => {
    const ours = () => ({ seconds: 1 });
    const { times } = await inTurn(3, ours, () => ({ seconds: 4, precision: 'bfloat16' }));
    expect(times).toEqual({ ours: 1, peer: 4, ratio: 0.25, spread: 0, peerPrecision: 'bfloat16' });
    const { times: alone } = await inTurn(1, ours, () => 'no peer');
    expect(alone).toEqual({ ours: 1, peer: null, ratio: null, spread: 0, peerPrecision: null });
  });
});

describe('ways of training', () => {
  const answer = (best: string): string =>
    `if [ "$3" = bf16 ]; then echo '{"precision": "bf16", "seconds": 1}'; else echo '{"precision": "${best}", "seconds": 2}'; fi`;

  test('float32 alone where it multiplies faster', () => {
    fakePython('float', answer('float32'));
    expect(runWays('sft_step.py', folder)).toEqual([{ precision: 'float32', seconds: 2 }]);
  });

  test('autocast, then everything in bf16, where bf16 does; the fastest counts', () => {
    fakePython('half', answer('autocast'));
    const ways = runWays<{ precision: string; seconds: number }>('sft_step.py', folder);
    if (typeof ways === 'string') throw new Error(ways);
    expect(ways.map(({ precision }) => precision)).toEqual(['autocast', 'bf16']);
    expect(fastest(ways, ({ seconds }) => seconds).precision).toBe('bf16');
    expect(fastest(ways, ({ seconds }) => -seconds).precision).toBe('autocast');
  });

  test('none at all where the second fails: a row of half the ways would be too easy', () => {
    fakePython('breaks', `[ "$3" = bf16 ] && exit 1; echo '{"precision": "autocast", "seconds": 2}'`);
    expect(runWays('sft_step.py', folder)).toMatch(/^no peer/);
  });
});

test('ours takes the precision of SIDLAB_BENCH_PRECISION, and says what it ran in', () => {
  expect(askedPrecision()).toBe('auto');
  vi.stubEnv('SIDLAB_BENCH_PRECISION', 'bfloat16');
  expect(askedPrecision()).toBe('bfloat16');
  expect(inPrecision('float32', (precision) => precision)).toBe('float32');
  vi.stubEnv('SIDLAB_BENCH_PRECISION', 'half');
  expect(() => askedPrecision()).toThrow('SIDLAB_BENCH_PRECISION: expected auto, float32 or bfloat16, got half');
});
