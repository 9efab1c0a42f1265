/** The Python venvs, the kit's own and the peers', and packages into them with pip. */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { attempt } from './attempt.mjs';
import { VENV, pythonOf } from './paths.mjs';
import { lacks } from './report.mjs';
import { quietly, reasonIn } from './run.mjs';
import { hashOf, readStamp, writeStamp } from './stamp.mjs';

/** TensorFlow has wheels for these; the first is what its own wheels and JupyterLab agree on. */
const PYTHONS = ['python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10', 'python'];
const OLDEST = 10;
const NEWEST = 13;

const PROBE = 'import sys, venv, ensurepip; print("python %d.%d" % sys.version_info[:2])';

/** Makes a venv unless it is there. @param instead what happens without it @returns true if it was made */
export async function createVenv(venv = VENV, instead = 'the pipeline runs from the shell, on WebAssembly') {
  if (venvWorks(venv)) return false;
  const python = await findPython();
  if (python === undefined) {
    lacks('Python', {
      why: `none of 3.${OLDEST} to 3.${NEWEST} with venv and pip was found`,
      mend: 'apt-get install python3-venv (or any Python 3.10 to 3.13), then npm run setup',
      instead,
    });
    return false;
  }
  rmSync(venv, { recursive: true, force: true });
  const { ok, output, log } = await quietly('venv', python, ['-m', 'venv', venv]);
  if (ok) {
    // JupyterLab runs a script of its own with Node; without this it would be taken for one of our ES modules.
    writeStamp(join(venv, 'package.json'), { type: 'commonjs' });
    writeStamp(stampOf(venv), { packages: {} });
    return true;
  }
  rmSync(venv, { recursive: true, force: true });
  lacks('a Python venv', {
    why: reasonIn(output),
    mend: `apt-get install python3-venv, then npm run setup (all of it is in ${log})`,
    instead,
  });
  return false;
}

/** Whether a venv was made to the end and its Python is still there. */
export function venvWorks(venv = VENV) {
  return existsSync(pythonOf(venv)) && existsSync(stampOf(venv));
}

const stampOf = (venv) => join(venv, '.stamp.json');

/** The first interpreter that can make a venv, one that TensorFlow has wheels for rather than any other. */
async function findPython() {
  const names = process.env.SIDLAB_PYTHON ? [process.env.SIDLAB_PYTHON] : PYTHONS;
  let other;
  for (const name of names) {
    const { ok, output } = await quietly('python', name, ['-c', PROBE]);
    const minor = ok ? Number(/python 3\.(\d+)/.exec(output)?.[1] ?? NaN) : NaN;
    if (minor >= OLDEST && minor <= NEWEST) return name;
    if (minor > NEWEST) other ??= name;
  }
  return other;
}

/** Whether the packages of a requirements file stand in a venv. */
export function hasPackages(name, requirements, venv = VENV) {
  return venvWorks(venv) && readStamp(stampOf(venv)).packages?.[name] === packagesKey(requirements);
}

/**
 * Installs a requirements file into a venv; never waits long for an index that does not answer.
 * @returns {Promise<string | undefined>} why it failed, undefined when the packages are there
 */
export function installPackages(name, requirements, { args = [], again, venv = VENV }) {
  const key = packagesKey(requirements);
  const install = async () => {
    const retries = process.env.PIP_RETRIES === undefined ? ['--retries', '0'] : [];
    const { ok, output } = await quietly(`pip-${name}`, pythonOf(venv), [
      ...['-m', 'pip', 'install', '--no-input', '--disable-pip-version-check', '--progress-bar', 'off'],
      ...['--no-compile', '--timeout', '20', ...retries, ...args, '-r', requirements],
    ]);
    if (!ok) return `pip: ${reasonIn(output)}`;
    const stamp = readStamp(stampOf(venv));
    writeStamp(stampOf(venv), { ...stamp, packages: { ...stamp.packages, [name]: key } });
    return undefined;
  };
  return attempt(`pip-${name}`, key, install, { again });
}

function packagesKey(requirements) {
  return hashOf({ file: requirements });
}
