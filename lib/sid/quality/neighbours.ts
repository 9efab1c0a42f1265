/**
 * The nearest neighbour of items by cosine, on the engine: blocks of the items against blocks of all, so that neither the
 * catalogue nor its products are there at once.
 *
 * Shapes: N items, D width, B items of a block, C rows of a chunk.
 */
import * as tf from '@tensorflow/tfjs';
import { rowOf, rowSlice, type Vectors } from '../../files/npy.js';
import { Random } from '../../support/random.js';

/** What is looked at. */
export interface NearestNeighboursOptions {
  /** Items to look at, drawn by the seed; all where there are fewer. Default 5000. */
  sample?: number;
  /** Default 42. */
  seed?: number;
  /** Rows that a block of items is compared with at once (C). Default 32,768, which makes 64 MiB of products. */
  chunk?: number;
}

/** Items of a block (B). */
const BLOCK = 512;

/** @param vectors [N, D] @returns pairs (item, its nearest other item), ties to the lower; none where N < 2 */
export function nearestNeighbours(vectors: Vectors, options: NearestNeighboursOptions = {}): [number, number][] {
  const { sample = 5000, seed = 42, chunk: size = 32_768 } = options;
  const { rows } = vectors;
  if (rows < 2) return [];
  const items = [...Array(rows).keys()];
  const drawn = rows > sample ? new Random(seed).shuffle(items).slice(0, sample) : items;
  const inOrder = [...drawn].sort((a, b) => a - b); // a block's own rows then lie in few chunks
  const blocks = Array.from({ length: Math.ceil(drawn.length / BLOCK) }, (_, i) => {
    const ids = inOrder.slice(i * BLOCK, (i + 1) * BLOCK);
    return { ids, x: unitRows(gather(vectors, ids)), best: new Nearest(ids.length) };
  });
  for (let first = 0; first < rows; first += size) {
    const chunk = unitRows(rowSlice(vectors, first, Math.min(rows, first + size)));
    for (const { ids, x, best } of blocks) best.update(first, ...nearestIn(x, ids, chunk, first));
    chunk.dispose();
  }
  tf.dispose(blocks.map(({ x }) => x));
  const nearest = new Map(blocks.flatMap(({ ids, best }) => ids.map((id, i) => [id, best.rows[i]!])));
  return drawn.map((item) => [item, nearest.get(item)!]);
}

/** The nearest row of each item of a block so far. */
class Nearest {
  readonly rows: Int32Array;
  private readonly cosines: Float32Array;

  constructor(items: number) {
    this.rows = new Int32Array(items).fill(-1);
    this.cosines = new Float32Array(items).fill(-Infinity);
  }

  /** @param first row of the chunk; chunks come in order, so that ties stay with the lower row */
  update(first: number, places: Int32Array, cosines: Float32Array): void {
    for (let i = 0; i < places.length; i++) {
      if (cosines[i]! > this.cosines[i]!) [this.rows[i], this.cosines[i]] = [first + places[i]!, cosines[i]!];
    }
  }
}

/** The nearest row of a chunk to each item, itself left out: its place in the chunk, and its cosine. [B], [B] */
function nearestIn(
  x: tf.Tensor2D,
  ids: readonly number[],
  chunk: tf.Tensor2D,
  first: number,
): [Int32Array, Float32Array] {
  const size = chunk.shape[0];
  const within = ids.some((id) => id >= first && id < first + size);
  const [places, cosines] = tf.tidy((): [tf.Tensor, tf.Tensor] => {
    const cosine = tf.matMul(x, chunk, false, true); // [B, C]
    const others = within ? tf.sub(cosine, tf.mul(selfMask(ids, first, size), 4)) : cosine;
    return [tf.argMax(others, 1), tf.max(others, 1)];
  });
  const found: [Int32Array, Float32Array] = [places.dataSync<'int32'>(), cosines.dataSync<'float32'>()];
  tf.dispose([places, cosines]);
  return found;
}

/** 1 where a chunk's row is the item itself, else 0. [B, C] */
function selfMask(ids: readonly number[], first: number, size: number): tf.Tensor {
  const places = ids.map((id) => id - first); // one outside the chunk is equal to none
  return tf.cast(tf.equal(tf.tensor2d(places, [ids.length, 1], 'int32'), tf.range(0, size, 1, 'int32')), 'float32');
}

/** Rows of length 1; rows of zeros stay. [N, D] */
function unitRows({ rows, width, data }: Vectors): tf.Tensor2D {
  return tf.tidy(() => {
    const x = tf.tensor2d(data, [rows, width]);
    return tf.div<tf.Tensor2D>(x, tf.maximum(tf.norm(x, 2, 1, true), 1e-12));
  });
}

function gather(vectors: Vectors, ids: readonly number[]): Vectors {
  const data = new Float32Array(ids.length * vectors.width);
  ids.forEach((id, i) => data.set(rowOf(vectors, id), i * vectors.width));
  return { rows: ids.length, width: vectors.width, data };
}
