/**
 * Memory of each of two processes that train Qwen2.5-0.5B's shape: weights, gradients and AdamW's moments, these split
 * between the two (ZeRO-1) beside whole. Gradients are all there at once, and an update is made.
 */
import type { Row } from '../row.js';
import { benchShape } from '../qwen.js';
import { inProcesses } from './processes.js';

/** Bytes of a process. */
export interface Held {
  /** At the peak. */
  peak: number;
  /** Of moments. */
  state: number;
}

/** 7.9 to 5.9 GB by count. */
const GOAL = 0.78;

export async function shardOptimizer(): Promise<Row[]> {
  const { config, suffix } = benchShape();
  const run = (split: boolean): Promise<Held> =>
    inProcesses(2, 'shard-optimizer-ours.js', JSON.stringify(config), String(split));
  const [whole, split] = [await run(false), await run(true)];
  const [ours, peer] = [split.peak / 1e9, whole.peak / 1e9];
  return [
    {
      name: `shard-optimizer${suffix}`,
      ...{ ours, peer, floor: null, unit: 'GB a process', ratio: ours / peer, spread: 0 },
      goal: `at most ${GOAL} of moments in both`,
      reached: ours / peer <= GOAL,
      ...{ precision: 'float32', peerPrecision: 'float32' },
      note: `moments ${(split.state / 1e9).toFixed(2)} GB beside ${(whole.state / 1e9).toFixed(2)}, of the one that holds more`,
    },
  ];
}
