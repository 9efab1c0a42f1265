/**
 * The fused implementations of `lib/ops` on the `tensorflow` engine: operations of ours in TensorFlow's own registry
 * (`kernels/tensorflow/ops`, compiled by the set-up), each as a kernel of TensorFlow.js under the same name.
 *
 * Here is only the marshalling: `lib/ops` asks TensorFlow.js for a kernel of that name and uses the plain implementation
 * where there is none (another engine, a GPU, no compiler, `SIDLAB_KERNELS=plain`). The operations check their inputs
 * themselves; what they refuse becomes an Error that begins with the operation's name.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as tf from '@tensorflow/tfjs';

const require = createRequire(import.meta.url);
const BACKEND = 'tensorflow';

/** Number of outputs of each operation. */
const OUTPUTS: Readonly<Record<string, number>> = {
  SidlabAdamW: 4,
  SidlabAdamWBfloat16: 4,
  SidlabAddRows: 1,
  SidlabBalancedAssign: 2,
  SidlabBalancedKmeans: 3,
  SidlabDropoutMask: 2,
  SidlabForestAttention: 2,
  SidlabForestAttentionGrad: 3,
  SidlabGruCell: 2,
  SidlabGruCellGrad: 3,
  SidlabKmeansRounds: 3,
  SidlabLayerNorm: 3,
  SidlabLayerNormGrad: 3,
  SidlabReadBfloat16: 1,
  SidlabLegalScores: 1,
  SidlabLegalScoresGrad: 2,
  SidlabMatMulNN: 1,
  SidlabMatMulNT: 1,
  SidlabMatMulTN: 1,
  SidlabMatMulTT: 1,
  SidlabPathAttention: 1,
  SidlabReadTensor: 1,
  SidlabRmsNorm: 2,
  SidlabRmsNormGrad: 2,
  SidlabRotary: 1,
  SidlabSequenceAttention: 3,
  SidlabSequenceAttentionGrad: 4,
  SidlabSquareSum: 1,
  SidlabSquareSumBfloat16: 1,
  SidlabSwiglu: 1,
  SidlabSwigluBfloat16: 1,
  SidlabSwigluBfloat16Grad: 2,
  SidlabSwigluGrad: 2,
  SidlabTargetLogProbs: 2,
  SidlabTargetLogProbsGrad: 1,
};

/** Names of all operations, in alphabetical order. */
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
      kernelFunc: ({ inputs }) => {
        try {
          return backend.executeMultipleOutputs(kernelName, [], Object.values(inputs) as tf.TensorInfo[], outputs);
        } catch (error) {
          throw new Error(messageOf(kernelName, error));
        }
      },
    });
  }
}

/** The operation's own line, without what tfjs-node and TensorFlow put around it. */
function messageOf(kernelName: string, error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const line = text.replace(/^Invalid TF_Status: \d+\s*Message: /, '').split('\n')[0]!;
  const own = line.indexOf(`${kernelName}: `);
  return own < 0 ? `${kernelName}: ${line}` : line.slice(own);
}

/** @returns why the `tensorflow` engine computes without them, undefined where it has them */
export function missingNativeOps(): string | undefined {
  if (process.env.SIDLAB_KERNELS === 'plain') return 'SIDLAB_KERNELS=plain';
  const backend = tf.findBackend(BACKEND) as unknown as NodeBackend | null;
  if (!backend) return 'the tensorflow engine is not loaded';
  if (backend.isUsingGpuDevice) return 'for processors; a GPU is in use';
  return existsSync(addonFile()) ? undefined : 'not compiled';
}

/** `SIDLAB_OPS_ADDON` names another build of the addon, such as the one with sanitizers. */
function addonFile(): string {
  return (
    process.env.SIDLAB_OPS_ADDON ??
    join(dirname(require.resolve('@tensorflow/tfjs-node-gpu/package.json')), 'lib/sidlab-ops/ops.node')
  );
}

/** The plain implementations from here on: for tests, which compare the two. */
export function unregisterNativeOps(): void {
  for (const name of NATIVE_OPS) if (tf.getKernel(name, BACKEND)) tf.unregisterKernel(name, BACKEND);
}
