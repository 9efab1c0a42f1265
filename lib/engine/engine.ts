/**
 * The one file that chooses the tensor engine. Everything else in `lib` speaks the TensorFlow.js API and never asks
 * which backend runs.
 *
 * Choice: `SIDLAB_BACKEND`, else (`auto`) the best that loads of `tensorflow`, `wasm`, `cpu`. An engine that was asked
 * for by name and does not load is an error; where the choice is ours and the best does not load, one line on standard
 * error says why and how to mend it. Never a silent fallback: `kernelCounts` tells what really ran.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import util from 'node:util';
import * as tf from '@tensorflow/tfjs';
import { InputError } from '../support/errors.js';
import { registerBfloat16 } from './bfloat16-kernels.js';
import { announceCluster, clusterConfig, hasJoined, joinError } from './cluster.js';
import { forwardMissingKernels } from './forward-to-cpu.js';
import { registerNativeOps } from './native-ops.js';
import { registerSmallProducts } from './small-products.js';

/** The engines, the fastest first. */
export const ENGINES = ['tensorflow', 'wasm', 'cpu'] as const;
/** A name of `ENGINES`. */
export type EngineName = (typeof ENGINES)[number];

const MEND = 'npm run setup says what is missing';
const require = createRequire(import.meta.url);
const told = new Set<string>();
let chosen: EngineName | undefined;

/**
 * Loads an engine and makes it the backend of TensorFlow.js. Safe to call again.
 * @param name `auto` or one of `ENGINES`; default `SIDLAB_BACKEND`, else `auto`
 * @returns the engine that runs
 * @throws InputError if the named engine is unknown or does not load, or does not join the cluster of `TF_CONFIG`
 */
export async function useEngine(name: string | undefined = process.env.SIDLAB_BACKEND): Promise<EngineName> {
  const auto = name === undefined || name === '' || name === 'auto';
  const wanted = auto ? ENGINES : ENGINES.filter((engine) => engine === name);
  if (wanted.length === 0) {
    throw new InputError(`SIDLAB_BACKEND: expected auto or one of ${ENGINES.join(', ')}, got ${name}`);
  }
  const cluster = clusterConfig();
  const failures: string[] = [];
  for (const engine of wanted) {
    if (cluster && engine !== 'tensorflow') throw joinError(cluster, `the ${engine} engine`);
    const failure = await load(engine);
    if (failure === undefined) {
      if (failures.length > 0) tellOnce(`no ${failures.join('; no ')}; computing on ${engine}, slower. Mend: ${MEND}`);
      return (chosen = engine);
    }
    failures.push(`${engine} engine (${failure})`);
    if (cluster) throw joinError(cluster, failure);
  }
  throw new InputError(
    `SIDLAB_BACKEND: no ${failures.join('; no ')}; ${MEND}, SIDLAB_BACKEND=auto takes what there is`,
  );
}

/** What every stage asks first: without `useEngine` TensorFlow.js would take its slowest backend, in silence. */
export async function ensureEngine(): Promise<void> {
  if (chosen === undefined) await useEngine();
}

/** @returns undefined when the engine runs, else why not */
async function load(engine: EngineName): Promise<string | undefined> {
  try {
    if (engine === 'tensorflow') loadTensorflow();
    if (engine === 'wasm') loadWasm();
    if (engine !== 'tensorflow') hushCpu();
    if (!(await tf.setBackend(engine))) return 'its backend refused to start';
    await tf.ready();
    return tf.getBackend() === engine ? undefined : `TensorFlow.js fell back to ${tf.getBackend()}`;
  } catch (error) {
    return reason(error);
  }
}

function loadTensorflow(): void {
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2'; // TensorFlow's banners
  // The package still calls helpers of Node's that newer versions warn of, or have dropped.
  const legacy = util as { isNullOrUndefined?: (value: unknown) => boolean; isArray?: (value: unknown) => boolean };
  legacy.isNullOrUndefined = (value) => value === null || value === undefined;
  legacy.isArray = Array.isArray; // deprecated since Node 22, which warns at every use
  announceCluster();
  require('@tensorflow/tfjs-node-gpu');
  if (clusterConfig() && !hasJoined()) throw new Error(`an addon that was built before it knew clusters; ${MEND}`);
  shareClones();
  registerBfloat16();
  registerNativeOps();
  registerSmallProducts();
}

/**
 * A clone shares its data, as on TensorFlow.js's other backends: the package computes an Identity for it, and the tape
 * clones every tensor that a gradient needs.
 */
function shareClones(): void {
  const identity = tf.getKernel('Identity', 'tensorflow');
  if (!identity) return;
  tf.unregisterKernel('Identity', 'tensorflow');
  tf.registerKernel({
    ...identity,
    kernelFunc({ inputs, backend }) {
      const { dataId, shape, dtype } = inputs.x as tf.TensorInfo;
      (backend as tf.KernelBackend).incRef(dataId);
      return { dataId, shape, dtype };
    },
  });
}

function loadWasm(): void {
  const wasm = require('@tensorflow/tfjs-backend-wasm') as { setWasmPaths(folder: string): void };
  // Its paths can be set only before its first start.
  if (!('wasm' in tf.engine().registry)) {
    wasm.setWasmPaths(join(dirname(require.resolve('@tensorflow/tfjs-backend-wasm')), '/'));
  }
  forwardMissingKernels('wasm');
}

/** TensorFlow.js's `cpu` greets its first tensor with an advertisement for the native engine. */
function hushCpu(): void {
  const cpu = tf.findBackend('cpu') as { firstUse?: boolean } | null;
  if (cpu) cpu.firstUse = false;
}

/** One line; the package's own message for a missing addon is a page that recommends what does not apply here. */
function reason(error: unknown): string {
  const message = (error instanceof Error ? error.message : String(error)).split('\n')[0]!.trim();
  return /native addon module .* can not be found/i.test(message) ? 'its addon is not built' : message;
}

function tellOnce(line: string): void {
  if (told.has(line)) return;
  told.add(line);
  process.stderr.write(`sidlab: ${line}\n`);
}
