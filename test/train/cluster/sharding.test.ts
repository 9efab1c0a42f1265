/** The optimizer's state split between processes: each makes some of the updates, of the same bits as one that makes all. */
import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import { useEngine } from '../../../lib/engine/engine.js';
import { Random } from '../../../lib/support/random.js';
import { Optimizer } from '../../../lib/train/optim/optimizer.js';
import { dealState, type Sharding } from '../../../lib/train/optim/sharding.js';

beforeAll(async () => void (await useEngine()));

test('state is dealt out by size, the largest first', () => {
  const groups = [1, 8, 2, 5, 4].map((size) => ({ shapes: new Map([['m', [size]], ['v', [size]]]) })); // prettier-ignore
  expect(dealState(groups, 2)).toEqual([1, 0, 0, 1, 1]);
  expect(dealState(groups, 1)).toEqual([0, 0, 0, 0, 0]);
  expect(dealState([], 3)).toEqual([]);
  const lone = (sizes: number[]) => sizes.map((size) => ({ shapes: new Map([['m', [size]]]) }));
  expect(dealState(lone([3, 1, 1, 1]), 2)).toEqual([0, 1, 1, 1]);
  expect(dealState(lone([2, 2, 2, 2, 2]), 3)).toEqual([0, 1, 2, 0, 1]); // of equal ones the first come first
  expect(dealState([{ shapes: new Map([['m', [2, 3]]]) }, ...lone([3, 2])], 2)).toEqual([0, 1, 1]);
});

const SHAPES: [string, number[]][] = [
  ['embed', [3, 2]],
  ['model.layers.0.a', [2, 2]],
  ['norm', [2]],
  ['model.layers.0.b', [2, 2]],
];

function weights(): Map<string, tf.Variable> {
  const random = new Random('weights');
  return new Map(SHAPES.map(([name, shape]) => [name, tf.variable(filled(shape, random))]));
}

function filled(shape: number[], random: Random): tf.Tensor {
  const size = shape.reduce((a, b) => a * b);
  return tf.tensor(Array.from({ length: size }, () => random.normal()), shape); // prettier-ignore
}

const bits = (of: Iterable<tf.Tensor>): number[][] => [...of].map((tensor) => [...tensor.dataSync()]);

test.each(['adamw', 'muon'] as const)(
  'each process makes its updates, takes the others, and %s ends as whole',
  (optimizer) => {
    // What each process sent; another process that runs after it takes that, and one that runs before it the whole one's.
    const [whole, oracle] = [weights(), [] as number[][]];
    const one = new Optimizer(whole, { optimizer, weightDecay: 0.1 });
    const random = new Random('gradients');
    const steps = [1, 2, 3].map(() => new Map(SHAPES.map(([name, shape]) => [name, filled(shape, random)])));
    for (const [i, gradients] of steps.entries()) {
      one.apply(gradients, i + 1, 0.1);
      oracle.push(...groupsOf(whole, optimizer));
    }
    const held: number[] = [];
    for (const rank of [0, 1]) {
      let call = 0;
      const sharding: Sharding = {
        rank,
        size: 2,
        broadcast: (shape, root, own) => {
          const expected = oracle[call++]!;
          expect(shape).toEqual([expected.length]);
          if (root !== rank) return tf.tensor1d(expected);
          expect([...own!.dataSync()]).toEqual(expected);
          return own!.clone();
        },
      };
      const mine = weights();
      const split = new Optimizer(mine, { optimizer, weightDecay: 0.1, sharding });
      for (const [i, gradients] of steps.entries()) split.apply(gradients, i + 1, 0.1);
      expect(bits(mine.values())).toEqual(bits(whole.values()));
      expect(call).toBe(oracle.length);
      held.push(split.variables.reduce((sum, { size }) => sum + size, 0));
    }
    expect(held[0]! + held[1]!).toBe(one.variables.reduce((sum, { size }) => sum + size, 0));
  },
);

/** Weights by group, end to end: AdamW's small ones are one vector, Muon's matrices come by themselves behind it. */
function groupsOf(of: Map<string, tf.Variable>, optimizer: 'adamw' | 'muon'): number[][] {
  const alone = (name: string): boolean => optimizer === 'muon' && name.includes('.layers.');
  const joined = [...of].filter(([name]) => !alone(name)).flatMap(([, weight]) => [...weight.dataSync()]);
  return [joined, ...[...of].filter(([name]) => alone(name)).map(([, weight]) => [...weight.dataSync()])];
}

test('the state is saved and restored as one, and nobody waits where the writer fails', () => {
  const run = (rank: number, write?: (read: (() => Float32Array)[]) => void) => {
    const sent: number[] = [];
    const sharding: Sharding = {
      rank,
      size: 2,
      broadcast: (shape, root, own) => {
        sent.push(root);
        if (own) expect(own.shape).toEqual(shape);
        return own ? own.clone() : tf.fill([...shape], root === 0 && rank === 1 ? 4 : -1);
      },
    };
    const optimizer = new Optimizer(weights(), { optimizer: 'muon', sharding });
    const shared = optimizer.shared()!;
    shared.restore(rank === 0 ? (name) => tf.fill([name.endsWith('momentum') ? 4 : 8], 4) : undefined);
    const restored = optimizer.variables.flatMap((variable) => [...variable.dataSync()]);
    expect(new Set(restored)).toEqual(new Set([4]));
    const error = (() => {
      try {
        shared.save(write && ((arrays) => write([...arrays.values()].map(({ read }) => read))));
        return undefined;
      } catch (thrown) {
        return (thrown as Error).message;
      }
    })();
    return { sent, error };
  };
  const full = run(0, (reads) => {
    reads[0]!();
    throw new Error('disk full');
  });
  const [other, writer] = [run(1), run(0, (reads) => reads.forEach((read) => read()))];
  expect(full.error).toBe('disk full');
  expect(full.sent).toEqual(writer.sent);
  expect(other.sent).toEqual(writer.sent);
  expect(writer.sent.slice(0, writer.sent.length / 2)).toEqual(Array(writer.sent.length / 2).fill(0)); // restored from the first
  expect(new Set(writer.sent)).toEqual(new Set([0, 1]));
});
