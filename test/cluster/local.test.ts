/** `sidlab local` and `sidlab cluster-env`, the built commands: one result, one line, no open port, nobody left over. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { expectBuilt } from '../train/grpo/run-and-kill.js';
import { ended, type Ended } from './processes.js';

expectBuilt();
const LOOPBACK = 'node_modules/@tensorflow/tfjs-node-gpu/lib/napi-v8/libsidlab_loopback.so';
const folder = mkdtempSync(join(tmpdir(), 'sidlab-local-'));

/** `local` itself, of any program: what a process is does not matter to it. */
async function local(
  processes: number,
  program: string,
  kill?: (said: string) => NodeJS.Signals | undefined,
): Promise<Ended> {
  const file = join(folder, 'program.mjs');
  writeFileSync(file, program);
  const body = `import { local } from './dist/cluster/index.js';
    await local({ processes: ${processes} }, ${JSON.stringify(file)}, ['x', '--y']).catch(({ message }) => {
      process.stderr.write(message + '\\n');
      process.exitCode = 1;
    });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', body], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stderr.on('data', (data: Buffer) => {
    const signal = kill?.(data.toString());
    if (signal) child.kill(signal);
  });
  return ended(child);
}

test('each process has its place and its threads; output of the first is the output', async () => {
  const { status, out, err } = await local(
    3,
    `const { TF_CONFIG, OMP_NUM_THREADS, CUDA_VISIBLE_DEVICES } = process.env;
     const { cluster, task } = JSON.parse(TF_CONFIG);
     console.log(JSON.stringify([task, cluster.worker.length, new Set(cluster.worker).size, Number(OMP_NUM_THREADS) >= 1]));
     console.error(process.argv.slice(2).join(' '));`,
  );
  expect(status).toBe(0);
  expect(out).toBe('[{"type":"worker","index":0},3,3,true]\n');
  const lines = err.split('\n').filter((line) => !line.startsWith('local: the ports'));
  expect(lines.sort()).toEqual([
    '',
    '[0] x --y',
    '[1] [{"type":"worker","index":1},3,3,true]',
    '[1] x --y',
    '[2] [{"type":"worker","index":2},3,3,true]',
    '[2] x --y',
  ]);
});

test('one that fails stops the others, and is named', async () => {
  const { status, err } = await local(
    3,
    `if (process.env.TF_CONFIG.includes('"index":1')) process.exit(7);
     setInterval(() => {}, 1000);`,
  );
  expect(status).toBe(1);
  expect(err).toContain(
    'local: expected all processes to end well, got: process 1 ended with status 7; the same command',
  );
});

test('Ctrl-C reaches each of them once', async () => {
  const { err } = await local(
    2,
    `process.on('SIGINT', () => { console.error('asked'); setTimeout(() => process.exit(1), 200); });
     console.error('there');
     setInterval(() => {}, 1000);`,
    ((there) => (said: string) =>
      (there += said.split('there').length - 1) === 2 && said.includes('there') ? 'SIGINT' : undefined)(0),
  );
  expect(err.match(/asked/g)).toHaveLength(2);
});

test('nothing to run is one line', async () => {
  const child = spawn(process.execPath, ['dist/cli.js', 'local', '--processes', '2'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const { status, err } = await ended(child);
  expect(status).toBe(1);
  expect(err).toBe(
    'sidlab: local: expected a command after --, got none; sidlab local --processes 2 -- sft --data DIR\n',
  );
});

test('cluster-env prints what TF_CONFIG is to be', async () => {
  const env = { ...process.env, RANK: '1', WORLD_SIZE: '2', LOCAL_WORLD_SIZE: '2' };
  const args = ['dist/cli.js', 'cluster-env', '--from', 'torchrun'];
  const { out } = await ended(spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] }));
  expect(out).toBe('{"cluster":{"worker":["localhost:2222","localhost:2223"]},"task":{"type":"worker","index":1}}\n');
});

test.runIf(existsSync('/proc/net/tcp') && existsSync(LOOPBACK))('its servers listen on 127.0.0.1 alone', async () => {
  const engine = join(process.cwd(), 'dist/cluster/index.js');
  const { status, out, err } = await local(
    2,
    `import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
     const { joinCluster, leaveCluster } = await import(${JSON.stringify(engine)});
     await joinCluster();
     const inodes = readdirSync('/proc/self/fd').map((fd) => {
       try { return /\\d+/.exec(readlinkSync('/proc/self/fd/' + fd))?.[0]; } catch { return undefined; }
     });
     const rows = ['tcp', 'tcp6'].flatMap((table) => readFileSync('/proc/self/net/' + table, 'utf8').split('\\n').slice(1));
     const own = rows.map((row) => row.trim().split(/\\s+/)).filter((row) => row[3] === '0A' && inodes.includes(row[9]));
     console.log(JSON.stringify(own.map((row) => row[1].split(':')[0])));
     await leaveCluster(true);`,
  );
  expect(status).toBe(0);
  const said = [out, err.replace('[1] ', '')].map((line) => JSON.parse(line) as string[]);
  expect(said.map(({ length }) => length > 0)).toEqual([true, true]);
  const addresses = said.flat();
  // 127.0.0.1 as the kernel prints it, by itself or within an address of the sixth version.
  for (const address of addresses) expect(['0100007F', '0000000000000000FFFF00000100007F']).toContain(address);
});
