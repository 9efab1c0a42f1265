/** What a stage reads is not written over by it: the source would be gone, and a second run would read the first one's result. */
import { existsSync, statSync } from 'node:fs';
import { InputError } from '../support/errors.js';

/**
 * @param where name of the stage
 * @param inputs files that are read @param outputs files that will be written
 * @param mend what the message advises
 * @throws InputError where one is the other, by whatever path or link
 */
export function keepInputs(where: string, inputs: readonly string[], outputs: readonly string[], mend: string): void {
  const read = new Map(inputs.flatMap((path) => (existsSync(path) ? [[identity(path), path] as const] : [])));
  for (const path of outputs) {
    const same = existsSync(path) ? read.get(identity(path)) : undefined;
    if (same === undefined) continue;
    throw new InputError(`${where}: expected to read ${same}, and to write ${path}, which is the same file; ${mend}`);
  }
}

function identity(path: string): string {
  const { dev, ino } = statSync(path, { bigint: true });
  return `${dev}:${ino}`;
}
