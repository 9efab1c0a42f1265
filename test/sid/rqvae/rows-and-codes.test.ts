/** Rows in blocks, initial codebooks and dead codes of an RQ-VAE, each against plain numbers. */
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { useEngine } from '../../../lib/engine/engine.js';
import { rowOf, type Vectors } from '../../../lib/files/npy.js';
import { kmeans } from '../../../lib/sid/kmeans/kmeans.js';
import { nearestCodes } from '../../../lib/sid/kmeans/lloyd.js';
import { subtractCodes } from '../../../lib/sid/residual.js';
import { moveDeadCodes, resetDeadCodes } from '../../../lib/sid/rqvae/dead-codes.js';
import { initCodebooks, initialRqVae } from '../../../lib/sid/rqvae/init.js';
import { encodeVectors } from '../../../lib/sid/rqvae/model.js';
import { rqVaePlan } from '../../../lib/sid/rqvae/options.js';
import { codebookName, fromVariables, initialArrays, type RqVaeShape, toVariables } from '../../../lib/sid/rqvae/parameters.js'; // prettier-ignore
import type { RqVaeOptions } from '../../../lib/sid/rqvae/rqvae.js';
import { ScaledRows } from '../../../lib/sid/rqvae/scaled-rows.js';
import { encode, evaluate } from '../../../lib/sid/rqvae/step.js';
import { Random } from '../../../lib/support/random.js';

beforeAll(async () => void (await useEngine()));

function cloud(rows: number, width: number): Vectors {
  const random = new Random('rows');
  return { rows, width, data: Float32Array.from({ length: rows * width }, () => random.normal()) };
}

const matrix = (rows: number[][]): Vectors => ({ rows: rows.length, width: rows[0]!.length, data: Float32Array.from(rows.flat()) }); // prettier-ignore

describe('rows in blocks', () => {
  const x = cloud(7, 3);
  const rows = new ScaledRows(x, 2);
  const blocksOf = (of: ScaledRows, block?: number): [first: number, number[][]][] => {
    const found: [number, number[][]][] = [];
    of.forEachBlock((tensor, first) => found.push([first, tensor.arraySync()]), block);
    return found;
  };
  const doubled = (from: number, to: number): number[][] => Array.from({ length: to - from }, (_, i) => [...rowOf(x, from + i)].map((value) => 2 * value)); // prettier-ignore

  test('each row once, in order, scaled; no block is empty', () => {
    const before = tf.memory().numTensors;
    expect(blocksOf(rows, 3)).toEqual([[0, doubled(0, 3)], [3, doubled(3, 6)], [6, doubled(6, 7)]]); // prettier-ignore
    expect(blocksOf(rows, 7)).toEqual([[0, doubled(0, 7)]]);
    expect(blocksOf(rows)).toEqual([[0, doubled(0, 7)]]);
    expect(blocksOf(new ScaledRows(matrix([[5, 6]])), 3)).toEqual([[0, [[5, 6]]]]);
    expect(tf.memory().numTensors).toBe(before);
  });

  test('some rows by their numbers', () => {
    const some = rows.pick([5, 0, 6]);
    expect(some.count).toBe(3);
    const tensor = some.tensor();
    expect(tensor.arraySync()).toEqual([...doubled(5, 6), ...doubled(0, 1), ...doubled(6, 7)]);
    tensor.dispose();
  });

  test('evaluated in blocks as at once, latents too; encoded as well beyond a block', () => {
    const shape: RqVaeShape = { input: 3, hidden: [4], latent: 2, sizes: [4, 3], batchNorm: false, residual: false };
    const variables = toVariables(initialArrays(shape, 3));
    for (const [name, variable] of variables) if (name.startsWith('rq.')) variable.assign(tf.tensor2d(cloud(variable.shape[0]!, 2).data, variable.shape as [number, number])); // prettier-ignore
    const latentsOf = (of: ScaledRows): Vectors => encodeVectors({ shape, arrays: fromVariables(variables), scale: 2 }, of.vectors); // prettier-ignore
    const latents = (): Vectors => ({ rows: 7, width: 2, data: new Float32Array(14) });
    const [own, whole] = [latents(), latents()];
    const [parts, all] = [
      evaluate(shape, variables, rows, { latents: own, block: 3 }),
      evaluate(shape, variables, rows, { latents: whole }),
    ];
    expect(parts.codes).toEqual(all.codes);
    expect(parts.mse).toBeCloseTo(all.mse, 6);
    const few = latentsOf(rows).data;
    own.data.forEach((value, at) => expect(value).toBeCloseTo(few[at]!, 5));
    expect(encode(shape, variables, rows).data).toEqual(whole.data);
    const many = new ScaledRows(cloud(8195, 3), 2);
    const found = encode(shape, variables, many);
    expect([found.rows, found.width]).toEqual([8195, 2]);
    const wanted = latentsOf(many).data;
    expect(found.data.findIndex((value, at) => Math.abs(value - wanted[at]!) > 1e-5)).toBe(-1);
    tf.dispose([...variables.values()]);
  });
});

describe('codebooks to begin with', () => {
  const x = cloud(30, 3);
  const planOf = (options: RqVaeOptions) =>
    rqVaePlan(x, { hidden: [4], latent: 2, levels: 3, codebookSize: [6, 5, 4], batchSize: 8, kmeansIterations: 2, seed: 3, ...options }, 'x'); // prettier-ignore
  const begun = (options: RqVaeOptions): { books: Float32Array[]; latents: Vectors } => {
    const plan = planOf(options);
    const rows = new ScaledRows(x, plan.scale);
    const variables = toVariables(initialRqVae(plan));
    initCodebooks(plan, rows, [4, 9, 1, 3, 20, 21, 7, 2], variables);
    const latents = encode(plan.shape, variables, plan.kmeansInit === 'all' ? rows : rows.pick([4, 9, 1, 3, 20, 21, 7, 2])); // prettier-ignore
    const books = plan.shape.sizes.map((_, level) => variables.get(codebookName(level))!.dataSync<'float32'>().slice());
    tf.dispose([...variables.values()]);
    return { books, latents };
  };

  test.each(['all', 'batch'] as const)('k-means level by level, of %s', (kmeansInit) => {
    const { books, latents } = begun({ kmeansInit });
    [6, 5, 4].forEach((codes, level) => {
      const { codes: own, ...book } = kmeans(latents, { codes, iterations: 2, seed: `3/${level}` });
      expect(books[level]).toEqual(book.data);
      subtractCodes(latents, own, book);
    });
  });

  test('uniform numbers from -1 / K to 1 / K', () => {
    const { books } = begun({ kmeansInit: 'none' });
    const random = new Random('3/codebooks');
    [6, 5, 4].forEach((codes, level) => {
      expect(books[level]).toEqual(Float32Array.from({ length: 2 * codes }, () => (2 * random.next() - 1) / codes));
    });
  });

  test('those that are given, in the scale of the vectors', () => {
    const plan = planOf({});
    const given = [6, 5, 4].map((rows) => cloud(rows, 2));
    const arrays = initialRqVae(plan, given);
    given.forEach(({ data }, level) => expect(arrays.get(codebookName(level))!.data).toEqual(data.map((value) => value * plan.scale))); // prettier-ignore
    expect(plan.scale).not.toBe(1);
  });
});

describe('dead codes', () => {
  const small = matrix([[0.1, 0], [0.2, 0], [0, 0.3]]); // prettier-ignore

  test('each item that lies on no code is drawn once, however near it is; then no code moves', () => {
    for (let seed = 0; seed < 5; seed++) {
      const book = matrix([[9, 9], [0, 0], [8, 8], [7, 7], [6, 6]]); // prettier-ignore
      expect(moveDeadCodes(small, book, Int32Array.of(1, 1, 1), new Random(seed))).toBe(3);
      const moved = [0, 2, 3].map((code) => [...rowOf(book, code)].join());
      expect(moved.sort()).toEqual([0, 1, 2].map((item) => [...rowOf(small, item)].join()).sort());
      expect([...rowOf(book, 1), ...rowOf(book, 4)]).toEqual([0, 0, 6, 6]);
    }
  });

  test('none is dead: nothing is drawn', () => {
    const book = matrix([[0, 0], [0.2, 0]]); // prettier-ignore
    const random = new Random(1);
    expect(moveDeadCodes(small, book, Int32Array.of(0, 1, 0), random)).toBe(0);
    expect(random.save()).toEqual(new Random(1).save());
  });

  test('a single one is moved for good, and the level after sees what it leaves', () => {
    const shape: RqVaeShape = { input: 2, hidden: [3], latent: 2, sizes: [3, 2], batchNorm: false, residual: true };
    const arrays = initialArrays(shape, 1); // the identity
    arrays.get(codebookName(0))!.data.set([0, 0, 90, 90, 0, 0.3]);
    arrays.get(codebookName(1))!.data.set([0.1, 0, 90, 90]);
    const variables = toVariables(arrays);
    const rest = { ...small, data: small.data.slice() };
    const random = new Random(2);
    const wanted = [0, 1].map((level) => {
      const { data } = arrays.get(codebookName(level))!;
      const book = { rows: data.length / 2, width: 2, data };
      const count = moveDeadCodes(rest, book, nearestCodes(rest, book), random);
      subtractCodes(rest, nearestCodes(rest, book), book);
      return count;
    });
    expect(wanted).toEqual([1, 1]);
    expect(resetDeadCodes(shape, variables, new ScaledRows(small), new Random(2))).toEqual(wanted);
    for (const level of [0, 1]) expect(variables.get(codebookName(level))!.dataSync()).toEqual(arrays.get(codebookName(level))!.data); // prettier-ignore
    tf.dispose([...variables.values()]);
  });
});
