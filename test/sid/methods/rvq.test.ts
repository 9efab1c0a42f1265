/** R-VQ against a second implementation of its loop in plain numbers: batches, running means, resets of dead codes. */
import { beforeAll, expect, test } from 'vitest';
import { useEngine } from '../../../lib/engine/engine.js';
import { rowOf, type Vectors } from '../../../lib/files/npy.js';
import { pickRows } from '../../../lib/sid/kmeans/initial-centres.js';
import { kmeans } from '../../../lib/sid/kmeans/kmeans.js';
import { nearestCodes } from '../../../lib/sid/kmeans/lloyd.js';
import type { RvqOptions } from '../../../lib/sid/method-options.js';
import { subtractCodes } from '../../../lib/sid/residual.js';
import { moveDeadCodes } from '../../../lib/sid/rqvae/dead-codes.js';
import { rvq } from '../../../lib/sid/rvq.js';
import { Random } from '../../../lib/support/random.js';

beforeAll(async () => void (await useEngine()));

const random = new Random('rvq');
/** More rows than the 32 a code that k-means begins with. */
const x: Vectors = { rows: 140, width: 3, data: Float32Array.from({ length: 420 }, () => random.normal()) };

/** A level: codes [K, D], and the running counts [K] and sums [K, D] of the rows that chose them. */
interface Level {
  book: Vectors;
  counts: number[];
  sums: Float64Array;
}

function begin({ codebookSize, iterations, seed }: Plain): Level[] {
  const rest = pickRows(x, Math.min(140, 32 * Math.max(...codebookSize)), new Random(`${seed}/rows`));
  return codebookSize.map((codes, level) => {
    const init = level === 0 ? 'k-means++' : 'random-groups';
    const { codes: own, ...found } = kmeans(rest, { codes, iterations, init, seed: `${seed}/${level}` });
    const book = { rows: codes, width: 3, data: found.data };
    subtractCodes(rest, own, book);
    return { book, counts: Array<number>(codes).fill(1), sums: Float64Array.from(book.data) };
  });
}

function update({ book, counts, sums }: Level, rows: Vectors, codes: ArrayLike<number>, decay: number): void {
  counts.forEach((count, code) => (counts[code] = count * decay));
  sums.forEach((sum, at) => (sums[at] = sum * decay));
  for (let i = 0; i < rows.rows; i++) {
    counts[codes[i]!]! += 1 - decay;
    rowOf(rows, i).forEach((value, j) => (sums[codes[i]! * 3 + j]! += (1 - decay) * value));
  }
  const total = counts.reduce((sum, count) => sum + count, 0);
  counts.forEach((count, code) => {
    const smooth = ((count + 1e-5) / (total + counts.length * 1e-5)) * total;
    for (let j = 3 * code; j < 3 * code + 3; j++) book.data[j] = sums[j]! / smooth;
  });
}

/** @returns how many codes moved */
function reset(levels: readonly Level[], from: Random): number {
  const rest = { ...x, data: x.data.slice() };
  const moved = levels.map(({ book }) => {
    const count = moveDeadCodes(rest, book, nearestCodes(rest, book), from);
    subtractCodes(rest, nearestCodes(rest, book), book);
    return count;
  });
  return moved.reduce((sum, count) => sum + count, 0);
}

type Plain = Required<Pick<RvqOptions, 'epochs' | 'batchSize' | 'emaDecay' | 'iterations' | 'seed'>> & {
  codebookSize: number[];
};

/** @returns codebooks, and how many codes were dead after each epoch */
function plain(options: Plain): { books: Vectors[]; dead: number[] } {
  const { epochs, batchSize, emaDecay, seed } = options;
  const levels = begin(options);
  const dead = Array.from({ length: epochs }, (_, epoch) => {
    const order = new Random(`${seed}/epoch/${epoch}`).shuffle([...Array(x.rows).keys()]);
    for (let first = 0; first < x.rows; first += batchSize) {
      const rows = order.slice(first, first + batchSize);
      const rest = { rows: rows.length, width: 3, data: Float32Array.from(rows.flatMap((row) => [...rowOf(x, row)])) };
      for (const level of levels) {
        const codes = nearestCodes(rest, level.book);
        const left = { ...rest, data: rest.data.slice() };
        subtractCodes(left, codes, level.book);
        update(level, rest, codes, emaDecay);
        rest.data.set(left.data);
      }
    }
    const now = epoch < Math.floor(epochs / 2) ? levels : structuredClone(levels);
    const moved = reset(now, new Random(`${seed}/reset/${epoch}`));
    if (now === levels && moved > 0) {
      for (const { book, counts, sums } of levels) {
        counts.forEach((count, code) => (counts[code] = Math.max(1, count)));
        sums.forEach((_, at) => (sums[at] = counts[Math.floor(at / 3)]! * book.data[at]!));
      }
    }
    return moved;
  });
  return { books: levels.map(({ book }) => book), dead };
}

test.each([
  [[4, 3, 2], 2, 9, 1, [0, 0]],
  [[20, 12, 6], 5, 20, 35, [0, 1, 1, 0, 1]],
])('codebooks are those of plain numbers: %j codes, %i epochs in batches of %i, seed %i', (...given) => {
  const [codebookSize, epochs, batchSize, seed, dead] = given;
  const options = { codebookSize, epochs, batchSize, emaDecay: 0.3, iterations: 2, seed };
  const wanted = plain(options);
  expect(wanted.dead).toEqual(dead); // in the half that resets and in the half that does not
  const found = rvq(x, { ...options, levels: 3, collisions: 'keep' });
  wanted.books.forEach(({ data }, level) =>
    data.forEach((value, at) => expect(Math.abs(found.codebooks[level]!.data[at]! - value)).toBeLessThan(2e-5)),
  );
});
