/** What the loop leaves to the first of several processes, what it agrees on with the others, and what it splits. */
import type * as tf from '@tensorflow/tfjs';
import { join } from 'node:path';
import { beforeAll, expect, test, vi } from 'vitest';
import { Cluster, type Wire } from '../../../lib/cluster/cluster.js';
import { useEngine } from '../../../lib/engine/engine.js';
import { hashFile } from '../../../lib/files/files.js';
import { readMetrics } from '../../../lib/runs/metric-lines.js';
import { RunFolder } from '../../../lib/runs/run-folder.js';
import { readValidRows } from '../../../lib/runs/valid-rows.js';
import { train } from '../../../lib/train/loop/train.js';
import type { Task } from '../../../lib/train/loop/task.js';
import { newFolder, type Text, tinyModel, tinyTask, tokenizer, trainTiny, type TinyOptions } from '../tiny-task.js';

beforeAll(async () => void (await useEngine()));

/** What process 0 made of what it alone does, in turn. */
const valuesOfFirst: unknown[] = [];

/** A process whose sums and messages are its own: the others are thought of. */
class Lonely extends Cluster {
  /** In which type each sum was sent. */
  readonly wires: (Wire | undefined)[] = [];
  /** What it told the others, in turn. */
  readonly told: number[][] = [];
  /** Sizes of what was copied from process 0. */
  readonly copied: number[] = [];
  /** Tensors that one process sent to all. */
  sent = 0;
  /** How often all told whether they had failed, and why. */
  togethers = 0;
  private othersFailed = false;

  /** @param theirs what the one other process tells at its turn, from 1; default it has nothing to say */
  constructor(
    rank: number,
    size: number,
    private readonly theirs?: (turn: number) => number[],
  ) {
    super(rank, size, 1);
  }
  override sum(tensors: readonly tf.Tensor[], wire?: Wire): tf.Tensor[] {
    this.wires.push(wire);
    return [...tensors];
  }
  override copyFirst(variables: Iterable<tf.Variable>): void {
    this.copied.push(...[...variables].map(({ size }) => size));
  }
  override broadcast(_: readonly number[], __: number, own?: tf.Tensor): tf.Tensor {
    this.sent++;
    return own!.clone();
  }
  override numbers(values: readonly number[]): number[][] {
    this.told.push([...values]);
    const theirs = this.theirs ? [this.theirs(this.told.length)] : [];
    this.othersFailed ||= theirs.some(([, , , failed]) => failed === 1);
    return [[...values], ...theirs];
  }
  override async first<T>(work: () => T | Promise<T>): Promise<T> {
    if (!this.isFirst) return valuesOfFirst.shift() as T; // of a run as process 0 before
    const value = await work();
    valuesOfFirst.push(value);
    return value;
  }
  override async together<T>(work: () => T | Promise<T>): Promise<T> {
    this.togethers++;
    const value = await work();
    if (this.othersFailed) throw new Error('process 1: disk full');
    return value;
  }
}

/** Trains two updates as one of `size` processes. @returns what was said beforehand */
async function trainAs(rank: number, size: number, folder: string, epochs: number): Promise<string[]> {
  const said: string[] = [];
  const model = tinyModel();
  const task: Task<Text[]> = {
    ...tinyTask(model),
    validRows: () => [{ user: 'ann', rank: 2 }],
    batchSizes: (batch) => ({
      tokens: [batch.reduce((sum, { tokens }) => sum + tokens.length - 1, 0)],
      examples: batch.length,
      first: (count) => batch.slice(0, count),
    }),
  };
  await train(model, tokenizer, task, new RunFolder(folder, {}), {
    ...{ epochs, learningRate: 1e-3, schedule: 'constant', evalSteps: 2, evalStart: false, bestMetric: 'figure' },
    ...{ patience: 1, keep: 1, seed: 1 },
    cluster: new Lonely(rank, size),
    say: (line) => said.push(line),
    onLog: (lines) => {
      if (lines.some((line) => 'valid figure' in line)) throw new Error('enough');
    },
  }).catch((error: Error) => expect(error.message).toBe('enough'));
  return said;
}

test('the first process writes the rows of a validation, the others do not', async () => {
  valuesOfFirst.length = 0;
  for (const rank of [0, 1]) {
    const folder = newFolder();
    await trainAs(rank, 2, folder, 1);
    expect(readValidRows(folder, 2), `process ${rank}`).toEqual(rank === 0 ? [{ user: 'ann', rank: 2 }] : undefined);
  }
});

test('loss and tokens are those of all processes, in the type that is asked for', async () => {
  for (const gradientDtype of [undefined, 'bfloat16'] as const) {
    const folder = newFolder();
    const cluster = new Lonely(0, 2, () => [0.25, 100, 0, 0]);
    await trainTiny(folder, { cluster, epochs: 0.5, ...(gradientDtype && { gradientDtype }) });
    const lines = readMetrics(join(folder, 'metrics.jsonl')).filter(({ loss }) => loss !== undefined);
    expect(lines).toHaveLength(4);
    let tokens = 0;
    lines.forEach((line, i) => {
      const [loss, own] = cluster.told[i] as [number, number];
      expect(line.loss).toBe(loss + 0.25);
      expect(line.tokens).toBe((tokens += own + 100));
    });
    expect(cluster.togethers).toBe(2); // at each validation
    expect(cluster.wires).toHaveLength(4);
    for (const wire of cluster.wires) expect(wire !== undefined).toBe(gradientDtype === 'bfloat16');
    expect(cluster.copied.length).toBeGreaterThan(tinyModel().weights.size); // weights, and what the optimizer keeps
  }
});

test('a process that is asked to stop stops all after the same update', async () => {
  const cluster = new Lonely(0, 2, (turn) => [0, 0, Number(turn === 2), 0]);
  await expect(trainTiny(newFolder(), { cluster })).rejects.toThrow('sft: interrupted at step 2; saved in');
});

test('a log that one process cannot write ends all after the same update, and a run by itself at once', async () => {
  const log = vi.spyOn(RunFolder.prototype, 'log').mockImplementation(() => {
    throw new Error('disk full');
  });
  try {
    const cluster = new Lonely(0, 2, () => [0, 0, 0, 0]);
    await expect(trainTiny(newFolder(), { cluster })).rejects.toThrow(/^disk full$/);
    expect(cluster.told.map(([, , , failed]) => failed)).toEqual([0, 1]);
    let steps = 0;
    await expect(trainTiny(newFolder(), { onLog: () => void steps++ })).rejects.toThrow('disk full');
    expect(steps).toBe(0);
  } finally {
    log.mockRestore();
  }
  const other = new Lonely(0, 2, (turn) => [0, 0, 0, Number(turn === 2)]);
  await expect(trainTiny(newFolder(), { cluster: other })).rejects.toThrow('process 1: disk full');
  expect(other.told).toHaveLength(2);
});

test('a run whose optimizer is split is resumed after its first update to the bits of one that is whole', async () => {
  const options: TinyOptions = { evalSteps: 1, epochs: 0.5 };
  const [whole, folder] = [newFolder(), newFolder()];
  await trainTiny(whole, options);
  const split = (): TinyOptions => ({ ...options, cluster: new Lonely(0, 1), shardOptimizer: true });
  const onLog: TinyOptions['onLog'] = (lines) => {
    if (lines.at(-1)!.step === 2) throw new Error('stopped');
  };
  await expect(trainTiny(folder, { ...split(), onLog })).rejects.toThrow('stopped');
  const { cluster, ...others } = split();
  await trainTiny(folder, { cluster, ...others });
  // the two moments from the file; then the weights after each of three updates, and the moments for its checkpoint
  expect((cluster as Lonely).sent).toBe(2 + 3 * (1 + 2));
  expect((cluster as Lonely).copied).toHaveLength(tinyModel().weights.size); // the state comes from its file
  const weights = (of: string): string => hashFile(join(of, 'model', 'model.safetensors'));
  expect(weights(folder)).toBe(weights(whole));
});

test('a run of hours is none for as many processes', async () => {
  expect(await trainAs(0, 1, newFolder(), 20_000)).toHaveLength(1);
  expect(await trainAs(0, 1e9, newFolder(), 20_000)).toEqual([]);
});
