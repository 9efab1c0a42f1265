/**
 * Says which engine computes, on what, how fast, and what is missing.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { type ChosenPrecision, choosePrecision, type PrecisionRates } from './choose-precision.js';
import { type EngineName, useEngine } from './engine.js';
import { forwardedKernels } from './forward-to-cpu.js';
import { installed, type Installed } from './installed.js';
import { matMulRates, type Rates } from './matmul-rates.js';
import { missingNativeOps } from './native-ops.js';

/** What `doctor` finds: the engine that computes, its speed, and what is missing. */
export interface DoctorReport extends Omit<Installed, 'torch'> {
  /** The engine that computes. */
  backend: EngineName;
  /** Model of the GPU or CPU that it computes on. */
  device: string;
  /** Of the products of a model of Qwen2.5-0.5B's widths where `--precision auto` chooses; all else is float32 at least. */
  precision: ChosenPrecision['precision'];
  /** Why, in a line. */
  precisionWhy: string;
  /** GFLOP/s of such a product in each precision, rounding included; absent on engines that have one. */
  precisionRates?: PrecisionRates;
  /** That the engine computes with. */
  threads: number;
  /** Version of Node. */
  node: string;
  /** Version of PyTorch in the venv, null without one. */
  torch: string | null;
  /** `native`: how many kernels the engine runs itself; `fallback`: names of those that run on `cpu` in its stead. */
  kernels: { native: number; fallback: string[] };
  /** Matrix products in float32, measured now. */
  gflops: Rates;
  /** One line a thing that could be had and is not, with the mend. */
  missing: string[];
}

/** Options of `doctor`. */
export interface DoctorOptions {
  /** `auto` or one of `ENGINES`. Default `SIDLAB_BACKEND`, else `auto`. */
  engine?: string;
  /** Time to spend on measuring, seconds. Default 1. */
  seconds?: number;
}

/** @throws InputError if the engine that was asked for does not load */
export async function doctor({ engine, seconds = 1 }: DoctorOptions = {}): Promise<DoctorReport> {
  const backend = await useEngine(engine);
  const versions = installed();
  const fallback = forwardedKernels(backend);
  const { precision, why, rates } = choosePrecision('auto', { width: 896, feedForward: 4864 });
  return {
    backend,
    device: deviceName(),
    precision,
    precisionWhy: why,
    ...(rates && { precisionRates: rates }),
    threads: backend === 'tensorflow' ? threadsOfTensorflow() : 1,
    node: process.versions.node,
    ...versions,
    kernels: { native: tf.getKernelsForBackend(backend).length - fallback.length, fallback },
    gflops: matMulRates({ seconds }),
    missing: missing(backend, versions),
  };
}

function threadsOfTensorflow(): number {
  return Number(process.env.TF_NUM_INTRAOP_THREADS) || availableParallelism();
}

/** What the engine that runs computes on: the GPU's name or the processor's. */
export function deviceName(): string {
  return nvidiaGpu() ?? cpus()[0]?.model.trim() ?? 'unknown';
}

/** The first NVIDIA GPU's name, where TensorFlow runs on it. */
function nvidiaGpu(): string | undefined {
  const { isUsingGpuDevice } = tf.backend() as { isUsingGpuDevice?: boolean };
  if (isUsingGpuDevice !== true) return undefined;
  const folder = '/proc/driver/nvidia/gpus';
  const first = existsSync(folder) ? readdirSync(folder)[0] : undefined;
  const text = first === undefined ? '' : readFileSync(join(folder, first, 'information'), 'utf8');
  return /^Model:\s*(.+)$/m.exec(text)?.[1] ?? 'NVIDIA GPU';
}

function missing(backend: EngineName, { python, jupyterlab, tensorflow }: Installed): string[] {
  const mend = 'npm run setup says why';
  const lines: string[] = [];
  if (python === null) lines.push(`Python venv: install Python 3.10 to 3.13 with venv; ${mend}`);
  if (python !== null && jupyterlab === null) lines.push(`JupyterLab: give pip an index that it reaches; ${mend}`);
  if (backend !== 'tensorflow') {
    const what = tensorflow === null ? 'TensorFlow: give pip an index that it reaches and install g++' : '';
    lines.push(`${what || "TensorFlow's addon: install g++, or unset SIDLAB_BACKEND"}; ${mend}`);
  }
  const ops = backend === 'tensorflow' && nvidiaGpu() === undefined ? missingNativeOps() : undefined;
  if (ops !== undefined) lines.push(`the fused operations (${ops}); ${mend}`);
  return lines;
}
