/**
 * notebooks/node_modules/sidlab -> the project: tslab resolves imports from the notebook's folder, where a package's
 * own name is not known.
 */
import { existsSync, mkdirSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { ROOT, at } from './paths.mjs';

/** @returns true if the link was made */
export function linkPackage() {
  const link = at('notebooks/node_modules/sidlab');
  if (existsSync(link) && realpathSync(link) === realpathSync(ROOT)) return false;
  mkdirSync(at('notebooks/node_modules'), { recursive: true });
  rmSync(link, { recursive: true, force: true });
  if (process.platform === 'win32') symlinkSync(ROOT, link, 'junction');
  else symlinkSync('../..', link);
  return true;
}
