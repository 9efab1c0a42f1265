/**
 * What the project's Python venv holds, read from its files: no Python is started, so that asking is free.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Versions; null where a thing is not installed. */
export interface Installed {
  python: string | null;
  jupyterlab: string | null;
  tensorflow: string | null;
  torch: string | null;
}

/** @param root the project's folder; default the one that this file belongs to */
export function installed(root = fileURLToPath(new URL('../..', import.meta.url))): Installed {
  const packages = sitePackages(join(root, '.venv/lib'));
  return {
    python: pythonOf(join(root, '.venv/pyvenv.cfg')),
    jupyterlab: versionOf(packages, /^jupyterlab-(.+)\.dist-info$/),
    tensorflow: versionOf(packages, /^tensorflow(?:_cpu)?-(.+)\.dist-info$/),
    torch: versionOf(packages, /^torch-(.+)\.dist-info$/),
  };
}

function pythonOf(config: string): string | null {
  if (!existsSync(config)) return null;
  return /^version\s*=\s*(\S+)/m.exec(readFileSync(config, 'utf8'))?.[1] ?? null;
}

/** Names of everything in the venv's packages folder. */
function sitePackages(lib: string): string[] {
  if (!existsSync(lib)) return [];
  const python = readdirSync(lib).find((name) => name.startsWith('python3'));
  const folder = join(lib, python ?? '', 'site-packages');
  return existsSync(folder) ? readdirSync(folder) : [];
}

/** pip names a package's record NAME-VERSION.dist-info. */
function versionOf(packages: string[], record: RegExp): string | null {
  for (const name of packages) {
    const version = record.exec(name)?.[1];
    if (version !== undefined) return version;
  }
  return null;
}
