/**
 * The one file that chooses the tensor engine. Everything else in `lib` speaks the TensorFlow.js API and never asks
 * which backend runs.
 *
 * Choice: `SIDLAB_BACKEND`, else the best that loads of `tensorflow`, `wasm`, `cpu`. An engine that was asked for by
 * name and does not load is an error, never a silent fallback.
 */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import util from 'node:util';
import * as tf from '@tensorflow/tfjs';
import { InputError } from './support/errors.js';

export const ENGINES = ['tensorflow', 'wasm', 'cpu'] as const;
export type EngineName = (typeof ENGINES)[number];

const require = createRequire(import.meta.url);

/**
 * Loads an engine and makes it the backend of TensorFlow.js. Safe to call again.
 * @param name default `SIDLAB_BACKEND`, else the best that loads
 * @throws InputError if the named engine is unknown or does not load
 */
export async function useEngine(name: string | undefined = process.env.SIDLAB_BACKEND): Promise<EngineName> {
  const wanted = name === undefined || name === '' ? ENGINES : ENGINES.filter((engine) => engine === name);
  if (wanted.length === 0) {
    throw new InputError(`SIDLAB_BACKEND: expected one of ${ENGINES.join(', ')}, got ${name}`);
  }
  const failures: string[] = [];
  for (const engine of wanted) {
    const failure = await load(engine);
    if (failure === undefined) return engine;
    failures.push(`${engine}: ${failure}`);
  }
  throw new InputError(`no engine loads (${failures.join('; ')}); run npm run setup`);
}

/** @returns undefined when the engine runs, else why not */
async function load(engine: EngineName): Promise<string | undefined> {
  try {
    if (tf.getBackend() === engine) return undefined;
  } catch {
    // no backend has been chosen yet
  }
  try {
    if (engine === 'tensorflow') loadTensorflow();
    if (engine === 'wasm') loadWasm();
    if (!(await tf.setBackend(engine))) return 'its backend refused to start';
    await tf.ready();
    return tf.getBackend() === engine ? undefined : `TensorFlow.js fell back to ${tf.getBackend()}`;
  } catch (error) {
    return (error as Error).message.split('\n')[0];
  }
}

function loadTensorflow(): void {
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '2'; // TensorFlow's banners
  // The package still calls a helper that Node 23 dropped.
  const legacy = util as { isNullOrUndefined?: (value: unknown) => boolean };
  legacy.isNullOrUndefined ??= (value) => value === null || value === undefined;
  require('@tensorflow/tfjs-node-gpu');
}

function loadWasm(): void {
  const wasm = require('@tensorflow/tfjs-backend-wasm') as { setWasmPaths(folder: string): void };
  wasm.setWasmPaths(join(dirname(require.resolve('@tensorflow/tfjs-backend-wasm')), '/'));
  forwardMissingKernels();
}

/** Kernels that WebAssembly lacks and the kit needs run on TensorFlow.js's own `cpu` kernels. */
function forwardMissingKernels(): void {
  for (const kernelName of ['UnsortedSegmentSum', 'Einsum']) {
    if (tf.getKernel(kernelName, 'wasm')) continue;
    const kernel = tf.getKernel(kernelName, 'cpu');
    if (kernel) tf.registerKernel({ ...kernel, backendName: 'wasm' });
  }
}
