/** Small files of a model of the hub: asked for once, kept, and there without a network. */
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readModelJson } from '../../lib/embed/sentence/transformers.js';

test('a second run works offline: kept files, absent ones, and nothing that is no JSON', async () => {
  const files: Record<string, string> = {
    'modules.json': '[1]',
    '1_Pooling/config.json': '{"a":2}',
    'bad.json': '<html>',
  };
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const name = request.url!.replace('/owner/model/resolve/main/', '');
    asked.push(name);
    if (name === 'busy.json') response.writeHead(503).end();
    else if (Object.hasOwn(files, name)) response.end(files[name]);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cacheDir = mkdtempSync(join(tmpdir(), 'sidlab-hub-'));
  const library = {
    env: {
      cacheDir,
      remoteHost: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
      remotePathTemplate: '{model}/resolve/{revision}/',
    },
  } as unknown as Parameters<typeof readModelJson>[0];
  const read = (file: string): Promise<unknown> => readModelJson(library, 'owner/model', file);
  const readAll = async (): Promise<unknown[]> => [
    await read('modules.json'),
    await read('1_Pooling/config.json'),
    await read('sentence_bert_config.json'),
  ];
  expect(await readAll()).toEqual([[1], { a: 2 }, undefined]);
  await expect(read('bad.json')).rejects.toThrow('owner/model/bad.json: not valid JSON');
  await expect(read('busy.json')).rejects.toThrow('answered 503');
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  const before = asked.length;
  expect(await readAll()).toEqual([[1], { a: 2 }, undefined]);
  expect(asked).toHaveLength(before);
  await expect(read('bad.json')).rejects.toThrow('give --encoder a folder'); // neither was kept
  await expect(read('busy.json')).rejects.toThrow('give --encoder a folder');
});

test('an id cannot leave the cache; a cache that cannot be written does not stop the run', async () => {
  const root = mkdtempSync(join(tmpdir(), 'sidlab-hub-'));
  writeFileSync(join(root, 'file'), '');
  const server = createServer((_, response) => response.end('{}'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const library = (cacheDir: string): Parameters<typeof readModelJson>[0] =>
    ({
      env: {
        cacheDir,
        remoteHost: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
        remotePathTemplate: '{model}/resolve/{revision}/',
      },
    }) as unknown as Parameters<typeof readModelJson>[0];
  for (const id of ['../x', 'a/../../b', '/no-such', 'a/b/c', 'x/..']) {
    const asked = readModelJson(library(root), id, 'm.json');
    await expect(asked, id).rejects.toThrow('expected a folder, or an id of the hub');
  }
  expect(await readModelJson(library(join(root, 'file')), 'owner/model', 'm.json')).toEqual({});
  expect(existsSync(join(root, 'owner'))).toBe(false);
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
