/**
 * Sets up whatever is missing, then does what was asked. The npm scripts call it:
 *
 *   node kernels/setup.mjs [setup [--peers] | start | test | lab | sidlab | bench] [ARGS]
 *
 * In a fresh clone there is no node_modules, so this file and those in kernels/setup/ use Node's built-ins alone.
 * Every step looks for itself whether it has anything to do; with nothing to do all of them take a fraction of a
 * second. What cannot be had is said in one line, and whatever does not need it goes on. The set-up writes to standard
 * error, so that standard output belongs to the command.
 */
import { buildLibrary } from './setup/build.mjs';
import { commands } from './setup/commands.mjs';
import { installJupyter } from './setup/jupyter.mjs';
import { withLock } from './setup/lock.mjs';
import { installNodeModules } from './setup/node-modules.mjs';
import { linkPackage } from './setup/notebook-link.mjs';
import { installPeers } from './setup/peers.mjs';
import { printMissing, say, timed } from './setup/report.mjs';
import { buildAddon, installTensorflow } from './setup/tensorflow.mjs';
import { buildOps } from './setup/tensorflow-ops.mjs';
import { createVenv } from './setup/venv.mjs';

const [command = 'setup', ...args] = process.argv.slice(2);

/**
 * Packages of Node and of Python come side by side; the addon needs both, and compiles while pip goes on.
 * @param {{ again: boolean, peers: boolean }} options `again` tries anew what has just failed; `peers` installs the
 *   packages that the benchmarks are compared with
 */
async function setUp(options) {
  const packages = timed('node_modules (npm ci)', installNodeModules);
  const venv = timed('Python venv', createVenv);
  const tensorflow = venv.then(() => timed('TensorFlow (pip)', () => installTensorflow(options)));
  const jupyter = tensorflow.then(() => timed('JupyterLab (pip)', () => installJupyter(options)));
  const addon = Promise.all([packages, tensorflow]).then(() => timed("TensorFlow's addon", () => buildAddon(options)));
  const ops = addon.then(() => timed('fused operations', () => buildOps(options)));
  const build = packages.then(() => timed('build', buildLibrary)).then(linkPackage);
  // pip writes into one venv at a time, and the peers are the last to be needed
  const peers = options.peers && jupyter.then(() => timed('peers (pip)', () => installPeers(options)));
  const outcomes = await Promise.allSettled([packages, jupyter, ops, build, peers]);
  printMissing();
  const failure = outcomes.find(({ status }) => status === 'rejected');
  if (failure) throw failure.reason;
}

async function main() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new Error(`Node ${process.versions.node} is too old: install Node 20.19, 22 or 24`);
  }
  const run = commands[command];
  if (run === undefined) {
    throw new Error(`expected one of ${Object.keys(commands).join(', ')}, got ${command}`);
  }
  const again = command === 'setup';
  const unknown = again && args.find((arg) => arg !== '--peers');
  if (unknown) throw new Error(`setup: expected --peers or nothing, got ${unknown}`);
  await withLock(() => setUp({ again, peers: again && args.includes('--peers') }));
  return run(args);
}

try {
  process.exitCode = await main();
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
