/**
 * Item-to-item quality of vectors: at which rank each item's most frequent neighbour comes among all other items, by
 * cosine (GRec's I2I evaluation: Hit@1, 5, 10, 50 and the ranks).
 *
 * Ties are broken against the vectors: an item that is as near as the neighbour counts as nearer, so that vectors which
 * are all the same are not good. On the engine, block by block. Shapes: N items, D width, B items of a block.
 */
import * as tf from '@tensorflow/tfjs';
import { checkFinite } from '../../files/finite.js';
import { rowOf, type Vectors } from '../../files/npy.js';
import { InputError } from '../../support/errors.js';

/** What was measured of vectors. */
export interface ItemToItem {
  /** Items with a neighbour. */
  items: number;
  /** Share of them whose neighbour is among the first k, by `Hit@k`. */
  hits: Record<`Hit@${number}`, number>;
  /** Mean of 1 / rank. */
  mrr: number;
  /** Half of the ranks are at most this. */
  medianRank: number;
  /** From 1; in the order of `truth`. */
  ranks: number[];
}

/** The k of `Hit@k`. */
export const HIT_AT = [1, 5, 10, 50] as const;

const BLOCK = 512;

/**
 * @param vectors [N, D], row = item id; a row of zeros has cosine 0 to all
 * @param truth item -> its neighbour, as `mostFrequentNeighbours` gives it
 * @throws InputError for no item, an id that the vectors lack, or a number that is not finite: no item would be nearer
 */
export function itemToItem(vectors: Vectors, truth: ReadonlyMap<number, number>): ItemToItem {
  const pairs = [...truth];
  if (pairs.length === 0) {
    throw new InputError('i2i: expected items that occur together, got none; lower --at-least or raise --window');
  }
  const beyond = pairs.flat().find((id) => id >= vectors.rows);
  if (beyond !== undefined) {
    throw new InputError(
      `i2i: expected vectors of ${beyond + 1} items at least, got ${vectors.rows}; embed the same data`,
    );
  }
  checkFinite(vectors, 'i2i');
  const all = unit(vectors, [...Array(vectors.rows).keys()]);
  const ranks: number[] = [];
  for (let from = 0; from < pairs.length; from += BLOCK)
    ranks.push(...ranksOf(vectors, all, pairs.slice(from, from + BLOCK)));
  all.dispose();
  const sorted = [...ranks].sort((a, b) => a - b);
  const share = (k: number): number => ranks.filter((rank) => rank <= k).length / ranks.length;
  return {
    items: ranks.length,
    hits: Object.fromEntries(HIT_AT.map((k) => [`Hit@${k}`, share(k)])) as ItemToItem['hits'],
    mrr: ranks.reduce((sum, rank) => sum + 1 / rank, 0) / ranks.length,
    medianRank: sorted[Math.ceil(sorted.length / 2) - 1]!,
    ranks,
  };
}

function ranksOf(vectors: Vectors, all: tf.Tensor2D, pairs: readonly (readonly [number, number])[]): number[] {
  const block = unit(
    vectors,
    pairs.map(([item]) => item),
  ); // [B, D]
  const cosines = tf.tidy(() => tf.matMul(block, all, false, true)); // [B, N]
  const values = cosines.dataSync();
  tf.dispose([block, cosines]);
  return pairs.map(([item, neighbour], b) => {
    const row = values.subarray(b * vectors.rows, (b + 1) * vectors.rows);
    const own = row[neighbour]!;
    let rank = 1;
    for (let other = 0; other < row.length; other++) {
      if (other !== item && other !== neighbour && row[other]! >= own) rank++;
    }
    return rank;
  });
}

/** Rows of length 1. @returns [ids, D] */
function unit(vectors: Vectors, ids: readonly number[]): tf.Tensor2D {
  const data = new Float32Array(ids.length * vectors.width);
  ids.forEach((id, i) => {
    const row = rowOf(vectors, id);
    let squares = 0;
    for (const x of row) squares += x * x;
    const scale = squares > 0 ? 1 / Math.sqrt(squares) : 0;
    for (let d = 0; d < row.length; d++) data[i * vectors.width + d] = row[d]! * scale;
  });
  return tf.tensor2d(data, [ids.length, vectors.width]);
}
