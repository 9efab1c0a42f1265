/** Where everything is that the set-up makes or needs; all from the place of this file, so that any cwd will do. */
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** A path inside the project. */
export const at = (...parts) => join(ROOT, ...parts);

export const VENV = at('.venv');
export const VENV_PYTHON = pythonOf(VENV);

/** The benchmarks' peers have a venv of their own: gigabytes that nothing else needs. */
export const PEERS = at('.venv-peers');

/** The interpreter of a venv. */
export function pythonOf(venv) {
  return process.platform === 'win32' ? join(venv, 'Scripts', 'python.exe') : join(venv, 'bin', 'python');
}

/** Logs, reports and the lock of the set-up; ignored by git. */
export const RUN = at('.run');

/** The venv's folder of packages; undefined while there is no venv. */
export function sitePackages() {
  const lib = at('.venv/lib');
  if (!existsSync(lib)) return undefined;
  const python = readdirSync(lib).find((name) => name.startsWith('python3'));
  return python && join(lib, python, 'site-packages');
}
