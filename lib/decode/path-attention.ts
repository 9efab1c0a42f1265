/**
 * Attention of a step's new nodes on their paths, the fused implementation (`kernels/tensorflow/ops/path_attention.cc`):
 * the prompts' keys and values stay as the forest's pass left them, and what a node sees is a few runs of nodes.
 */
import * as tf from '@tensorflow/tfjs';
import { ancestorRuns } from '../lm/attention-plan.js';
import type { Forest } from '../lm/forest.js';
import { runFused } from '../ops/fused.js';
import type { LayerNodes } from './prefill.js';
import type { StepAttention, StepAttentions } from './step-attention.js';

/** The prompts' keys and values, a node a row. */
export class PathAttention implements StepAttentions {
  /** Runs of every node of the prompts. */
  private readonly prompts: { runStart: Int32Array; runs: Int32Array };

  /** @param layers given up */
  constructor(
    private readonly layers: readonly LayerNodes[],
    forest: Forest,
  ) {
    this.prompts = ancestorRuns(forest);
  }

  plan(parent: readonly number[], first: number, grown: number): StepAttention {
    const { runStart, runs } = pathRuns(this.prompts, parent, first, grown);
    const start = tf.tensor1d(runStart, 'int32');
    const seen = tf.tensor2d(runs, [runs.length / 2, 2], 'int32');
    return (layer, q, { keys, values }) => {
      const prompts = this.layers[layer]!;
      const inputs = [q, prompts.keys, prompts.values, keys, values, start, seen];
      return runFused('SidlabPathAttention', inputs)[0] as tf.Tensor2D;
    };
  }

  dispose(): void {
    for (const { keys, values } of this.layers) tf.dispose([keys, values]);
  }
}

/** Runs of the nodes from `first` on: those of the prompt's end, then those of the grown ancestors. */
function pathRuns(
  prompts: { runStart: Int32Array; runs: Int32Array },
  parent: readonly number[],
  first: number,
  grown: number,
): { runStart: Int32Array; runs: Int32Array } {
  const runStart = [0];
  const runs: number[] = [];
  for (let node = first; node < parent.length; node++) {
    const line: number[] = []; // grown ancestors and the node itself, the last one first
    let at = node;
    for (; at >= grown; at = parent[at]!) line.push(at);
    for (let r = 2 * prompts.runStart[at]!; r < 2 * prompts.runStart[at + 1]!; r++) runs.push(prompts.runs[r]!);
    for (let i = line.length - 1; i >= 0; i--) {
      const of = line[i]!;
      if (i < line.length - 1 && runs.at(-1) === of) runs[runs.length - 1] = of + 1;
      else runs.push(of, of + 1);
    }
    runStart.push(runs.length / 2);
  }
  return { runStart: Int32Array.from(runStart), runs: Int32Array.from(runs) };
}
