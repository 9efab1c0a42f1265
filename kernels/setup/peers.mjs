/**
 * The Python packages that the benchmarks are compared with, in a venv of their own: `npm run setup -- --peers`. Only
 * that command installs them, since PyTorch alone takes hundreds of megabytes.
 */
import { PEERS, at, pythonOf } from './paths.mjs';
import { lacks } from './report.mjs';
import { createVenv, hasPackages, installPackages, venvWorks } from './venv.mjs';

const REQUIREMENTS = at('bench/peers/requirements.txt');
const INSTEAD = 'benchmarks that are compared with Python do not run';

/** Whether all of them are there, of the versions that the requirements ask for. */
export const hasPeers = () => hasPackages('peers', REQUIREMENTS, PEERS);

/** The Python that runs the peers: `SIDLAB_PEERS`, else the venv's; undefined where there is none. */
export function peersPython() {
  return process.env.SIDLAB_PEERS || (hasPeers() ? pythonOf(PEERS) : undefined);
}

/** @returns true if packages were installed */
export async function installPeers({ again }) {
  if (hasPeers()) return false;
  await createVenv(PEERS, INSTEAD);
  if (!venvWorks(PEERS)) return false;
  const why = await installPackages('peers', REQUIREMENTS, { again, venv: PEERS });
  if (why === undefined) return true;
  const mend =
    "give pip an index that it reaches, then npm run setup -- --peers (README says how to get PyTorch's CPU build)";
  lacks('the peers', { why, mend, instead: INSTEAD });
  return false;
}
