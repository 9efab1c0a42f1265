/** Residual k-means in batches against a second implementation in plain numbers: samples, batches, running means, metrics. */
import { beforeAll, describe, expect, test } from 'vitest';
import { useEngine } from '../../../lib/engine/engine.js';
import { rowOf, type Vectors } from '../../../lib/files/npy.js';
import { rankCollisions } from '../../../lib/sid/collisions/collisions.js';
import { kmeans } from '../../../lib/sid/kmeans/kmeans.js';
import { nearestCodes } from '../../../lib/sid/kmeans/lloyd.js';
import { batchesOfRuns } from '../../../lib/sid/kmeans/minibatch-rows.js';
import { rqKmeansMiniBatch } from '../../../lib/sid/kmeans/rqkmeans-minibatch.js';
import type { RqKmeansMiniBatchOptions } from '../../../lib/sid/method-options.js';
import { collisionRate, meanSquaredError } from '../../../lib/sid/quantized.js';
import { subtractCodes } from '../../../lib/sid/residual.js';
import { Random } from '../../../lib/support/random.js';

beforeAll(async () => void (await useEngine()));

function cloud(rows: number, width: number): Vectors {
  const random = new Random('minibatch');
  return { rows, width, data: Float32Array.from({ length: rows * width }, () => random.normal()) };
}

const pick = (from: Vectors, rows: readonly number[]): Vectors => ({ ...from, rows: rows.length, data: Float32Array.from(rows.flatMap((row) => [...rowOf(from, row)])) }); // prettier-ignore

/** Rows of each batch: runs of 256 rows, or of a batch where that is less, in a shuffled order. */
function plainBatches(rows: number, size: number, random: Random): number[][] {
  const run = size < 256 ? size : 256;
  const runs: number[][] = [];
  for (let row = 0; row < rows; row++) (runs[Math.floor(row / run)] ??= []).push(row);
  random.shuffle(runs);
  const batches: number[][] = [];
  const each = Math.floor(size / run);
  runs.forEach((own, i) => (batches[Math.floor(i / each)] ??= []).push(...own));
  return batches;
}

type Options = Required<Omit<RqKmeansMiniBatchOptions, 'levels' | 'collisions'>> & { codebookSize: number[] };

function plain(x: Vectors, { codebookSize, batchSize, passes, sampleRows, iterations, seed }: Options): Vectors[] {
  const rest = { ...x, data: x.data.slice() };
  return codebookSize.map((codes, level) => {
    const random = new Random(`${seed}/${level}/rows`);
    const order = random.shuffle([...Array(x.rows).keys()]).slice(0, sampleRows > codes ? sampleRows : codes);
    const sample = pick(rest, order.sort((a, b) => a - b)); // prettier-ignore
    const init = level === 0 ? 'k-means++' : 'random-groups';
    const { codes: own, data } = kmeans(sample, { codes, iterations, init, seed: `${seed}/${level}` });
    const book = { rows: codes, width: x.width, data };
    const counts = Array.from({ length: codes }, (_, code) => own.filter((other) => other === code).length);
    for (let pass = 0; pass < passes; pass++) {
      counts.forEach((count, code) => (counts[code] = Math.min(count, batchSize / codes)));
      for (const rows of plainBatches(x.rows, batchSize, random)) {
        const nearest = nearestCodes(pick(rest, rows), book);
        const chose = (code: number): number[] => rows.filter((_, i) => nearest[i] === code);
        for (let code = 0; code < codes; code++) {
          const mine = chose(code);
          if (mine.length === 0) continue;
          const before = counts[code]!;
          counts[code] = before + mine.length;
          rowOf(book, code).forEach((value, j, centre) => {
            const sum = mine.reduce((all, row) => all + rowOf(rest, row)[j]!, 0);
            centre[j] = (before * value + sum) / counts[code]!;
          });
        }
      }
    }
    subtractCodes(rest, nearestCodes(rest, book), book);
    return book;
  });
}

describe.each([
  ['batches of two runs, the last of one that is shorter', 700, { batchSize: 600, passes: 2, sampleRows: 64 }],
  ['batches shorter than a run', 350, { batchSize: 100, passes: 1, sampleRows: 40 }],
  ['a batch that is all, a sample of fewer rows than codes', 300, { batchSize: 5000, passes: 1, sampleRows: 3 }],
  ['a sample that is all, no pass', 200, { batchSize: 256, passes: 0, sampleRows: 500 }],
])('%s', (_, rows, given) => {
  test('codebooks, codes and metrics', () => {
    const x = cloud(rows, 3);
    const options = { codebookSize: [7, 5, 4], iterations: 3, seed: 9, ...given };
    const books = plain(x, options);
    const found = rqKmeansMiniBatch(x, { ...options, levels: 3, collisions: 'rank' });
    books.forEach(({ data }, level) =>
      data.forEach((value, at) => expect(Math.abs(found.codebooks[level]!.data[at]! - value)).toBeLessThan(1e-5)),
    );
    expect(found.codes).toEqual(rankCollisions(found.raw));
    expect(found.collision).toEqual({ raw: collisionRate(found.raw), final: 0 });
    expect(found.mse).toBeCloseTo(meanSquaredError(x, found.raw, found.codebooks), 9);
    const counts = found.codebooks.flatMap((book, level) => Array.from({ length: book.rows }, (_, code) => found.raw.filter((path) => path[level] === code).length)); // prettier-ignore
    expect(found.clusterSize).toEqual({ min: Math.min(...counts), max: Math.max(...counts) });
    expect(found.codesUsed).toEqual([7, 5, 4]);
  });
});

test('more rows than are looked at at once', () => {
  const x = cloud(16_390, 1);
  const options = { codebookSize: [3], batchSize: 8192, passes: 1, sampleRows: 64, iterations: 5, seed: 1 };
  const { codebooks, raw, mse } = rqKmeansMiniBatch(x, { ...options, levels: 1, collisions: 'keep' });
  plain(x, options)[0]!.data.forEach((value, at) => expect(codebooks[0]!.data[at]).toBeCloseTo(value, 5));
  expect(raw.flat()).toEqual([...nearestCodes(x, codebooks[0]!)]);
  expect(mse).toBeCloseTo(meanSquaredError(x, raw, codebooks), 9);
});

test.each([
  [1000, 600],
  [1000, 512],
  [1000, 100],
  [256, 256],
  [257, 256],
  [5, 1],
])('%i rows in batches of %i', (rows, size) => {
  const batches = batchesOfRuns(rows, size, new Random(2));
  const found = batches.map((runs) => runs.flatMap(([first, count]) => Array.from({ length: count }, (_, i) => first + i))); // prettier-ignore
  expect(found).toEqual(plainBatches(rows, size, new Random(2)));
});
