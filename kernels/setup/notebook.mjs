/** Executes a copy of a notebook without a browser; again only when its outputs would change. */
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { at, VENV_PYTHON } from './paths.mjs';
import { buildKey } from './build.mjs';
import { jupyterEnv } from './jupyter.mjs';
import { say } from './report.mjs';
import { shown } from './run.mjs';
import { hashOf, readStamp, writeStamp } from './stamp.mjs';

/**
 * `notebooks/NAME.ipynb` -> `notebooks/.run/NAME.ipynb`, executed. The original is never changed.
 * @param {string} name without its ending
 * @param {{ engine: string }} options the engine that the kernel will find: another one, another result
 * @returns {Promise<number>} exit status; 0, without executing, where the executed copy is up to date
 */
export async function executeNotebook(name, { engine }) {
  const source = at('notebooks', `${name}.ipynb`);
  const copy = at('notebooks/.run', `${name}.ipynb`);
  const stamp = at('notebooks/.run', `${name}.json`);
  const settings = Object.entries(process.env).filter(([key]) => key.startsWith('SIDLAB_'));
  const key = hashOf({ file: source }, buildKey('dist'), engine, JSON.stringify(settings.sort()));
  if (existsSync(copy) && readStamp(stamp).key === key) {
    say(`${relativeTo(copy)} is up to date: notebook and library have not changed`);
    return 0;
  }
  say(`executing a copy of ${relativeTo(source)}`);
  rmSync(stamp, { force: true });
  mkdirSync(at('notebooks/.run'), { recursive: true });
  const start = performance.now();
  const status = await shown(VENV_PYTHON, [at('kernels/tslab/execute.py'), source, copy], { env: jupyterEnv() });
  if (status !== 0) return status;
  writeStamp(stamp, { key });
  say(`${relativeTo(copy)}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
  return 0;
}

const relativeTo = (path) => path.slice(at().length + 1);
