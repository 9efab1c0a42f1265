/** A command in one process, or as one of several that share its work. */
import { clusterConfig } from '../engine/cluster.js';
import { InputError } from '../support/errors.js';
import type { Command } from './command.js';

/**
 * @returns what it gave; undefined in every process but the first, so that a result is printed once
 * @throws InputError for a command that runs in one process, where `TF_CONFIG` names several; and where not all run the
 *   same command of the same version
 */
export async function runCommand(name: string, { parallel = false, wraps = false }: Command, run: () => unknown) {
  const cluster = wraps ? undefined : clusterConfig();
  if (!cluster) return run();
  if (!parallel) {
    const { length } = cluster.addresses;
    throw new InputError(`${name}: runs in one process, but TF_CONFIG names ${length}; start one, without TF_CONFIG`);
  }
  const { joinCluster, leaveCluster } = await import('../cluster/cluster.js');
  let well = false;
  try {
    const all = await joinCluster(); // before anything that can fail in one process alone, so that the others notice
    const { codeVersion } = await import('../runs/code-version.js');
    all?.expectSame({ command: name, code: codeVersion().hash });
    const result = await run();
    well = true;
    return cluster.rank === 0 ? result : undefined;
  } finally {
    await leaveCluster(well);
  }
}
