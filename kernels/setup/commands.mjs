/** What the npm scripts do once the set-up is complete. Each returns the exit status. */
import { existsSync } from 'node:fs';
import { at, VENV_PYTHON } from './paths.mjs';
import { buildBenchmarks } from './build.mjs';
import { hasJupyter, jupyterEnv } from './jupyter.mjs';
import { executeNotebook } from './notebook.mjs';
import { hasPeers, peersPython } from './peers.mjs';
import { say } from './report.mjs';
import { shown } from './run.mjs';
import { hasAddon } from './tensorflow.mjs';
import { matrix } from './matrix.mjs';
import { sanitize } from './sanitize.mjs';
import { runTests } from './tests.mjs';

const QUICKSTART = '00-quickstart';

export const commands = { setup, start, test: runTests, lab, sidlab, bench, mutants, sanitize, matrix };

function setup(args) {
  if (args.includes('--peers') && !hasPeers()) return 1; // the line above says why
  say('set up; npm start runs the quickstart, npm run lab opens JupyterLab');
  return 0;
}

/** The quickstart: the notebook where there is a Jupyter, then the table; without one the same pipeline alone. */
async function start(args) {
  if (hasJupyter() && existsSync(at('notebooks', `${QUICKSTART}.ipynb`))) {
    const status = await executeNotebook(QUICKSTART, { engine: hasAddon() ? 'tensorflow' : 'wasm' });
    if (status !== 0) return status;
  }
  // What the notebook has computed is not computed again; this prints the table and where the figures are.
  return sidlab(['pipeline', ...args]);
}

async function lab(args) {
  if (!hasJupyter()) {
    say('JupyterLab is not installed (the line above says why); npm run sidlab -- --help works without it');
    return 1;
  }
  const notebook = existsSync(at('notebooks', `${QUICKSTART}.ipynb`)) ? [`/tree/${QUICKSTART}.ipynb`] : [''];
  const options = [
    ...['-m', 'jupyterlab', `--ServerApp.root_dir=${at('notebooks')}`, `--LabApp.default_url=/lab${notebook[0]}`],
    ...['--MultiKernelManager.default_kernel_name=tslab', '--LabApp.news_url=None'],
    '--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate',
    ...(process.getuid?.() === 0 ? ['--allow-root'] : []),
  ];
  return shown(VENV_PYTHON, [...options, ...args], { env: jupyterEnv() });
}

function sidlab(args) {
  return shown(process.execPath, [at('dist/cli.js'), ...args], { env: quietTensorflow() });
}

/** How many single-point mutants of the mathematics the tests notice. */
function mutants(args) {
  return shown(process.execPath, [at('test/mutants/run.mjs'), ...args]);
}

async function bench(args) {
  await buildBenchmarks();
  const python = peersPython();
  const env = { ...quietTensorflow(), ...(python !== undefined && { SIDLAB_PEERS: python }) };
  return shown(process.execPath, [at('.run/bench/run.js'), ...args], { env });
}

const quietTensorflow = () => ({ TF_CPP_MIN_LOG_LEVEL: process.env.TF_CPP_MIN_LOG_LEVEL ?? '2' });
