/** JupyterLab, nbconvert and plotly's renderer in the venv. */
import { delimiter } from 'node:path';
import { ROOT, at } from './paths.mjs';
import { lacks } from './report.mjs';
import { hasPackages, installPackages, venvWorks } from './venv.mjs';

const REQUIREMENTS = at('kernels/requirements.txt');

export const hasJupyter = () => hasPackages('jupyter', REQUIREMENTS);

/** @returns true if packages were installed */
export async function installJupyter({ again }) {
  if (hasJupyter() || !venvWorks()) return false;
  const why = await installPackages('jupyter', REQUIREMENTS, { again });
  if (why === undefined) return true;
  lacks('JupyterLab', {
    why,
    mend: 'give pip an index that it reaches, then npm run setup',
    instead: 'the pipeline runs from the shell, without the notebook',
  });
  return false;
}

/** Environment in which Jupyter finds `kernels/tslab/kernel.json` as the kernel `tslab`. */
export function jupyterEnv() {
  const { JUPYTER_PATH } = process.env;
  return {
    JUPYTER_PATH: JUPYTER_PATH ? `${ROOT}${delimiter}${JUPYTER_PATH}` : ROOT,
    PYDEVD_DISABLE_FILE_VALIDATION: '1', // a warning of the debugger's about frozen modules
  };
}
