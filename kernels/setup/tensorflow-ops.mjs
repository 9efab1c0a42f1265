/**
 * The fused operations of the `tensorflow` engine (kernels/tensorflow/ops), compiled for the processor of this machine.
 * Without them the same mathematics is composed of TensorFlow's own operations.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { cpus } from 'node:os';
import { join, relative } from 'node:path';
import { attempt } from './attempt.mjs';
import { findCompiler, nodeHeaders } from './compiler.mjs';
import { at } from './paths.mjs';
import { lacks } from './report.mjs';
import { quietly, reasonIn } from './run.mjs';
import { filesUnder, hashOf, readStamp, writeStamp } from './stamp.mjs';
import { hasAddon, libraryFolder } from './tensorflow.mjs';

const SOURCES = at('kernels/tensorflow/ops');
const LIB = at('node_modules/@tensorflow/tfjs-node-gpu/lib');
const OUT = join(LIB, 'sidlab-ops');
const OPTIMIZED = ['-O3', '-fno-math-errno', '-fno-trapping-math'];
/** The first that works: not every compiler knows the processor, or has OpenMP. */
const TRIES = [['-march=native', '-fopenmp'], ['-march=native'], []];

/** @returns true if they were compiled */
export async function buildOps({ again }) {
  const library = libraryFolder();
  if (library === undefined || !hasAddon()) return false; // said already
  const stampFile = join(OUT, '.stamp.json');
  const key = hashOf(library, processor(), ...filesUnder(SOURCES, ['.cc', '.h']).map((file) => ({ file })));
  if (readStamp(stampFile).key === key && existsSync(join(OUT, 'ops.node'))) return false;
  rmSync(OUT, { recursive: true, force: true }); // another processor may not know its instructions
  const compiler = await findCompiler();
  if (compiler === undefined) return false;
  const why = await attempt('ops', hashOf(key, compiler), () => compile(compiler, library), { again });
  if (why !== undefined) {
    const mend = `see ${at('.run/ops.log')}, then npm run setup`;
    lacks('the fused operations', { why, mend, instead: 'training takes about half as long again' });
    return false;
  }
  writeStamp(stampFile, { key });
  return true;
}

/** What `-march=native` decides by. */
function processor() {
  const file = '/proc/cpuinfo';
  const flags = existsSync(file) ? (/^flags\s*:.*$/m.exec(readFileSync(file, 'utf8'))?.[0] ?? '') : '';
  return `${cpus()[0]?.model} ${flags}`;
}

/**
 * Arguments of the compiler that make the addon `file` of the sources.
 * @param {string} file @param {{ library: string, headers: string, flags: string[], rpath: string, sources?: string[] }} options
 *   `library` is TensorFlow's folder, `rpath` where the addon looks for it, `sources` default all
 */
export function compilerArgs(file, { library, headers, flags, rpath, sources = filesUnder(SOURCES, ['.cc']) }) {
  return [
    ...['-fPIC', '-shared', '-std=c++17', '-DNAPI_VERSION=8', ...flags],
    ...[`-I${headers}`, '-isystem', `${library}/include`, ...sources, '-o', file],
    ...[`-L${library}`, '-l:libtensorflow_cc.so.2', '-l:libtensorflow_framework.so.2', `-Wl,-rpath,${rpath}`],
  ];
}

/** Compiles under a temporary name, proves that it loads, renames. @returns why not, if not */
async function compile(compiler, library) {
  const headers = nodeHeaders();
  if (headers === undefined) return "Node's headers (node_api.h) were found nowhere";
  const trial = join(LIB, `trial-ops-${process.pid}`);
  mkdirSync(trial, { recursive: true });
  const file = join(trial, 'ops.node');
  const rpath = `$ORIGIN/${relative(OUT, library)}`;
  try {
    let output = '';
    for (const flags of TRIES) {
      const args = compilerArgs(file, { library, headers, flags: [...OPTIMIZED, ...flags], rpath });
      const compiled = await quietly('ops', compiler, args);
      const load = compiled.ok && (await quietly('ops', process.execPath, ['-e', 'require(process.argv[1])', file]));
      if (load && load.ok) {
        renameSync(trial, OUT);
        return undefined;
      }
      output = load ? load.output : compiled.output;
    }
    return reasonIn(output);
  } finally {
    rmSync(trial, { recursive: true, force: true });
  }
}
