/**
 * What really ran: counts kernels while a piece of work runs, so that a test (and `doctor`) can tell the engine that
 * computes from the one that is named. TensorFlow.js falls back in silence, and asking it for its backend's name only
 * says what it believes.
 */
import * as tf from '@tensorflow/tfjs';
import { forwardedKernels } from './forward-to-cpu.js';

/** A result, and which kernels of TensorFlow.js computed it. */
export interface KernelCounts<T> {
  /** Of the work that was watched. */
  result: T;
  /** TensorFlow.js kernels that the engine ran itself: backend -> kernel -> calls. */
  own: Record<string, Record<string, number>>;
  /** Kernels that were forwarded to `cpu`: backend that lacks them -> kernel -> calls. */
  forwarded: Record<string, Record<string, number>>;
  /** Operations that reached TensorFlow's native library (its names): op -> calls. Empty on other engines. */
  native: Record<string, number>;
}

/**
 * Runs `work` with every registered kernel of every backend, and the native binding, counted. Costs a call a kernel
 * while it runs and nothing afterwards.
 */
export async function kernelCounts<T>(work: () => T | Promise<T>): Promise<KernelCounts<T>> {
  const counts: Omit<KernelCounts<T>, 'result'> = { own: {}, forwarded: {}, native: {} };
  const restore = [...countKernels(counts), countNative(counts.native)];
  try {
    return { result: await work(), ...counts };
  } finally {
    for (const undo of restore.reverse()) undo();
  }
}

function countKernels({ own, forwarded }: Pick<KernelCounts<unknown>, 'own' | 'forwarded'>): (() => void)[] {
  return Object.keys(tf.engine().registryFactory).flatMap((backend) => {
    const away = new Set(forwardedKernels(backend));
    return tf.getKernelsForBackend(backend).map((kernel) => {
      const { kernelName, kernelFunc } = kernel;
      const table = away.has(kernelName) ? forwarded : own;
      kernel.kernelFunc = (params) => {
        add((table[backend] ??= {}), kernelName);
        return kernelFunc(params);
      };
      return () => {
        kernel.kernelFunc = kernelFunc;
      };
    });
  });
}

interface Binding {
  executeOp(name: string, ...rest: unknown[]): unknown;
}

function countNative(native: Record<string, number>): () => void {
  const backend = tf.findBackend('tensorflow') as { binding?: Binding } | null;
  if (!backend?.binding) return () => {};
  const { binding } = backend;
  const executeOp = (name: string, ...rest: unknown[]): unknown => {
    add(native, name);
    return binding.executeOp(name, ...rest);
  };
  backend.binding = Object.create(binding, { executeOp: { value: executeOp } }) as Binding;
  return () => {
    backend.binding = binding;
  };
}

function add(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}
