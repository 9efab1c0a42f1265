/**
 * What can be wrong with a cluster before its first step, through the built command: a line, and status 1. The rest of
 * the table: `TF_CONFIG`'s words and a port in use in `test/engine/cluster.test.ts`; processes that hang and die in
 * `cluster.test.ts`; other data and options, a full disk, Ctrl-C and kills in `test/train/cluster`.
 */
import { appendFileSync, cpSync, existsSync, mkdtempSync, realpathSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { writeNpy } from '../../lib/files/npy.js';
import { expectBuilt } from '../train/grpo/run-and-kill.js';
import { clusterTest, freePorts, startAll, tfConfig } from './processes.js';

const folder = mkdtempSync(join(tmpdir(), 'sidlab-faults-'));
const embeddings = join(folder, 'items.npy');
const CLI = 'dist/cli.js';
const sid = (cli: string, ...more: string[]): string[] => [
  ...[cli, 'sid', '--embeddings', embeddings, '--levels', '1', '--codebook-size', '2', '--collisions', 'keep', ...more],
];

beforeAll(() => {
  expectBuilt();
  writeNpy(embeddings, { rows: 4, width: 2, data: Float32Array.from({ length: 8 }, (_, i) => i * i) });
});

type Fault = [what: string, config: (ports: number[]) => string, line: RegExp];

const BEFORE: Fault[] = [
  ['no JSON', () => '{"cluster":', /^sidlab: TF_CONFIG: expected JSON such as [^\n]+\n$/],
  [
    'an index outside',
    (ports) => tfConfig(ports, 2),
    /^sidlab: TF_CONFIG: expected task\.index from 0 to 1, got 2; [^\n]+\n$/,
  ],
];

const JOINED: Fault[] = [
  [
    'a process that never comes',
    (ports) => tfConfig(ports, 0),
    /^sidlab: cluster: expected all processes within 2 s, got no answer \([^\n]+\n$/,
  ],
];

async function alone(_: string, config: Fault[1], line: RegExp): Promise<void> {
  const env = { TF_CONFIG: config(await freePorts(2)), SIDLAB_CLUSTER_TIMEOUT: '2' };
  const [only] = await startAll(1, sid(CLI), { env });
  expect(only!.err).toMatch(line);
  expect([only!.status, only!.out]).toEqual([1, '']);
}

test.each(BEFORE)('%s', alone);
clusterTest.each(JOINED)('%s', alone);

/** The built package with a comment more. */
function otherVersion(): string {
  const other = join(folder, 'other');
  cpSync('dist', join(other, 'dist'), { recursive: true });
  cpSync('package.json', join(other, 'package.json'));
  symlinkSync(realpathSync('node_modules'), join(other, 'node_modules'));
  appendFileSync(join(other, 'dist/sid/one-code.js'), '\n// another version\n');
  return join(other, 'dist/cli.js');
}

clusterTest.each([
  ['another version', 'code', () => [sid(CLI), sid(otherVersion())]],
  ['another command', 'command', () => [sid(CLI), [CLI, 'embed', '--data', folder]]],
] as const)('%s', async (_, what, commands) => {
  const each = commands();
  const all = await startAll(2, (rank) => each[rank]!);
  const line = new RegExp(
    `^sidlab: cluster: expected the same ${what} in all processes, got [^\\n]+; start all [^\\n]+\\n$`,
  );
  for (const { status, err, out } of all) {
    expect(err).toMatch(line);
    expect([status, out]).toEqual([1, '']);
  }
  expect(existsSync(join(folder, 'items.index.json'))).toBe(false);
});
