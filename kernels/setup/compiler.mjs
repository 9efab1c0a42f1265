/** A C++ compiler that works, and Node's headers. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { at } from './paths.mjs';
import { quietly } from './run.mjs';

/** @returns {Promise<string | undefined>} the command: `CXX`, else the first of g++, c++, clang++ that answers */
export async function findCompiler() {
  for (const name of [process.env.CXX, 'g++', 'c++', 'clang++']) {
    if (name && (await quietly('compiler', name, ['--version'])).ok) return name;
  }
  return undefined;
}

/** @returns the folder of `node_api.h`: beside the binary, the system's, else the npm package's */
export function nodeHeaders() {
  return [
    join(dirname(process.execPath), '..', 'include', 'node'),
    '/usr/include/node',
    at('node_modules/node-api-headers/include'),
  ].find((folder) => existsSync(join(folder, 'node_api.h')));
}
