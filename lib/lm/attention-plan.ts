/**
 * What attention needs to know of a forest: the runs of nodes that each node sees, or blocks of padded trees, trees of
 * like length together, so that padding is cheap.
 */
import * as tf from '@tensorflow/tfjs';
import { type AttentionBlock, type AttentionPlan, HIDDEN } from '../ops/forest-attention.js';
import { hasFused } from '../ops/fused.js';
import type { Forest } from './forest.js';

/** What a block costs beside its score products, in scores of one head: some twenty kernel calls. */
const BLOCK_COST = 40_000;

interface Span {
  start: number;
  length: number;
}

/** The cheapest plan for a forest; the caller owns its tensors (`disposePlan`). */
export function planAttention(forest: Forest): AttentionPlan {
  if (hasFused('SidlabForestAttention')) {
    const { runStart, runs } = ancestorRuns(forest);
    return {
      spans: {
        runStart: tf.tensor1d(runStart, 'int32'),
        runs: tf.tensor2d(runs, [runs.length / 2, 2], 'int32'),
        starts: tf.tensor1d([...forest.starts, forest.token.length], 'int32'),
      },
    };
  }
  const spans = forest.starts
    .map((start, t) => ({ start, length: (forest.starts[t + 1] ?? forest.token.length) - start }))
    .sort((a, b) => a.length - b.length);
  const place = new Int32Array(forest.token.length);
  let places = 0;
  const blocks = group(spans).map((block) => {
    const length = block[block.length - 1]!.length;
    const gather = new Int32Array(block.length * length);
    block.forEach((span, b) => {
      for (let i = 0; i < span.length; i++) {
        gather[b * length + i] = span.start + i;
        place[span.start + i] = places + b * length + i;
      }
    });
    places += gather.length;
    return toBlock(forest, block, length, gather);
  });
  return { blocks, place: tf.tensor1d(place, 'int32') };
}

/** Frees a plan's tensors. */
export function disposePlan(plan: AttentionPlan): void {
  if (plan.spans) return tf.dispose([plan.spans.runStart, plan.spans.runs, plan.spans.starts]);
  const blocks = plan.blocks.flatMap(({ gather, mask, real }) => (real ? [gather, mask, real] : [gather, mask]));
  tf.dispose([plan.place, ...blocks]);
}

/**
 * What each node sees, as runs of nodes in ascending order, the last of which ends with itself. A node that follows its
 * parent lengthens its last run; any other begins one.
 * @returns `runStart` [N + 1], first of each node's runs, and `runs` [R * 2], begin and end of each
 */
export function ancestorRuns({ parent }: Forest): { runStart: Int32Array; runs: Int32Array } {
  const runStart = new Int32Array(parent.length + 1);
  parent.forEach((of, i) => {
    const inherited = of < 0 ? 0 : runStart[of + 1]! - runStart[of]!;
    runStart[i + 1] = runStart[i]! + inherited + (of >= 0 && of === i - 1 ? 0 : 1);
  });
  const runs = new Int32Array(2 * runStart[parent.length]!);
  parent.forEach((of, i) => {
    const end = 2 * runStart[i + 1]!;
    if (of >= 0) runs.copyWithin(2 * runStart[i]!, 2 * runStart[of]!, 2 * runStart[of + 1]!);
    if (of < 0 || of !== i - 1) runs[end - 2] = i;
    runs[end - 1] = i + 1;
  });
  return { runStart, runs };
}

/** Spans in ascending length, split where scores and blocks together cost least (every split of the lengths is tried). */
function group(spans: Span[]): Span[][] {
  const ends = [0]; // where spans of one length end
  spans.forEach((span, i) => {
    if (span.length !== spans[i + 1]?.length) ends.push(i + 1);
  });
  const best = [0]; // cost of the first so many lengths
  const from = [0]; // where their last block begins
  for (let e = 1; e < ends.length; e++) {
    const length = spans[ends[e]! - 1]!.length;
    best[e] = Infinity;
    for (let b = 0; b < e; b++) {
      const cost = best[b]! + BLOCK_COST + (ends[e]! - ends[b]!) * length * length;
      if (cost < best[e]!) [best[e], from[e]] = [cost, b];
    }
  }
  const blocks: Span[][] = [];
  for (let e = ends.length - 1; e > 0; e = from[e]!) blocks.unshift(spans.slice(ends[from[e]!]!, ends[e]!));
  return blocks;
}

function toBlock(forest: Forest, spans: Span[], length: number, gather: Int32Array): AttentionBlock {
  const padded = spans.some((span) => span.length < length);
  const chains = spans.every((span) => isChain(forest, span));
  const real = padded ? spans.flatMap((s) => Array.from({ length }, (_, i) => (i < s.length ? 1 : 0))) : undefined;
  const masks = chains ? 1 : spans.length;
  const mask = new Float32Array(masks * length * length).fill(HIDDEN);
  for (let b = 0; b < masks; b++) {
    const span = spans[b]!;
    for (let i = 0; i < length; i++) {
      const row = (b * length + i) * length;
      if (chains) mask.fill(0, row, row + i + 1);
      else if (i >= span.length) mask[row + i] = 0;
      else for (let a = span.start + i; a >= 0; a = forest.parent[a]!) mask[row + a - span.start] = 0;
    }
  }
  return {
    trees: spans.length,
    length,
    gather: tf.tensor1d(gather, 'int32'),
    mask: tf.tensor4d(mask, [masks, 1, length, length]),
    ...(real && { real: tf.tensor3d(real, [real.length, 1, 1]) }),
  };
}

function isChain(forest: Forest, { start, length }: Span): boolean {
  for (let i = 1; i < length; i++) if (forest.parent[start + i] !== start + i - 1) return false;
  return true;
}
