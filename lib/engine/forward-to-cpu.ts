/**
 * Kernels that an engine lacks, run on TensorFlow.js's own `cpu` kernels: the inputs are copied there, the outputs back.
 *
 * A `cpu` kernel cannot simply be registered under another backend's name: it looks for its data in the `cpu` backend.
 * Nothing with complex numbers is forwarded: other backends keep them as two tensors of their own.
 */
import * as tf from '@tensorflow/tfjs';

const COMPLEX = new Set(['Complex', 'ComplexAbs', 'FFT', 'IFFT', 'Imag', 'Real']);
const forwarded = new Map<string, string[]>();

/**
 * Registers, for every kernel that `cpu` has and `backend` lacks, one that forwards to `cpu`. Safe to call again.
 * @returns names of all forwarded kernels, in order of the alphabet
 */
export function forwardMissingKernels(backend: string): string[] {
  const own = new Set(tf.getKernelsForBackend(backend).map(({ kernelName }) => kernelName));
  const missing = tf
    .getKernelsForBackend('cpu')
    .filter(({ kernelName }) => !own.has(kernelName) && !COMPLEX.has(kernelName));
  for (const kernel of missing) tf.registerKernel(forwarding(kernel, backend));
  const names = [...forwardedKernels(backend), ...missing.map(({ kernelName }) => kernelName)].sort();
  forwarded.set(backend, names);
  return names;
}

/** Names of the kernels that run on `cpu` in `backend`'s stead; empty where none does. */
export function forwardedKernels(backend: string): string[] {
  return forwarded.get(backend) ?? [];
}

interface Storage extends tf.KernelBackend {
  write(values: tf.backend_util.BackendValues, shape: number[], dtype: tf.DataType): object;
  readSync(dataId: object): tf.backend_util.BackendValues;
  disposeData(dataId: object, force?: boolean): boolean;
}

function forwarding({ kernelName, kernelFunc }: tf.KernelConfig, backendName: string): tf.KernelConfig {
  return {
    kernelName,
    backendName,
    kernelFunc: ({ inputs, attrs, backend }) => {
      const here = backend as Storage;
      const cpu = tf.findBackend('cpu') as Storage;
      const copies: tf.TensorInfo[] = [];
      const toCpu = (info: tf.TensorInfo): tf.TensorInfo => {
        const copy = move(info, here, cpu);
        copies.push(copy);
        return copy;
      };
      const fromCpu = (info: tf.TensorInfo): tf.TensorInfo => {
        if (!copies.includes(info)) copies.push(info);
        return move(info, cpu, here);
      };
      try {
        const there = mapValues(inputs as Inputs, (input) => input && each(input, toCpu)) as tf.NamedTensorInfoMap;
        return each(kernelFunc({ inputs: there, attrs, backend: cpu }), fromCpu);
      } finally {
        for (const { dataId } of copies) cpu.disposeData(dataId, true);
      }
    },
  };
}

type OneOrMany = tf.TensorInfo | tf.TensorInfo[];

/** By name; some kernels (Einsum, Concat) take an array instead. */
type Inputs = Record<string, OneOrMany | undefined> | (OneOrMany | undefined)[];

function mapValues(inputs: Inputs, map: (input: OneOrMany | undefined) => OneOrMany | undefined): Inputs {
  if (Array.isArray(inputs)) return inputs.map(map);
  return Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, map(input)]));
}

function each(infos: OneOrMany, map: (info: tf.TensorInfo) => tf.TensorInfo): OneOrMany {
  return Array.isArray(infos) ? infos.map(map) : map(infos);
}

/** A copy of a tensor's values in another backend. */
function move({ dataId, shape, dtype }: tf.TensorInfo, from: Storage, to: Storage): tf.TensorInfo {
  if (dtype === 'complex64') throw new Error('forwardMissingKernels: expected real tensors, got complex64');
  const values = from.readSync(dataId);
  // wasm hands out a view of its own memory, which the next allocation may move.
  const own = ArrayBuffer.isView(values) ? values.slice() : values;
  return { dataId: to.write(own as tf.backend_util.BackendValues, shape, dtype), shape, dtype };
}
