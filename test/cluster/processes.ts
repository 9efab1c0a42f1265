/** Several processes of the built package (`npm test` builds it first) that meet as a cluster on this machine. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { test } from 'vitest';

const ADDON = 'node_modules/@tensorflow/tfjs-node-gpu/lib/napi-v8/libtfjs_addon.so';

/** Skipped where the `tensorflow` engine is not built: no other one runs in several processes. */
export const clusterTest = (existsSync(ADDON) ? test : test.skip) as typeof test;

export interface Ended {
  status: number | null;
  signal: NodeJS.Signals | null;
  out: string;
  err: string;
}

/** Ports that nobody listens on just now. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

export const tfConfig = (ports: readonly number[], index: number): string =>
  JSON.stringify({ cluster: { worker: ports.map((port) => `localhost:${port}`) }, task: { type: 'worker', index } });

export interface StartOptions {
  env?: NodeJS.ProcessEnv;
  /** Called with each process as it starts. */
  started?: (child: ChildProcess, rank: number) => void;
}

/** Node with these arguments, `count` times, each told its place; ends when all have ended. */
export async function startAll(
  count: number,
  args: readonly string[] | ((rank: number) => readonly string[]),
  { env = {}, started }: StartOptions = {},
): Promise<Ended[]> {
  const ports = await freePorts(count);
  return Promise.all(
    ports.map((_, rank) => {
      const shared = { TF_NUM_INTRAOP_THREADS: '1', OMP_NUM_THREADS: '1', TF_CPP_MIN_LOG_LEVEL: '2' };
      const child = spawn(process.execPath, [...(typeof args === 'function' ? args(rank) : args)], {
        env: { ...process.env, ...shared, TF_CONFIG: tfConfig(ports, rank), ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      started?.(child, rank);
      return ended(child);
    }),
  );
}

export async function ended(child: ChildProcess): Promise<Ended> {
  const [out, err] = [child.stdout!, child.stderr!].map((stream) => {
    const parts: Buffer[] = [];
    stream.on('data', (part: Buffer) => parts.push(part));
    return parts;
  }) as [Buffer[], Buffer[]];
  const [status, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { status, signal, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() };
}

/**
 * A module's text in every process. `cluster` and `tf` are there; what it gives to `say` comes back, one value a line.
 * @returns what each process said, by rank @throws Error if one of them failed
 */
export async function inProcesses(count: number, body: string, options?: StartOptions): Promise<unknown[][]> {
  const all = await startAll(count, ['--input-type=module', '-e', script(body)], options);
  const failed = all.find(({ status }) => status !== 0);
  if (failed) throw new Error(all.map(({ status, err }, rank) => `process ${rank}: ${status} ${err}`).join('\n'));
  return all.map(said);
}

/** The values that a process said. */
export const said = ({ out }: Ended): unknown[] =>
  out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown);

/** Errors of the user's end as `sidlab` ends: in a line and status 1. */
export const script = (body: string): string => `
  import * as tf from '@tensorflow/tfjs';
  import { joinCluster, leaveCluster } from './dist/cluster/index.js';
  const say = (value) => process.stdout.write(JSON.stringify(value ?? null) + '\\n');
  try {
    const cluster = await joinCluster();
    ${body}
    await leaveCluster(true);
  } catch (error) {
    process.stderr.write((error.name === 'InputError' ? error.message : error.stack) + '\\n');
    await leaveCluster(false);
    process.exitCode = 1;
  }
`;
