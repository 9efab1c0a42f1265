/** TF_CONFIG as launchers set it, and what is wrong with it in one line each; the port in use in a process of its own. */
import { createServer } from 'node:net';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { joinError, parseTfConfig, serverDef } from '../../lib/engine/cluster.js';
import { clusterTest, ended, tfConfig } from '../cluster/processes.js';
import { spawn } from 'node:child_process';

const config = (cluster: unknown, task: unknown): string => JSON.stringify({ cluster, task });
const two = { worker: ['a:1', 'b:2'] };

test('one list of chief and workers, the chief first; one process is no cluster', () => {
  expect(parseTfConfig(undefined)).toBeUndefined();
  expect(parseTfConfig('  ')).toBeUndefined();
  expect(parseTfConfig(config({ worker: ['a:1'] }, { type: 'worker', index: 0 }))).toBeUndefined();
  expect(parseTfConfig(config({ chief: ['a:1'] }, { type: 'chief', index: 0 }))).toBeUndefined();
  expect(parseTfConfig(config(two, { type: 'worker', index: 1 }))).toEqual({ addresses: ['a:1', 'b:2'], rank: 1 });
  const led = { worker: ['a:1', '[::1]:2'], chief: ['c:65535'] };
  const addresses = ['c:65535', 'a:1', '[::1]:2'];
  expect(parseTfConfig(config(led, { type: 'worker', index: '1' }))).toEqual({ addresses, rank: 2 });
  expect(parseTfConfig(config(led, { type: 'chief', index: 0 }))).toEqual({ addresses, rank: 0 });
});

test.each([
  ['{', 'expected JSON such as'],
  ['[]', 'expected cluster and task as in'],
  ['{"task": {}}', 'expected cluster and task as in'],
  [config(two, undefined), 'expected cluster and task as in'],
  [config({ ...two, ps: ['c:3'] }, {}), 'expected jobs chief and worker, got job ps; leave it out'],
  [config({ worker: 'a:1' }, {}), 'expected a list of host:port for worker, got "a:1"'],
  [config({ worker: ['a:1', 'b'] }, {}), 'expected a list of host:port for worker'],
  [config({ worker: ['a:0', 'b:1'] }, {}), 'ports are from 1 to 65535'],
  [config({ worker: ['a:1', 'b:65536'] }, {}), 'ports are from 1 to 65535'],
  [config({ chief: ['a:1', 'b:1'] }, {}), 'expected one chief, got 2'],
  [config({ worker: ['a:1', 'a:1'] }, {}), 'expected an address for each process, got a:1 twice'],
  [config(two, { type: 'evaluator', index: 0 }), 'expected task.type chief or worker, got "evaluator"'],
  [config(two, { type: 'worker', index: 2 }), 'expected task.index from 0 to 1, got 2'],
  [config(two, { type: 'worker', index: -1 }), 'expected task.index from 0 to 1, got -1'],
  [config(two, { type: 'worker' }), 'expected task.index from 0 to 1, got none'],
  [config(two, { type: 'chief', index: 0 }), 'expected a chief in cluster, got 0'],
])('%s is one line', (text, message) => {
  expect(() => parseTfConfig(text)).toThrow(message);
  expect(() => parseTfConfig(text)).toThrow(/^TF_CONFIG: expected [^\n]+, got [^\n]+; [^\n]+$/);
});

test('the server is described as TensorFlow reads it', () => {
  // By hand, with the fields' numbers of tensorflow_server.proto, cluster.proto and config.proto.
  const text = Buffer.from(serverDef({ addresses: ['a:1', 'b:2'], rank: 1 }), 'hex');
  const leader = '/job:worker/replica:0/task:0';
  const [filter, session] = ['/job:worker/task:1', Buffer.from(`\x0a${String.fromCharCode(leader.length)}${leader}`)];
  const expected = Buffer.concat([
    Buffer.from('\x0a\x1c\x0a\x1a\x0a\x06worker\x12\x07\x08\x00\x12\x03a:1\x12\x07\x08\x01\x12\x03b:2'),
    Buffer.from('\x12\x06worker\x18\x01'),
    Buffer.from([0x22, 2 + filter.length + 3 + session.length, 0x22, filter.length]),
    Buffer.from(filter),
    Buffer.from([0x82, 0x01, session.length]),
    session,
    Buffer.from('\x2a\x04grpc'),
  ]);
  expect(text).toEqual(expected);
});

test('why the engine did not load, as an error of TF_CONFIG', () => {
  const cluster = { addresses: ['a:1', 'b:2'], rank: 1 };
  expect(joinError(cluster, 'Could not start gRPC server').message).toBe(
    'TF_CONFIG: expected b:2 free to listen on, got none (Could not start gRPC server); stop what uses the port, or give another',
  );
  expect(joinError(cluster, 'the wasm engine').message).toBe(
    'TF_CONFIG: expected the tensorflow engine, which alone runs in several processes, got the wasm engine',
  );
});

clusterTest('a port in use, and an engine that has no cluster, end a process in one line', async () => {
  const server = createServer().listen(0);
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const run = (backend: string): ReturnType<typeof ended> => {
    const body = `import { useEngine } from './dist/engine/index.js';
      await useEngine().catch(({ name, message }) => { process.stdout.write(name + ' ' + message); process.exit(3); });`;
    const env = { ...process.env, TF_CONFIG: tfConfig([port, 9], 0), SIDLAB_BACKEND: backend };
    const args = ['--input-type=module', '-e', body];
    return ended(spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] }));
  };
  const taken = await run('auto');
  server.close();
  expect(taken).toMatchObject({ status: 3, err: '' });
  expect(taken.out).toContain(`InputError TF_CONFIG: expected localhost:${port} free to listen on, got none (`);
  const wasm = await run('wasm');
  expect(wasm.out).toContain('InputError TF_CONFIG: expected the tensorflow engine');
});
