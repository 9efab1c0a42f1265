/** One update of GRPO by several processes, thought of: together they compute what one does, and say no more than they must. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import type { Cluster } from '../../../lib/cluster/cluster.js';
import { useEngine } from '../../../lib/engine/engine.js';
import { Random } from '../../../lib/support/random.js';
import type { GrpoTask } from '../../../lib/train/grpo/grpo-task.js';
import type { Group } from '../../../lib/train/grpo/loss/group.js';
import type { LoggedGroup } from '../../../lib/train/grpo/rollout/rollout-log.js';
import { ownGroups } from '../../../lib/train/grpo/shared-groups.js';
import { lockstep } from './lockstep.js';
import { apart, gradientsOf, SHARED, type Toy, toy, type ToyOptions, toyTask } from './toy.js';

beforeAll(async () => void (await useEngine()));

const REWARD = 'ranking,hierarchical:0.5';

/** The updates of one rollout, between which the policy moves. */
async function updates(of: Toy, task: GrpoTask, cluster?: Cluster, from = 0) {
  const made = [];
  const batches = task.batches(0).filter(({ iteration }) => iteration >= from);
  for (const batch of batches) {
    const { microBatches, metrics } = await task.objective(batch, new Random(1), batch.iteration + 1, cluster);
    const { loss, by } = gradientsOf(of.model, microBatches);
    made.push({ loss, by, metrics: (metrics as () => Record<string, number>)() });
    move(of);
  }
  return made;
}

function move({ model }: Toy): void {
  const norm = model.weights.get('model.norm.weight')!;
  tf.tidy(() => norm.assign(norm.mul(1.3)));
}

type Made = Awaited<ReturnType<typeof updates>>;

/** What the processes have computed together, one update after the other. */
function expectSame(whole: Made, parts: Made[]): void {
  whole.forEach(({ loss, by, metrics }, at) => {
    const own = parts.map((made) => made[at]!);
    expect(own.reduce((sum, part) => sum + part.loss, 0)).toBeCloseTo(loss, 5);
    const sum = new Map([...by].map(([name, { length }]) => [name, Float32Array.from({ length }, (_, i) => own.reduce((all, part) => all + part.by.get(name)![i]!, 0))])); // prettier-ignore
    expect(apart(sum, by)).toBeLessThan(1e-5);
    for (const part of own) {
      expect(Object.keys(part.metrics).sort()).toEqual(Object.keys(metrics).sort());
      for (const [name, value] of Object.entries(metrics)) {
        if (!name.startsWith('seconds')) expect(part.metrics[name], name).toBeCloseTo(value, 5);
      }
    }
  });
}

test('each process trains a run of groups of about as many tokens', () => {
  const group = (...lengths: number[]): Group => ({ prompt: [1], completions: lengths.map((n) => Array<number>(n).fill(2)), advantages: [] }); // prettier-ignore
  const runs = (groups: Group[]) => [0, 1].map((rank) => ownGroups({ rank, size: 2 }, groups).map((of) => groups.indexOf(of))); // prettier-ignore
  expect(runs([group(10, 1), group(1, 1), group(1, 1), group(1, 1)])).toEqual([[0], [1, 2, 3]]);
  expect(runs([group(1, 10), group(1, 1), group(1, 1), group(1, 1)])).toEqual([[0], [1, 2, 3]]);
  const answer = Array<number>(20).fill(3);
  expect(runs([group(2), { ...group(2), answer }, group(2), group(2), group(2)])).toEqual([[0, 1], [2, 3, 4]]); // prettier-ignore
  expect(runs([{ ...group(2), answer }, group(2), group(2), group(2)])).toEqual([[0], [1, 2, 3]]);
});

test('the first process alone logs rollouts', async () => {
  const { results } = await lockstep(2, async (cluster) => {
    const logged: LoggedGroup[] = [];
    const of = toy(SHARED, REWARD);
    await updates(of, toyTask(of, { logRollouts: 3 }, { onRollout: (groups) => logged.push(...groups) }), cluster);
    return logged.map(({ user }) => user);
  });
  expect(results).toEqual([['0', '1', '2'], []]);
});

// messages: the groups, the sums of the loss; log p where later updates, advantages or rewards need it
test.each<[string, ToyOptions, number]>([
  ['one update', {}, 2],
  ['of drawn items', { rollout: 'sample', numGenerations: 3, normalize: 'legal' }, 2],
  ['two updates', { numIterations: 2 }, 5],
  ['advantages of the policy', { advantages: 'policy', scaleRewards: 'none' }, 3],
  ['the KL in the reward', { klIn: 'reward', kl: 'k1', beta: 0.2 }, 4],
  ['masked groups', { equalGroups: 'mask' }, 2],
])('%s: two processes are one', async (_, options, messages) => {
  const of = toy(SHARED, REWARD);
  const whole = await updates(of, toyTask(of, options));
  const both = await lockstep(2, async (cluster) => {
    const own = toy(SHARED, REWARD);
    return updates(own, toyTask(own, options), cluster);
  });
  expectSame(whole, both.results);
  expect(both.messages).toBe(messages);
  for (const made of both.results) expect(made[0]!.loss).not.toBe(0); // each did a part of it
});

test('more processes than prompts: some have nothing to do', async () => {
  const small = (): Toy => {
    const of = toy(SHARED, REWARD);
    return { ...of, rows: of.rows.slice(0, 1) };
  };
  const of = small();
  const { results } = await lockstep(3, async (cluster) => {
    const own = small();
    return updates(own, toyTask(own), cluster);
  });
  expectSame(await updates(of, toyTask(of)), results);
});

test('what the first process has restored is known to all', async () => {
  const options: ToyOptions = { numIterations: 2, normalize: 'legal' };
  const of = toy(SHARED, REWARD);
  const task = toyTask(of, options);
  const [, second] = await updates(of, task);
  const folder = mkdtempSync(join(tmpdir(), 'sidlab-shared-'));
  task.state.save(folder);
  const { results } = await lockstep(2, async (cluster) => {
    const own = toy(SHARED, REWARD);
    const resumed = toyTask(own, options);
    move(own);
    if (cluster.isFirst) resumed.state.restore(folder);
    await resumed.state.share!(cluster);
    return updates(own, resumed, cluster, 1);
  });
  expectSame([second!], results);
});
