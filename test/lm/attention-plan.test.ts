/** Plans of attention: what every node sees, as runs and as blocks, and which blocks are cheapest. */
import * as tf from '@tensorflow/tfjs';
import fc from '../fast-check.js';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import { registerNativeOps, unregisterNativeOps } from '../../lib/engine/native-ops.js';
import { disposePlan, planAttention } from '../../lib/lm/attention-plan.js';
import { chain, type Forest, packTrees, prefixTree, type Tree } from '../../lib/lm/forest.js';
import type { AttentionBlocks } from '../../lib/ops/forest-attention.js';
import { hasFused } from '../../lib/ops/fused.js';

let native = false;
beforeAll(async () => {
  await useEngine();
  native = hasFused('SidlabForestAttention');
});
afterEach(() => void (native && registerNativeOps()));

const words = (length: number): number[] => new Array<number>(length).fill(0);

/** A node and its ancestors, from the root on. */
function seenBy({ parent }: Forest, node: number): number[] {
  const seen: number[] = [];
  for (let a = node; a >= 0; a = parent[a]!) seen.unshift(a);
  return seen;
}

test('where the engine has the operation: the runs, and where trees begin and end', () => {
  if (!native) return;
  const plan = planAttention(packTrees([prefixTree([1, 2], [[3], [4, 5]]), chain([6])]));
  expect([...plan.spans!.runStart.dataSync()]).toEqual([0, 1, 2, 3, 5, 7, 8]);
  const runs = [[0, 1], [0, 2], [0, 3], [0, 2], [3, 4], [0, 2], [3, 5], [5, 6]]; // prettier-ignore
  expect(plan.spans!.runs.arraySync()).toEqual(runs);
  expect(plan.spans!.starts.arraySync()).toEqual([0, 5, 6]);
  disposePlan(plan);
});

describe('blocks', () => {
  function plain(forest: Forest): AttentionBlocks {
    if (native) unregisterNativeOps();
    return planAttention(forest) as AttentionBlocks;
  }

  /** Any tree: a node hangs on one before it. */
  const tree = fc
    .integer({ min: 1, max: 9 })
    .chain((size) =>
      fc
        .tuple(
          ...Array.from({ length: size }, (_, i) => (i === 0 ? fc.constant(-1) : fc.integer({ min: 0, max: i - 1 }))),
        )
        .map((parent): Tree => ({ token: words(size), parent })),
    );

  test('every node has a place, sees itself and its ancestors there, and padding is marked', () => {
    const forests = fc.array(
      fc.oneof(
        tree,
        fc.integer({ min: 1, max: 9 }).map((n) => chain(words(n))),
      ),
      { minLength: 1, maxLength: 6 },
    );
    fc.assert(
      fc.property(forests, (trees) => {
        const forest = packTrees(trees);
        const { blocks, place } = plain(forest);
        const gathered: number[] = [];
        const seen: number[][] = [];
        for (const { trees, length, gather, mask, real } of blocks) {
          const [masks, one, rows, columns] = mask.shape;
          expect([one, rows, columns]).toEqual([1, length, length]);
          expect([1, trees]).toContain(masks);
          const at = gather.dataSync();
          const hidden = mask.dataSync();
          const marks = real?.dataSync();
          expect(real?.shape ?? [trees * length, 1, 1]).toEqual([trees * length, 1, 1]);
          expect(at).toHaveLength(trees * length);
          for (let b = 0; b < trees; b++) {
            for (let i = 0; i < length; i++) {
              const row = ((masks === 1 ? 0 : b) * length + i) * length;
              const columnsOf = [...Array(length).keys()].filter((j) => hidden[row + j] === 0);
              gathered.push(marks && marks[b * length + i] === 0 ? -1 : at[b * length + i]!);
              seen.push(columnsOf.map((j) => at[b * length + j]!));
              expect(columnsOf.length).toBeGreaterThan(0); // a softmax over something
              for (let j = 0; j < length; j++) expect([0, -1e9]).toContain(hidden[row + j]);
            }
          }
        }
        const places = [...place.dataSync()];
        expect(gathered.filter((node) => node >= 0)).toHaveLength(forest.token.length);
        places.forEach((at, node) => {
          expect(gathered[at]).toBe(node);
          expect(seen[at]).toEqual(seenBy(forest, node));
        });
        disposePlan({ blocks, place });
      }),
    );
  });

  test('chains of one length share a mask, and nothing is padded', () => {
    const before = tf.memory().numTensors;
    const plan = plain(packTrees([chain(words(3)), chain(words(3))]));
    expect(plan.blocks).toHaveLength(1);
    expect(plan.blocks[0]!.mask.shape).toEqual([1, 1, 3, 3]);
    expect(plan.blocks[0]).not.toHaveProperty('real');
    expect([...plan.blocks[0]!.gather.dataSync()]).toEqual([0, 1, 2, 3, 4, 5]);
    disposePlan(plan);
    const padded = plain(packTrees([chain(words(3)), prefixTree([1], [[2], [3]]), chain(words(2))]));
    expect(padded.blocks.map(({ trees, length, mask }) => [trees, length, mask.shape[0]])).toEqual([[3, 3, 3]]);
    expect([...padded.blocks[0]!.gather.dataSync()]).toEqual([6, 7, 0, 0, 1, 2, 3, 4, 5]); // by length, then by place
    expect([...padded.blocks[0]!.real!.dataSync()]).toEqual([1, 1, 0, 1, 1, 1, 1, 1, 1]);
    disposePlan(padded);
    expect(tf.memory().numTensors).toBe(before);
  });

  const COST = 40_000;
  const costOf = (blocks: readonly (readonly number[])[]): number =>
    blocks.reduce((sum, block) => sum + COST + block.length * Math.max(...block) ** 2, 0);

  /** The cheapest way to cut sorted lengths, tried one by one; of equally cheap ones the fewest blocks. */
  function cheapest(sorted: readonly number[]): number {
    let best = Infinity;
    for (let cuts = 0; cuts < 2 ** (sorted.length - 1); cuts++) {
      const blocks: number[][] = [[]];
      sorted.forEach((length, i) => {
        blocks.at(-1)!.push(length);
        if (i < sorted.length - 1 && (cuts >> i) & 1) blocks.push([]);
      });
      best = Math.min(best, costOf(blocks));
    }
    return best;
  }

  test('cost as little as any cut of the lengths', () => {
    const lengths = fc.array(fc.constantFrom(2, 30, 120, 190, 200, 240, 300), { minLength: 1, maxLength: 7 });
    fc.assert(
      fc.property(lengths, (lengths) => {
        const plan = plain(packTrees(lengths.map((length) => chain(words(length)))));
        const blocks = plan.blocks.map(({ trees, length }) => new Array<number>(trees).fill(length));
        disposePlan(plan);
        expect(costOf(blocks)).toBe(cheapest([...lengths].sort((a, b) => a - b)));
      }),
      { numRuns: 40 },
    );
  });

  test.each([
    [[150, 250], 1], // 250 ** 2 - 150 ** 2 = 40,000: what a block costs
    [[20, 201], 2], // 40,001
    [[20, 201, 20, 201], 2],
  ])('of lengths %j: %i', (lengths, count) => {
    const plan = plain(packTrees(lengths.map((length) => chain(words(length)))));
    expect(plan.blocks).toHaveLength(count);
    disposePlan(plan);
  });
});
