/**
 * Several processes of one command on this machine, as one command: each gets its place in `TF_CONFIG`, its share of the
 * threads and a GPU of its own. Standard output is process 0's; what they write to standard error carries their number.
 *
 * TensorFlow's server listens on every interface, asks nobody who he is and computes what it is sent. Here nobody from
 * outside shall reach it: a library that is loaded before Node (`kernels/tensorflow/loopback.c`) binds it to 127.0.0.1;
 * where it was not built, a line says that the ports are open.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { InputError } from '../../support/errors.js';
import { tell } from '../../support/progress.js';
import { LOCAL_OPTIONS, type LocalOptions } from './launch-options.js';

/** Milliseconds in which the others may say a last line when one has failed, and after which they are killed. */
const GRACE = 3000;

/**
 * Runs until all processes have ended.
 * @param program what Node runs @param args its arguments
 * @throws InputError if one of them fails; the others are stopped then
 */
export async function local(options: LocalOptions, program: string, args: readonly string[]): Promise<void> {
  const { processes } = LOCAL_OPTIONS.parse(options);
  if (args.length === 0) {
    throw new InputError('local: expected a command after --, got none; sidlab local --processes 2 -- sft --data DIR');
  }
  const gpus = gpusHere();
  if (gpus.length > 0 && processes > gpus.length) {
    throw new InputError(`local: expected at most ${gpus.length} processes, one a GPU, got ${processes}`);
  }
  const preload = loopbackLibrary();
  if (preload === undefined && processes > 1) {
    tell(
      'local: the ports of the processes are open to the network, to anybody; npm run setup builds what closes them',
    );
  }
  const ports = await freePorts(processes);
  const children = ports.map((_, rank) => {
    const env = { ...process.env, ...environment(ports, rank, gpus), ...(preload && { LD_PRELOAD: preload }) };
    // A group of its own, so that Ctrl-C reaches it once: through this process.
    return spawn(process.execPath, [program, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  });
  await supervise(children);
}

/** Places, threads and GPUs; what the user has set stays. */
function environment(ports: readonly number[], index: number, gpus: readonly string[]): NodeJS.ProcessEnv {
  const worker = ports.map((port) => `127.0.0.1:${port}`);
  const threads = String(Math.max(1, Math.floor(availableParallelism() / ports.length)));
  const { TF_NUM_INTRAOP_THREADS = threads, OMP_NUM_THREADS = threads } = process.env;
  return {
    TF_CONFIG: JSON.stringify({ cluster: { worker }, task: { type: 'worker', index } }),
    ...{ TF_NUM_INTRAOP_THREADS, OMP_NUM_THREADS },
    ...(gpus.length > 0 && { CUDA_VISIBLE_DEVICES: gpus[index]! }),
  };
}

/** Forwards output and signals. @throws InputError if a process fails */
async function supervise(children: readonly ChildProcess[]): Promise<void> {
  const forward = (signal: NodeJS.Signals): void => stop(children, signal);
  const signals = ['SIGINT', 'SIGTERM'] as const;
  signals.forEach((signal) => process.on(signal, forward));
  let failure: string | undefined;
  let timers: NodeJS.Timeout[] = [];
  try {
    await Promise.all(
      children.map(async (child, rank) => {
        show(child, rank);
        const [status, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
        if (status === 0 || failure !== undefined) return;
        failure = `process ${rank} ended with ${signal ?? `status ${status}`}`;
        timers = (['SIGTERM', 'SIGKILL'] as const).map((kill, i) =>
          setTimeout(() => stop(children, kill), (i + 1) * GRACE),
        );
      }),
    );
  } finally {
    timers.forEach((timer) => clearTimeout(timer));
    signals.forEach((signal) => process.removeListener(signal, forward));
  }
  if (failure !== undefined) {
    throw new InputError(`local: expected all processes to end well, got: ${failure}; the same command resumes a run`);
  }
}

function stop(children: readonly ChildProcess[], signal: NodeJS.Signals): void {
  for (const child of children) if (child.exitCode === null && child.signalCode === null) child.kill(signal);
}

function show({ stdout, stderr }: ChildProcess, rank: number): void {
  createInterface({ input: stderr! }).on('line', (line) => process.stderr.write(`[${rank}] ${line}\n`));
  if (rank === 0) stdout!.pipe(process.stdout, { end: false });
  else createInterface({ input: stdout! }).on('line', (line) => process.stderr.write(`[${rank}] ${line}\n`));
}

/** Ports that nobody listens on just now. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

/** Names of the GPUs that may be used. */
function gpusHere(): string[] {
  const { CUDA_VISIBLE_DEVICES: visible } = process.env;
  if (visible !== undefined) return visible.split(',').filter((name) => name !== '' && name !== '-1');
  if (!existsSync('/dev/nvidiactl')) return [];
  const { stdout } = spawnSync('nvidia-smi', ['--query-gpu=uuid', '--format=csv,noheader'], { encoding: 'utf8' });
  return (stdout ?? '').split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.trim()]));
}

/** @returns undefined where it was not built */
function loopbackLibrary(): string | undefined {
  const require = createRequire(import.meta.url);
  const addon = join(dirname(require.resolve('@tensorflow/tfjs-node-gpu/package.json')), 'lib/napi-v8');
  const file = join(addon, 'libsidlab_loopback.so');
  return existsSync(file) ? file : undefined;
}
