/**
 * The fused face of `lib/ops` on the `tensorflow` engine: operations of ours in TensorFlow's own registry
 * (`kernels/tensorflow/ops`, compiled by the set-up), each as a kernel of TensorFlow.js under the same name.
 *
 * Here is only the marshalling: `lib/ops` asks TensorFlow.js for a kernel of that name and computes the plain way where
 * there is none (another engine, a GPU, no compiler, `SIDLAB_KERNELS=plain`).
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as tf from '@tensorflow/tfjs';

const require = createRequire(import.meta.url);
const BACKEND = 'tensorflow';

/** Outputs of each operation. */
const OUTPUTS: Readonly<Record<string, number>> = {
  SidlabAdamW: 1,
  SidlabAddRows: 1,
  SidlabBalancedAssign: 2,
  SidlabBalancedKmeans: 3,
  SidlabForestAttention: 2,
  SidlabForestAttentionGrad: 3,
  SidlabKmeansRounds: 3,
  SidlabReadTensor: 1,
  SidlabRmsNorm: 2,
  SidlabRmsNormGrad: 2,
  SidlabRotary: 1,
  SidlabSquareSum: 1,
  SidlabSwiglu: 1,
  SidlabSwigluGrad: 2,
  SidlabTargetLogProbs: 2,
  SidlabTargetLogProbsGrad: 1,
};

export const NATIVE_OPS: readonly string[] = Object.keys(OUTPUTS);

/** What this needs of the package's backend. */
interface NodeBackend {
  isUsingGpuDevice: boolean;
  executeMultipleOutputs(name: string, attributes: [], inputs: tf.TensorInfo[], outputs: number): tf.TensorInfo[];
}

/** Registers what can be: nothing where `missingNativeOps` says why. Safe to call again. */
export function registerNativeOps(): void {
  if (missingNativeOps() !== undefined) return;
  const backend = tf.findBackend(BACKEND) as unknown as NodeBackend;
  // The operations' addon finds TensorFlow loaded already.
  process.env.OMP_WAIT_POLICY ??= 'passive'; // its threads share the cores with TensorFlow's
  require(addonFile());
  for (const [kernelName, outputs] of Object.entries(OUTPUTS)) {
    if (tf.getKernel(kernelName, BACKEND)) continue;
    tf.registerKernel({
      kernelName,
      backendName: BACKEND,
      kernelFunc: ({ inputs }) =>
        backend.executeMultipleOutputs(kernelName, [], Object.values(inputs) as tf.TensorInfo[], outputs),
    });
  }
}

/** @returns why the `tensorflow` engine computes without them, undefined where it has them */
export function missingNativeOps(): string | undefined {
  if (process.env.SIDLAB_KERNELS === 'plain') return 'SIDLAB_KERNELS=plain';
  if ((tf.findBackend(BACKEND) as unknown as NodeBackend).isUsingGpuDevice) return 'for processors; a GPU is in use';
  return existsSync(addonFile()) ? undefined : 'not compiled';
}

function addonFile(): string {
  return join(dirname(require.resolve('@tensorflow/tfjs-node-gpu/package.json')), 'lib/sidlab-ops/ops.node');
}

/** The plain face from here on: for tests, which compare the two. */
export function unregisterNativeOps(): void {
  for (const name of NATIVE_OPS) if (tf.getKernel(name, BACKEND)) tf.unregisterKernel(name, BACKEND);
}
