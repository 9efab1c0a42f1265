/** A script of `bench/cluster` in several processes that meet as a cluster, each with its share of two threads. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

/** Threads of all processes together: the figures are of two cores. */
const THREADS = 2;

/** @returns what process 0 prints @throws Error if one of them fails */
export async function inProcesses<T>(processes: number, script: string, ...args: string[]): Promise<T> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const ports = await freePorts(processes);
  const ended = await Promise.all(
    ports.map(async (_, index) => {
      const threads = String(Math.max(1, THREADS / processes));
      const cluster = { worker: ports.map((port) => `localhost:${port}`) };
      const env = {
        ...{ ...process.env, TF_NUM_INTRAOP_THREADS: threads, OMP_NUM_THREADS: threads },
        TF_CONFIG: processes === 1 ? '' : JSON.stringify({ cluster, task: { type: 'worker', index } }),
      };
      const child = spawn(process.execPath, [path, ...args], { env, stdio: ['ignore', 'pipe', 'inherit'] });
      let out = '';
      child.stdout.on('data', (data: Buffer) => (out += data.toString()));
      const [status] = (await once(child, 'close')) as [number | null];
      return { status, out };
    }),
  );
  if (ended.some(({ status }) => status !== 0)) throw new Error(`${script}: a process failed`);
  return JSON.parse(ended[0]!.out.trim().split('\n').at(-1)!) as T;
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}
