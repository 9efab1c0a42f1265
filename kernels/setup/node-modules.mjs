/** node_modules from the lock file. Nothing to do when every locked package lies there in its locked version. */
import { existsSync, readFileSync } from 'node:fs';
import { at } from './paths.mjs';
import { quietly, reasonIn } from './run.mjs';

/** @returns true if packages were installed @throws if npm fails: nothing works without them */
export async function installNodeModules() {
  if (isUpToDate()) return false;
  const npm = process.env.npm_execpath;
  const [command, before] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []];
  const { ok, output, log } = await quietly('npm-ci', command, [...before, 'ci', '--no-audit', '--no-fund']);
  if (!ok) throw new Error(`npm ci failed (${reasonIn(output)}); see ${log}, check the network and start again`);
  return true;
}

function isUpToDate() {
  const wanted = packagesIn(at('package-lock.json'));
  const there = packagesIn(at('node_modules/.package-lock.json'));
  return matches(wanted, there) && Object.keys(there).every((path) => existsSync(at(path, 'package.json')));
}

function packagesIn(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).packages : {};
}

/**
 * Whether what npm says it installed is what the lock file wants.
 * Optional packages may be absent: most are for other systems.
 */
export function matches(wanted, there) {
  const locked = Object.entries(wanted).filter(([path]) => path !== '');
  return (
    locked.length > 0 &&
    locked.every(([path, { version, integrity, optional }]) => {
      const found = there[path];
      return found ? found.version === version && found.integrity === integrity : optional === true;
    }) &&
    Object.keys(there).every((path) => path in wanted)
  );
}
