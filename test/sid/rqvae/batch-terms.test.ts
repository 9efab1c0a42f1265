/** What a step adds to the loss: which terms there are, and their noise, vectors and positives by the seed. */
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { useEngine } from '../../../lib/engine/engine.js';
import { rowOf, type Vectors } from '../../../lib/files/npy.js';
import { balancedKmeans } from '../../../lib/sid/balanced/balanced-kmeans.js';
import { BatchTerms, clusterMates, disposeTerms, type LetterTerms } from '../../../lib/sid/rqvae/batch-terms.js';
import { rqVaePlan } from '../../../lib/sid/rqvae/options.js';
import { codebookName, initialArrays, toVariables } from '../../../lib/sid/rqvae/parameters.js';
import type { RqVaeOptions } from '../../../lib/sid/rqvae/rqvae.js';
import { Random } from '../../../lib/support/random.js';

beforeAll(async () => void (await useEngine()));

function cloud(rows: number, width: number): Vectors {
  const random = new Random('terms');
  return { rows, width, data: Float32Array.from({ length: rows * width }, () => random.normal()) };
}

const x = cloud(20, 3);
const planOf = (options: RqVaeOptions) =>
  rqVaePlan(x, { hidden: [4], latent: 3, levels: 2, codebookSize: [6, 5], seed: 3, ...options }, 'x');
const letter = (of: Partial<LetterTerms>): LetterTerms => ({ collaborative: null, collaborativeWeight: 0, diversityWeight: 0, diversityClusters: 2, ...of }); // prettier-ignore

describe('which terms there are', () => {
  const cases: [string, RqVaeOptions, LetterTerms | undefined, string[] | undefined][] = [
    ['none', {}, undefined, undefined],
    ['rotation', { estimator: 'rotation' }, undefined, []],
    ['noise', { estimator: 'gumbel' }, undefined, ['gumbel']],
    ['balance of a tenth', { balanceWeight: 0.1 }, undefined, ['balance']],
    ['balance of one', { balanceWeight: 1 }, undefined, ['balance']],
    ['noise and balance', { estimator: 'gumbel', balanceWeight: 2 }, undefined, ['balance', 'gumbel']],
    ['LETTER without weights', {}, letter({}), []],
    ['vectors', {}, letter({ collaborative: x, collaborativeWeight: 1 }), ['collaborative']],
    ['diversity of a tenth', {}, letter({ diversityWeight: 0.1 }), ['diversity']],
    ['diversity of one', {}, letter({ diversityWeight: 1 }), ['diversity']],
    ['all', { estimator: 'gumbel', balanceWeight: 1 }, letter({ collaborative: x, diversityWeight: 2 }), ['balance', 'collaborative', 'diversity', 'gumbel']], // prettier-ignore
  ];
  test.each(cases)('%s', (_, options, terms, wanted) => {
    const plan = planOf(options);
    const before = tf.memory().numTensors;
    const variables = toVariables(initialArrays(plan.shape, 1));
    const own = new BatchTerms(plan, terms);
    own.beginEpoch(0, variables);
    const found = own.of([4, 2, 9], new Random(1));
    expect(found && Object.keys(found).filter((name) => name !== 'estimator').sort()).toEqual(wanted); // prettier-ignore
    expect(found?.estimator).toBe(wanted && plan.estimator);
    if (found?.diversity) expect(found.diversity.positives.map(({ shape }) => shape)).toEqual([[6], [5]]);
    disposeTerms(found);
    tf.dispose([...variables.values()]);
    expect(tf.memory().numTensors).toBe(before);
  });
});

test('noise of every level is -log(-log u), drawn row by row; finite for a draw of 0', () => {
  const plan = planOf({ estimator: 'gumbel', gumbelTemperature: 0.7 });
  const { gumbel } = new BatchTerms(plan).of([4, 2, 9], new Random(8))!;
  const random = new Random(8);
  expect(gumbel!.temperature).toBe(0.7);
  for (const [level, codes] of [6, 5].entries()) {
    expect(gumbel!.noise[level]!.shape).toEqual([3, codes]);
    const wanted = Float32Array.from({ length: 3 * codes }, () => -Math.log(-Math.log(random.next())));
    expect(gumbel!.noise[level]!.dataSync()).toEqual(wanted);
  }
  tf.dispose(gumbel!.noise as tf.Tensor[]);
  const zero = new Random(1);
  zero.next = () => 0;
  const lowest = new BatchTerms(plan).of([1], zero)!.gumbel!.noise as tf.Tensor[];
  expect(lowest[0]!.dataSync()[0]).toBeCloseTo(-Math.log(-Math.log(Number.MIN_VALUE)), 5);
  tf.dispose(lowest);
});

test("the vectors are those of the batch's items", () => {
  const { collaborative } = new BatchTerms(planOf({}), letter({ collaborative: x, collaborativeWeight: 0.3 })).of([4, 19, 0], new Random(8))!; // prettier-ignore
  expect(collaborative!.weight).toBe(0.3);
  expect(collaborative!.vectors.arraySync()).toEqual([4, 19, 0].map((row) => [...rowOf(x, row)]));
  collaborative!.vectors.dispose();
});

test('a positive of each code is drawn from its cluster of this epoch', () => {
  const plan = planOf({});
  const variables = toVariables(initialArrays(plan.shape, 1));
  const books = [6, 5].map((rows) => cloud(rows, 3));
  books.forEach((book, level) => variables.get(codebookName(level))!.assign(tf.tensor2d(book.data, [book.rows, 3])));
  const own = new BatchTerms(plan, letter({ diversityWeight: 1 }));
  const [drawn, random] = [new Random(4), new Random(4)];
  for (const epoch of [0, 1]) {
    own.beginEpoch(epoch, variables);
    const { positives } = own.of([1, 2], drawn)!.diversity!;
    books.forEach((book, level) => {
      const mates = clusterMates(book, 2, `3/clusters/${epoch}/${level}`);
      expect([...positives[level]!.dataSync()]).toEqual(mates.map((others) => random.pick(others)));
    });
    tf.dispose(positives as tf.Tensor[]);
  }
  tf.dispose([...variables.values()]);
});

test('a code alone is its own positive', () => {
  const plan = rqVaePlan(x, { hidden: [4], latent: 3, levels: 1, codebookSize: [1], collisions: 'keep' }, 'x');
  const variables = toVariables(initialArrays(plan.shape, 1));
  const own = new BatchTerms(plan, letter({ diversityWeight: 1 }));
  own.beginEpoch(0, variables);
  const { positives } = own.of([1], new Random(4))!.diversity!;
  expect([...positives[0]!.dataSync()]).toEqual([0]);
  tf.dispose([...positives, ...variables.values()] as tf.Tensor[]);
});

describe('clusters of codes', () => {
  test.each([1, 2, 3, 4, 5, 7, 11, 19])('of %i codes: two or more a cluster, of sizes that differ by one', (rows) => {
    for (const most of [1, 2, 3, 4, 10]) {
      const mates = clusterMates(cloud(rows, 2), most, 's');
      const sizes = mates.map((others) => others.length + 1);
      const clusters = mates.reduce((sum, others) => sum + 1 / (others.length + 1), 0);
      expect(clusters, `at most ${most}`).toBeCloseTo(Math.max(1, Math.min(most, Math.floor(rows / 2))), 9);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      mates.forEach((others, code) => {
        expect(others).not.toContain(code);
        for (const other of others) expect(mates[other]).toContain(code);
      });
    }
  });

  test.each([
    ['one initialisation', 120, 2, 8, 'c5', [2, 10]],
    ['ten iterations', 400, 3, 10, 'c3', [1, 11]],
  ])('are those of %s', (_, rows, width, clusters, seed, other) => {
    const book = cloud(rows, width);
    const of = (nInit: number, iterations: number): number[] => [...balancedKmeans(book, { codes: clusters, clusterSize: [rows / clusters, rows / clusters], nInit, iterations, seed }).codes]; // prettier-ignore
    const own = of(1, 10);
    expect(of(other[0]!, other[1]!)).not.toEqual(own);
    const wanted = own.map((cluster, code) => own.flatMap((found, i) => (found === cluster && i !== code ? [i] : [])));
    expect(clusterMates(book, clusters, seed)).toEqual(wanted);
  });
});
