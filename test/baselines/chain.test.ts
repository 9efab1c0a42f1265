/** SASRec on chains: the states of all prefixes at once, where its losses are, and that it learns from them. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, test } from 'vitest';
import fc from '../fast-check.js';
import { baselineStage } from '../../lib/baselines/baseline-stage.js';
import { targetsLogProbs } from '../../lib/baselines/sequence/losses.js';
import { sasrec } from '../../lib/baselines/sequence/sasrec.js';
import { sequenceExamples } from '../../lib/baselines/sequence/sequence-examples.js';
import { initialWeights } from '../../lib/baselines/sequence/sequence-files.js';
import { ITEM_TABLE } from '../../lib/baselines/sequence/sequence-model.js';
import { sequenceTask } from '../../lib/baselines/sequence/sequence-task.js';
import type { Item, Row } from '../../lib/data/dataset.js';
import { formatInter } from '../../lib/data/inter-file.js';
import { formatItems } from '../../lib/data/item-file.js';
import { useEngine } from '../../lib/engine/engine.js';
import { readJson, writeAtomic } from '../../lib/files/files.js';
import { disposeWeights } from '../../lib/lm/weights.js';
import { Random } from '../../lib/support/random.js';

const ITEMS = 9;
const HISTORIES = [[3, 1, 4, 1, 5], [2], [6, 5, 3], [0, 0]];
const model = sasrec({ items: ITEMS, longest: 6 }, { width: 8, blocks: 2, heads: 2 });

beforeAll(() => useEngine());

/** @returns states [rows][8] */
function states(
  of: 'encode' | 'encodeAll',
  histories: number[][],
  weights: ReturnType<typeof initialWeights>,
): number[][] {
  const prepared = model.prepare(histories);
  const rows = tf.tidy(() => model[of]!(weights, prepared).arraySync());
  prepared.dispose();
  return rows;
}

const far = (a: number[][], b: number[][]): number =>
  a.flat().reduce((most, x, i) => Math.max(most, Math.abs(x - b.flat()[i]!)), 0);

test("a chain's states: the last is the history's; without positions each is its prefix's", () => {
  const weights = initialWeights(model, 5);
  const ends = HISTORIES.map((_, b) => HISTORIES.slice(0, b + 1).flat().length - 1);
  const all = states('encodeAll', HISTORIES, weights);
  expect(all).toHaveLength(HISTORIES.flat().length);
  expect(far(ends.map((end) => all[end]!), states('encode', HISTORIES, weights))).toBeLessThan(1e-5); // prettier-ignore
  (weights.get('pos_emb.weight') as tf.Variable).assign(tf.zeros([6, 8]));
  const prefixes = HISTORIES.flatMap((history) => history.map((_, i) => history.slice(0, i + 1)));
  expect(far(states('encodeAll', HISTORIES, weights), states('encode', prefixes, weights))).toBeLessThan(1e-5);
  disposeWeights(weights);
});

test('the loss of a batch is the mean over all of its targets', () => {
  const weights = initialWeights(model, 6);
  (weights.get('pos_emb.weight') as tf.Variable).assign(tf.zeros([6, 8]));
  const train = HISTORIES.map((history, user): Row => ({ user: `${user}`, history, target: (user * 2) % ITEMS }));
  const options = { batchSize: 8, dropout: 0, loss: 'cross-entropy', negatives: 1, droAlpha: 0, droBeta: 1, seed: 1 } as const; // prettier-ignore
  const lossOf = (mode: 'row' | 'chain', rows: Row[]): number => {
    const task = sequenceTask('sasrec', { model, weights }, { train: rows, valid: rows }, { ...options, mode, batchSize: 99 }); // prettier-ignore
    const [batch] = task.batches(0) as [never];
    const { microBatches } = task.objective(batch, new Random(1), 1) as { microBatches: { loss(): tf.Scalar; dispose(): void }[] }; // prettier-ignore
    const value = tf.tidy(() => microBatches[0]!.loss().dataSync<'float32'>()[0]!);
    microBatches[0]!.dispose();
    return value;
  };
  const every = train.flatMap(({ user, history, target }) =>
    history.map((_, i): Row => ({ user, history: history.slice(0, i + 1), target: [...history, target][i + 1]! })),
  );
  expect(lossOf('chain', train)).toBeCloseTo(lossOf('row', every), 5);
  expect(lossOf('chain', train)).not.toBeCloseTo(lossOf('row', train), 2);
  // by hand, of one row: -log p of the second item after the first
  const prepared = model.prepare([[3]]);
  const [p] = tf.tidy(() =>
    targetsLogProbs(
      model.encode(weights, prepared),
      weights.get(ITEM_TABLE)! as tf.Tensor2D,
      Int32Array.of(1),
    ).dataSync(),
  );
  prepared.dispose();
  expect(lossOf('chain', [{ user: 'u', history: [3], target: 1 }])).toBeCloseTo(-p!, 5);
  disposeWeights(weights);
});

test('every item of a user but the first is a target once, after the items before it', () => {
  expect(sequenceExamples([{ user: 'u', history: [1, 2, 3], target: 4 }], 2, 'chain')).toEqual([
    { history: [2, 3], targets: [3, 4] },
    { history: [1], targets: [2] },
  ]);
  expect(sequenceExamples([{ user: 'u', history: [1, 2, 3], target: 4 }], 2, 'row')).toEqual([{ history: [2, 3], targets: [4] }]); // prettier-ignore
  const users = fc.array(fc.uniqueArray(fc.nat(99), { minLength: 2, maxLength: 12 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(users, fc.integer({ min: 1, max: 6 }), (sequences, longest) => {
      const window = 10; // the rows of filter: each history the latest items before its target
      const rows = sequences.flatMap(
        (items, user) =>
        items.slice(1).map((target, i): Row => ({ user: `${user}`, history: items.slice(0, i + 1).slice(-window), target })), // prettier-ignore
      );
      const examples = sequenceExamples(rows, longest, 'chain');
      const pairs = examples.flatMap(({ history, targets }) => {
        expect(history.length).toBe(targets.length);
        expect(history.length).toBeLessThanOrEqual(longest);
        return history.map((item, i) => `${item}>${targets[i]!}`);
      });
      const wanted = sequences.flatMap((items) => items.slice(1).map((item, i) => `${items[i]!}>${item}`));
      expect(pairs.sort()).toEqual(wanted.sort());
    }),
  );
});

test('it learns from chains, in a run of its own kind; other baselines have no such option', async () => {
  const data = mkdtempSync(join(tmpdir(), 'sidlab-chain-'));
  const item = (i: number): Item => ({ title: `item ${i}`, description: '', brand: '', categories: '' });
  writeAtomic(join(data, 'Sums.item.json'), formatItems(Array.from({ length: ITEMS }, (_, i) => item(i))));
  const random = new Random(3);
  const rows = (users: number, name: string): Row[] =>
    Array.from({ length: users }, (_, user) => {
      const history = [random.int(ITEMS), random.int(ITEMS)];
      while (history.length < 5) history.push((history.at(-2)! + 1) % ITEMS);
      return { user: `${name}${user}`, history, target: (history.at(-2)! + 1) % ITEMS };
    });
  for (const [split, users] of Object.entries({ train: 80, valid: 30, test: 40 })) {
    writeAtomic(join(data, `Sums.${split}.inter`), formatInter(rows(users, split)));
  }
  const options = { baseline: 'sasrec', data, width: 16, batchSize: 16, learningRate: 1e-2, dropout: 0.1, patience: 0, topK: 5, epochs: 8 } as const; // prettier-ignore
  const { item: metrics, training } = await baselineStage({ ...options, mode: 'chain' });
  expect(metrics['HR@1']).toBeGreaterThan(0.5);
  expect(training!.best.metrics['NDCG@10']).toBeGreaterThan(0.5);
  expect(readJson(join(data, 'runs/baseline-sasrec/config.json'))).toMatchObject({ mode: 'chain' });
  await expect(baselineStage({ ...options, mode: 'row' })).rejects.toThrow(/mode/);
  await expect(baselineStage({ ...options, baseline: 'gru4rec', mode: 'chain' } as never)).rejects.toThrow('mode');
});
