/**
 * Files that say something of a data folder's rows beside the rows themselves. The stages that fill a folder (`filter`,
 * `join`, `import`) write some of them each: of those that another source left there, whatever later stages would take
 * for the new rows' own goes.
 */
import { rmSync } from 'node:fs';
import { partsFile } from './join/parts.js';
import { TIMED_SPLITS, timesFile } from './row-times.js';
import { join } from 'node:path';

/** Removes those of NAME's files that are read with the rows and were not written with them. */
export function removeStale(out: string, name: string, written: readonly string[]): void {
  const own = [...TIMED_SPLITS.map((split) => timesFile(out, name, split)), partsFile(out, name), statsFile(out, name)];
  for (const file of own) if (!written.includes(file)) rmSync(file, { force: true });
}

/** What `filter` and `join` counted. */
export function statsFile(dir: string, name: string): string {
  return join(dir, `${name}.stats.json`);
}
