/**
 * The default engine: a pip-installed TensorFlow, and tfjs-node's addon compiled against it from the sources in its
 * own npm package (kernels/tensorflow/README.md says why and how).
 */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { attempt } from './attempt.mjs';
import { findCompiler, nodeHeaders } from './compiler.mjs';
import { at, sitePackages } from './paths.mjs';
import { lacks } from './report.mjs';
import { quietly, reasonIn } from './run.mjs';
import { filesUnder, hashOf, readStamp, writeStamp } from './stamp.mjs';
import { hasPackages, installPackages, venvWorks } from './venv.mjs';

const PACKAGE = at('node_modules/@tensorflow/tfjs-node-gpu');
const OUT = join(PACKAGE, 'lib/napi-v8');
const LOADER = at('kernels/tensorflow/quiet_binding.cc');
const CLUSTER = at('kernels/tensorflow/cluster.cc');
const LOOPBACK = at('kernels/tensorflow/loopback.c');
const CPU = at('kernels/tensorflow/requirements-cpu.txt');
const CUDA = at('kernels/tensorflow/requirements-cuda.txt');
const INSTEAD = 'tensors are computed on WebAssembly, several times slower';

/** @returns true if TensorFlow was installed. Without a compiler it would be of no use and is left out. */
export async function installTensorflow({ again }) {
  const cuda = existsSync('/dev/nvidiactl') || existsSync('/dev/dxg');
  if ((cuda && hasPackages('tensorflow-cuda', CUDA)) || (!cuda && hasPackages('tensorflow', CPU))) return false;
  if (!venvWorks()) return false;
  if ((await findCompiler()) === undefined) return false;
  const gpu = cuda && (await quietly('nvidia-smi', 'nvidia-smi', ['-L'])).ok;
  if (gpu && (await installPackages('tensorflow-cuda', CUDA, { again })) === undefined) return true;
  if (hasPackages('tensorflow', CPU)) return false;
  const why = await installPackages('tensorflow', CPU, { args: ['--no-deps'], again });
  if (why === undefined) return true;
  const mend = 'give pip (of a Python 3.10 to 3.13) an index that it reaches, then npm run setup';
  lacks('TensorFlow', { why, mend, instead: INSTEAD });
  return false;
}

/** @returns true if the addon was compiled */
export async function buildAddon({ again }) {
  const library = libraryFolder();
  if (library === undefined) return noCompiler();
  const stampFile = join(OUT, '.stamp.json');
  const files = [CPU, CUDA, LOADER, CLUSTER, LOOPBACK, ...sources()];
  const key = hashOf(library, ...files.map((file) => ({ file })));
  if (readStamp(stampFile).key === key && existsSync(join(OUT, 'tfjs_binding.node'))) return false;
  const compiler = await findCompiler();
  if (compiler === undefined) return noCompiler();
  const why = await attempt('addon', hashOf(key, compiler), () => compileAddon(compiler, library), { again });
  if (why !== undefined) {
    lacks("TensorFlow's addon", { why, mend: `see ${at('.run/addon.log')}, then npm run setup`, instead: INSTEAD });
    return false;
  }
  writeStamp(stampFile, { key });
  return true;
}

async function noCompiler() {
  if ((await findCompiler()) === undefined) {
    const mend = 'apt-get install g++ (or set CXX), then npm run setup';
    lacks('a C++ compiler', { why: 'none of CXX, g++, c++, clang++ works', mend, instead: INSTEAD });
  }
  return false;
}

/** TensorFlow's folder in the venv, where it has what the addon links to. */
export function libraryFolder() {
  const packages = sitePackages();
  const folder = packages && join(packages, 'tensorflow');
  return folder && existsSync(join(folder, 'libtensorflow_cc.so.2')) ? folder : undefined;
}

const sources = () => filesUnder(join(PACKAGE, 'binding'), ['.cc', '.h']);

/** Compiles addon and loader under temporary names, proves that they load, renames. @returns why not, if not */
async function compileAddon(compiler, library) {
  const headers = nodeHeaders();
  if (headers === undefined) return "Node's headers (node_api.h) were found nowhere";
  const shared = ['-O2', '-fPIC', '-shared', '-std=c++17', '-DNAPI_VERSION=8', `-I${headers}`];
  const trial = join(PACKAGE, 'lib', `trial-${process.pid}`);
  mkdirSync(trial, { recursive: true });
  // Relative to the addon, so that the project may be moved. The trial folder lies as deep as the real one.
  const rpath = `-Wl,-rpath,$ORIGIN/${relative(OUT, library)}`;
  const addon = [
    ...shared,
    ...[`-I${library}/include`, `-I${PACKAGE}`, `-I${join(PACKAGE, '..')}`],
    ...[...sources(), CLUSTER].filter((file) => file.endsWith('.cc')),
    '-Wl,--wrap=TFE_NewContext,--wrap=TFE_Execute', // cluster.cc
    ...['-o', join(trial, 'libtfjs_addon.so'), `-L${library}`],
    ...['-l:libtensorflow_cc.so.2', '-l:libtensorflow_framework.so.2', rpath],
  ];
  // As C: a C++ compiler would ask for the exception specification of the system's own `bind`.
  const loopback = ['-O2', '-fPIC', '-shared', '-x', 'c', LOOPBACK, '-o', join(trial, 'libsidlab_loopback.so'), '-ldl'];
  const loader = [...shared, LOADER, '-o', join(trial, 'tfjs_binding.node'), '-ldl'];
  try {
    for (const args of [addon, loader, loopback]) {
      const { ok, output } = await quietly('addon', compiler, args);
      if (!ok) return reasonIn(output);
    }
    const load = await quietly('addon', process.execPath, [
      '-e',
      'require(process.argv[1])',
      join(trial, basename('tfjs_binding.node')),
    ]);
    if (!load.ok) return `it does not load: ${reasonIn(load.output)}`;
    rmSync(OUT, { recursive: true, force: true });
    renameSync(trial, OUT);
    return undefined;
  } finally {
    rmSync(trial, { recursive: true, force: true });
  }
}

/** Whether the addon is complete. */
export const hasAddon = () => existsSync(join(OUT, 'tfjs_binding.node'));
