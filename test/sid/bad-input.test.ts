/** What every method makes of input that no shop should have, by its defaults: a stated result, or one line. */
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { useEngine } from '../../lib/engine/engine.js';
import type { Vectors } from '../../lib/files/npy.js';
import { SID_METHODS } from '../../lib/sid/methods.js';
import { type SidOptions } from '../../lib/sid/sid-options.js';
import { METHODS } from '../../lib/sid/methods.js';
import { Random } from '../../lib/support/random.js';

beforeAll(async () => void (await useEngine()));

function cloud(rows: number, width: number, kinds = rows): Vectors {
  const random = new Random(6);
  const base = Array.from({ length: kinds * width }, () => random.normal());
  const data = Float32Array.from({ length: rows * width }, (_, at) => base[at % base.length]!);
  return { rows, width, data };
}

/** As the defaults, but for a small network. */
const quick: SidOptions = { hidden: [8], epochs: 4, batchSize: 50, evalEpochs: 2 };

// `one-code` quantizes nothing: its codebook is the vectors (default-method.test.ts)
describe.each(SID_METHODS.filter((method) => method !== 'one-code'))('%s', (method) => {
  const { quantize: run } = METHODS[method];
  const quantize = async (vectors: Vectors, options: SidOptions = {}) => {
    const before = tf.memory().numTensors;
    const found = await run(vectors, { ...(METHODS[method].learned && quick), ...(method === 'rqvae' && { latent: 4 }), ...options } as never, 'x.npy'); // prettier-ignore
    expect(tf.memory().numTensors).toBe(before);
    return found;
  };

  test.each([
    ['constant vectors', { rows: 200, width: 3, data: new Float32Array(600).fill(0.7) }, 1],
    ['zeros', { rows: 50, width: 3, data: new Float32Array(150) }, 1],
    ['duplicates by the hundred', cloud(300, 4, 3), 3],
    ['two items', cloud(2, 3), 2],
    ['one item', cloud(1, 3), 1],
    ['one column', cloud(60, 1), 60],
  ])('%s: every item gets a SID of its own, and what would have collided is said', async (_, vectors, kinds) => {
    const parts = method === 'rq-opq' ? { products: Math.min(2, vectors.width) } : {};
    const { codes, raw, codebooks, mse, collision } = await quantize(vectors, parts);
    expect(new Set(codes.map(String)).size).toBe(vectors.rows);
    expect(collision.final).toBe(0);
    expect(collision.raw).toBe(1 - new Set(raw.map(String)).size / vectors.rows);
    expect(Number.isFinite(mse)).toBe(true);
    expect(codebooks.every(({ data }) => data.every(Number.isFinite))).toBe(true);
    // without limits on a code's items, equal vectors have equal codes: no more raw SIDs than kinds of vectors
    if (method === 'rqkmeans' || method === 'rqvae') expect(new Set(raw.map(String)).size).toBeLessThanOrEqual(kinds);
  });

  test('levels with nothing left over', async () => {
    const { codes, codebooks } = await quantize(cloud(40, 2, 4), { codebookSize: [4, 4, 4] });
    expect(codebooks.map(({ rows }) => rows)).toEqual([4, 4, 4]);
    expect(new Set(codes.map(String)).size).toBe(40);
  });

  test('what is refused names the file or the flag', async () => {
    const x = cloud(12, 3);
    const fails = (vectors: Vectors, message: string, options: SidOptions = {}) =>
      expect(quantize(vectors, options)).rejects.toThrow(message);
    await fails({ ...x, data: x.data.with(4, NaN) }, 'x.npy: row 1, column 1 is NaN; embed the items anew');
    await fails({ ...x, data: x.data.with(35, -Infinity) }, 'x.npy: row 11, column 2 is -Infinity');
    await fails({ rows: 0, width: 3, data: new Float32Array() }, 'x.npy: expected item vectors, got none');
    await fails(x, 'x.npy: expected a codebook size from 1 to 12, the number of items, got 13', { codebookSize: 13 });
    await fails(x, 'sid: expected levels to be a whole number from 1 to 25, got 26', { levels: 26 });
    await fails(x, 'sid: expected 2 codebook sizes, one a level, got 3', { levels: 2, codebookSize: [2, 2, 2] });
    const collisions = 'reassign';
    await fails(x, 'x.npy: expected at most 8 items for 2 x 2 x 2 codes, got 12', { codebookSize: 2, collisions });
  });
});
