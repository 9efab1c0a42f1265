/** Optimized product quantization against a second implementation in plain numbers: parts, rotations, codebooks. */
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { useEngine } from '../../../lib/engine/engine.js';
import { rowOf, type Vectors } from '../../../lib/files/npy.js';
import { kmeans } from '../../../lib/sid/kmeans/kmeans.js';
import { nearestRotation } from '../../../lib/sid/rqopq/nearest-rotation.js';
import { opq, type OpqOptions } from '../../../lib/sid/rqopq/opq.js';
import { rqOpq } from '../../../lib/sid/rqopq/rq-opq.js';
import { Random } from '../../../lib/support/random.js';

beforeAll(async () => void (await useEngine()));

const product = (a: readonly number[][], b: readonly number[][]): number[][] =>
  a.map((row) => b[0]!.map((_, j) => row.reduce((sum, value, k) => sum + value * b[k]![j]!, 0)));
const turned = (a: readonly number[][]): number[][] => a[0]!.map((_, j) => a.map((row) => row[j]!));

/** Normal numbers, the columns of these deviations about the means. */
function cloud(rows: number, deviations: readonly number[], mean = 0): Vectors {
  const random = new Random('opq');
  const width = deviations.length;
  const data = Float32Array.from({ length: rows * width }, (_, at) => mean * (at % 3) + deviations[at % width]! * random.normal()); // prettier-ignore
  return { rows, width, data };
}

/** From the largest variance on, each column to the part of the smallest sum that has room; the first parts are larger. */
function plainColumns(x: readonly number[][], parts: number): number[][] {
  const width = x[0]!.length;
  const variances = turned(x).map((column) => {
    const mean = column.reduce((sum, value) => sum + value, 0) / column.length;
    return column.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  });
  const columns = Array.from({ length: parts }, (): number[] => []);
  const room = columns.map((_, part) => Math.floor(width / parts) + Number(part < width % parts));
  const sum = (part: number): number => columns[part]!.reduce((all, column) => all + variances[column]!, 0);
  for (const column of [...variances.keys()].sort((a, b) => variances[b]! - variances[a]!)) {
    const open = [...columns.keys()].filter((part) => columns[part]!.length < room[part]!);
    columns[open.reduce((best, part) => (sum(part) < sum(best) ? part : best))]!.push(column);
  }
  return columns;
}

function plainOpq({ rows, width, data }: Vectors, { sizes, rotations, iterations, seed }: OpqOptions) {
  const x = Array.from({ length: rows }, (_, i) => [...rowOf({ rows, width, data }, i)]);
  const columns = plainColumns(x, sizes.length);
  let rotation = Array.from({ length: width }, (_, i) => columns.flat().map((column) => Number(column === i)));
  let centres: Vectors[] = [];
  for (let round = 0; ; round++) {
    const rotated = product(x, rotation);
    let start = 0;
    const near: number[][] = x.map(() => []);
    const found = columns.map((own, part) => {
      const slice = rotated.map((row) => row.slice(start, start + own.length));
      start += own.length;
      const from = { rows, width: own.length, data: Float32Array.from(slice.flat()) };
      const init = centres[part] ?? 'k-means++';
      const { codes, ...book } = kmeans(from, { codes: sizes[part]!, iterations, init, seed: `${seed}/${part}` });
      near.forEach((row, i) => row.push(...rowOf(book, codes[i]!)));
      return { codes, start: start - own.length, book: { rows: book.rows, width: book.width, data: book.data } };
    });
    if (round === rotations) {
      return found.map(({ codes, start: from, book }) => {
        const own = rotation.map((row) => row.slice(from, from + book.width));
        const codebook = product(Array.from({ length: book.rows }, (_, k) => [...rowOf(book, k)]), turned(own)); // prettier-ignore
        return { codes, codebook };
      });
    }
    centres = found.map(({ book }) => book);
    const before = rotation;
    rotation = tf.tidy(() => nearestRotation(tf.tensor2d(product(turned(x), near)), tf.tensor2d(before)).arraySync());
  }
}

function expectAsPlain(x: Vectors, options: OpqOptions): void {
  const [found, wanted] = [opq(x, options), plainOpq(x, options)];
  wanted.forEach(({ codes, codebook }, part) => {
    expect(found[part]!.codebook).toMatchObject({ rows: codebook.length, width: x.width });
    const flat = codebook.flat();
    found[part]!.codebook.data.forEach((value, at) => expect(Math.abs(value - flat[at]!)).toBeLessThan(1e-3));
    expect(found[part]!.codes).toEqual(codes);
  });
}

describe('without a rotation: columns in parts', () => {
  test.each([
    ['one column above all', 7, 3, [90, 1, 2, 3, 2.5, 1.5, 0.5]],
    ['one below all', 7, 3, [3, 2, 2.5, 4, 0.1, 3.5, 4.5]],
    ['halves', 6, 3, [16, 8, 4, 2, 1, 0.5]],
    ['twins', 5, 2, [1, 1, 3, 3, 1]],
    ['as many parts as columns', 4, 4, [1, 4, 2, 3]],
    ['one part', 3, 1, [1, 2, 3]],
  ])('%s: %i columns in %i', (_, width, parts, deviations) => {
    expect(deviations).toHaveLength(width);
    const sizes = Array.from({ length: parts }, (_, part) => 2 + (part % 2));
    expectAsPlain(cloud(24, deviations, 5), { sizes, rotations: 0, iterations: 2, seed: 3 });
  });

  test('constant columns: each part has its share', () => {
    const x = { rows: 4, width: 3, data: new Float32Array(12) };
    const found = opq(x, { sizes: [1, 1, 1], rotations: 0, iterations: 2, seed: 3 });
    expect(found.map(({ codebook }) => codebook.width)).toEqual([3, 3, 3]);
    expectAsPlain(x, { sizes: [1, 1, 1], rotations: 0, iterations: 2, seed: 3 });
  });

  test('columns of one variance: the earlier to the earlier part', () => {
    const x = { rows: 4, width: 4, data: Float32Array.from([1, 1, 1, 1, -1, 1, -1, 1, 1, -1, -1, -1, -1, -1, 1, -1]) };
    expectAsPlain(x, { sizes: [2, 2], rotations: 0, iterations: 2, seed: 3 });
  });
});

test('as many products as columns and as levels are allowed', () => {
  const found = rqOpq(cloud(12, [1, 2]), { levels: 2, codebookSize: 3, products: 2, collisions: 'keep' });
  expect(found.codebooks.map(({ rows, width }) => [rows, width])).toEqual([
    [3, 2],
    [3, 2],
  ]);
});

test.each([1, 3])('%i rotations', (rotations) => {
  const mixed = cloud(60, [1, 1.2, 0.8, 2, 1.5]);
  for (let i = 0; i < 60; i++) rowOf(mixed, i).forEach((_, j, row) => (row[j]! += j === 0 ? 0 : 0.7 * row[j - 1]!));
  expectAsPlain(mixed, { sizes: [3, 4], rotations, iterations: 3, seed: 'opq' });
});
