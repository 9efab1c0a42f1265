/** Trained baselines from a data folder to lists: learning, resuming, ranking, scoring. */
import { existsSync, mkdtempSync, readFileSync, renameSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import type { BaselineStageOptions } from '../../lib/baselines/baseline-options.js';
import { baselineStage } from '../../lib/baselines/baseline-stage.js';
import { binaryLoss, propensities, withNegatives } from '../../lib/baselines/sequence/losses.js';
import { rankItems } from '../../lib/baselines/sequence/rank-items.js';
import { sasrec } from '../../lib/baselines/sequence/sasrec.js';
import { loadScorer } from '../../lib/baselines/sequence/scorer.js';
import { functionStamp } from '../../lib/train/grpo/rewards/reward-list.js';
import { initialWeights } from '../../lib/baselines/sequence/sequence-files.js';
import { itemMetrics } from '../../lib/evaluate/metrics.js';
import { readResults } from '../../lib/evaluate/results-file.js';
import { formatInter } from '../../lib/data/inter-file.js';
import { formatItems } from '../../lib/data/item-file.js';
import type { Row } from '../../lib/data/dataset.js';
import { useEngine } from '../../lib/engine/engine.js';
import { hashFile, writeAtomic } from '../../lib/files/files.js';
import { readNpy } from '../../lib/files/npy.js';
import { InputError } from '../../lib/support/errors.js';
import { Random } from '../../lib/support/random.js';
import * as tf from '@tensorflow/tfjs';

const ITEMS = 12;
const data = mkdtempSync(join(tmpdir(), 'sidlab-trained-'));

/** The next item follows the one before the last: what counting pairs of neighbours cannot know. */
function rows(users: number, name: string): Row[] {
  const random = new Random(name);
  return Array.from({ length: users }, (_, user) => {
    const history = [random.int(ITEMS), random.int(ITEMS)];
    for (let more = random.int(4); more > 0; more--) history.push((history.at(-2)! + 1) % ITEMS);
    return { user: `${name}${user}`, history, target: (history.at(-2)! + 1) % ITEMS };
  });
}

beforeAll(async () => {
  await useEngine();
  const item = (i: number) => ({ title: `item ${i}`, description: '', brand: '', categories: '' });
  writeAtomic(join(data, 'Sums.item.json'), formatItems(Array.from({ length: ITEMS }, (_, i) => item(i))));
  for (const [split, users] of Object.entries({ train: 300, valid: 40, test: 60 })) {
    writeAtomic(join(data, `Sums.${split}.inter`), formatInter(rows(users, split)));
  }
});

const small = (name: 'sasrec' | 'gru4rec' | 'caser' | 'hstu', run: string): BaselineStageOptions => ({
  ...{ baseline: name, data, run: join(data, run), width: 16, batchSize: 32, learningRate: 1e-2, dropout: 0.1 },
  ...{ patience: 0, topK: 5 },
});

test.each(['sasrec', 'gru4rec', 'caser', 'hstu'] as const)('%s learns what counting cannot', async (name) => {
  const report = await baselineStage({ ...small(name, `learns-${name}`), epochs: 8 });
  const lists = await readResults(report.results);
  expect(report.item).toEqual(itemMetrics(lists, [1, 3, 5]));
  expect(report.item['HR@1']).toBeGreaterThan(0.5);
  const counted = await baselineStage({ baseline: 'transition', data, topK: 5 });
  expect(counted.item['HR@1']).toBeLessThan(0.35);
  expect(report.training!.best.metrics['NDCG@10']).toBeGreaterThan(0.5);
});

test('options that would do nothing are refused, or are as if they were not given', async () => {
  const sasrec = small('sasrec', 'nothing');
  for (const [more, message] of [
    [{ negatives: 9 }, 'baseline: --negatives: expected --loss binary beside it'],
    [{ droBeta: 7 }, 'baseline: --dro-beta: expected --dro-alpha above 0 beside it'],
    [{ bestMetric: 'NDCG@20' }, 'sasrec: expected --best-metric to be one of HR@1, NDCG@1, '],
  ] as const) {
    await expect(baselineStage({ ...sasrec, ...more })).rejects.toThrow(message);
    expect(existsSync(sasrec.run!)).toBe(false);
  }
  const longest = Math.max(...rows(300, 'train').map(({ history }) => history.length));
  const once = await baselineStage({ ...sasrec, epochs: 1, historyLength: longest + 9 });
  const again = await baselineStage({ ...sasrec, epochs: 1 }); // the same run: histories are no longer than that
  expect(again.training).toEqual(once.training);
  await expect(baselineStage({ ...sasrec, epochs: 1, historyLength: 2 })).rejects.toThrow('another configuration');
});

test.each([1, 2])('caser: filters as high as histories are long, %d items', async (historyLength) => {
  const caser = { ...small('caser', `short-${historyLength}`), historyLength, epochs: 1 };
  expect((await baselineStage(caser)).rows).toBe(60);
});

const RESUMED = ['sasrec', 'gru4rec', 'caser', 'hstu'] as const;

test.each(RESUMED)(
  '%s, stopped and resumed, ends on the same bits; a finished run is not trained again',
  async (name) => {
    const [wholeRun, stoppedRun] = [`whole-${name}`, `stopped-${name}`];
    const options = { ...small(name, wholeRun), epochs: 4, loss: 'binary' as const, negatives: 3 };
    const whole = await baselineStage(options);
    const stopped = { ...options, run: join(data, stoppedRun) };
    for (const at of [13, 27]) {
      const onLog = (lines: readonly { step: number }[]): void => {
        if (lines.at(-1)!.step === at) throw new Error('killed');
      };
      await expect(baselineStage({ ...stopped, onLog })).rejects.toThrow('killed');
    }
    const resumed = await baselineStage(stopped);
    const files = ['model/model.safetensors', 'results.jsonl', 'model/item-vectors.npy'];
    for (const file of files)
      expect(hashFile(join(data, stoppedRun, file)), file).toBe(hashFile(join(data, wholeRun, file)));
    const { seconds: _, ...training } = resumed.training!;
    expect(training).toMatchObject({ steps: whole.training!.steps, best: whole.training!.best });
    const before = readFileSync(join(data, wholeRun, 'metrics.jsonl'), 'utf8');
    const again = await baselineStage(options);
    expect(again.item).toEqual(whole.item);
    expect(readFileSync(join(data, wholeRun, 'metrics.jsonl'), 'utf8')).toBe(before);
    await expect(baselineStage({ ...options, dropout: 0.2 })).rejects.toThrow(/dropout is 0.1 there, 0.2 here/);
  },
);

test('another seed is another model; a run that was moved is read where it is', async () => {
  const options = { ...small('sasrec', 'seed-1'), epochs: 1, seed: 1 };
  const { item } = await baselineStage(options);
  renameSync(join(data, 'seed-1'), join(data, 'moved'));
  const moved = await baselineStage({ ...options, run: join(data, 'moved') });
  expect([moved.item, moved.training!.model]).toEqual([item, join(data, 'moved', 'model')]);
  renameSync(join(data, 'moved'), join(data, 'seed-1'));
  await baselineStage({ ...options, run: join(data, 'seed-2'), seed: 2 });
  expect(hashFile(join(data, 'seed-1/model/model.safetensors'))).not.toBe(
    hashFile(join(data, 'seed-2/model/model.safetensors')),
  );
});

test('lists do not depend on the rows beside a row; ties go to the lower id', async () => {
  const model = sasrec({ items: ITEMS, longest: 6 }, { width: 8, blocks: 2, heads: 2 });
  const weights = initialWeights(model, 3);
  const some = rows(30, 'together');
  const together = await rankItems({ model, weights }, some, 4, 'test');
  const apart = await Promise.all(some.map((row) => rankItems({ model, weights }, [row], 4, 'test')));
  expect(together.map(({ items }) => items)).toEqual(apart.map(([list]) => list!.items));
  weights.get('item_emb.weight')!.assign(tf.ones([ITEMS, 8]));
  const [tied] = await rankItems({ model, weights }, some.slice(0, 1), 4, 'test');
  expect(tied!.items).toEqual([0, 1, 2, 3]);
});

test('the scorer ranks as the lists do, and takes histories of any length', async () => {
  const { results } = await baselineStage({ ...small('sasrec', 'learns-sasrec'), epochs: 8 });
  const scorer = await loadScorer(join(data, 'learns-sasrec', 'model'));
  const lists = await readResults(results);
  const scores = scorer(
    lists.map(({ history }) => history),
    lists.map(({ items }) => items),
  );
  lists.forEach((list, i) => list.scores.forEach((score, j) => expect(scores[i]![j]).toBeCloseTo(score, 4)));
  expect(scorer([[...Array(40).keys()].map((i) => i % ITEMS)], [[3, 1]])[0]).toHaveLength(2);
  expect(scorer([], [])).toEqual([]);
  expect(() => scorer([[1], []], [[1], [2]])).toThrow(
    'scorer: expected histories of one item or more, number 1 is empty',
  );
  const catalogue = new RegExp(`^scorer: expected items from 0 to ${ITEMS - 1}, .*; train it on this catalogue$`);
  for (const item of [-1, ITEMS, 0.5]) {
    expect(() => scorer([[1], [2]], [[1], [2, item]])).toThrow(catalogue);
    expect(() => scorer([[1], [item]], [[1], [2]])).toThrow(catalogue);
  }
  const stamp = functionStamp(scorer);
  expect(stamp.identity).toMatch(/^[0-9a-f]{64}$/);
  const other = await loadScorer(join(data, 'learns-gru4rec', 'model'));
  expect(functionStamp(other).identity).not.toBe(stamp.identity);
  other.dispose();
  const vectors = readNpy(join(data, 'learns-sasrec', 'model', 'item-vectors.npy'));
  expect([vectors.data.length, vectors.width]).toEqual([ITEMS * 16, 16]);
  scorer.dispose();
  await expect(loadScorer(join(data, 'nowhere'))).rejects.toThrow(InputError);
});

test('drawn items are never the target, and evenly drawn', () => {
  const targets = Int32Array.from({ length: 4000 }, (_, i) => i % 5);
  const drawn = withNegatives(targets, 2, 5, new Random('negatives'));
  const counts = new Array<number>(5).fill(0);
  targets.forEach((target, b) => {
    expect(drawn[3 * b]).toBe(target);
    for (const item of drawn.subarray(3 * b + 1, 3 * b + 3)) {
      expect(item).not.toBe(target);
      counts[item]!++;
    }
  });
  for (const count of counts) expect(Math.abs(count - 1600)).toBeLessThan(160); // four deviations
});

test('losses by hand', () => {
  const scores = tf.tensor2d([[2, -1, 0.5]]);
  const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
  const expected = -(Math.log(sigmoid(2)) + Math.log(1 - sigmoid(-1)) + Math.log(1 - sigmoid(0.5))) / 3;
  expect(binaryLoss(scores).dataSync()[0]).toBeCloseTo(expected, 6);
  const weights = propensities([1, 1, 2], 3); // 1, 3 and 2 of 6
  [1 / 6, 3 / 6, 2 / 6].forEach((share, i) => expect(weights[i]).toBeCloseTo(share ** 0.05, 6));
});

test('sizes that do not go together are said before anything is written', async () => {
  const options = { ...small('sasrec', 'refused'), epochs: 1 };
  await expect(baselineStage({ ...options, heads: 3 })).rejects.toThrow(
    'sasrec: expected --heads to divide --width 16, got 3',
  );
  await expect(baselineStage({ ...options, negatives: 0 })).rejects.toThrow(
    /expected negatives to be a whole number of 1/,
  );
  expect(existsSync(join(data, 'refused'))).toBe(false);
});
