/** The folder of a run that one process or several train: process 0 writes it. */
import type { Cluster } from '../../cluster/cluster.js';
import { otherRun, RunFolder, type RunStore } from '../../runs/run-folder.js';

/** @throws InputError in all processes if process 0 cannot open it */
export async function openRun(
  cluster: Cluster | undefined,
  run: string,
  config: Record<string, unknown>,
): Promise<RunStore> {
  if (!cluster) return new RunFolder(run, config);
  let own: RunStore = otherRun(run);
  await cluster.first(() => {
    own = new RunFolder(run, config);
  });
  return own;
}
