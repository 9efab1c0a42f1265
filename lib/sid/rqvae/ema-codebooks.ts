/**
 * Codebooks as running means of the rows that chose them, in place of a gradient (van den Oord et al., arXiv 1711.00937,
 * appendix; Razavi et al., arXiv 1906.00446): n <- d n + (1 - d) rows of the code, m <- d m + (1 - d) their sum,
 * code = m / n, n smoothed by (n + 1e-5) / (sum n + K 1e-5) sum n, as in lucidrains' vector-quantize-pytorch. In several
 * processes both are of all their rows.
 *
 * Shapes: B rows, K codes of a level, E width.
 */
import * as tf from '@tensorflow/tfjs';
import type { Cluster } from '../../cluster/cluster.js';
import type { NamedArray } from '../../files/safetensors.js';
import { sumRows } from '../../ops/embedding.js';

const EPSILON = 1e-5;

interface Level {
  book: tf.Variable;
  /** [K] */
  counts: tf.Variable;
  /** [K, E] */
  sums: tf.Variable;
}

/** The running counts and sums of some codebooks, which are moved in place. */
export class EmaCodebooks {
  private readonly levels = new Map<string, Level>();

  /** @param books [K, E] by name @param decay of counts and sums, an update @param cluster whose processes update together */
  constructor(
    books: ReadonlyMap<string, tf.Variable>,
    private readonly decay: number,
    private readonly cluster?: Cluster,
  ) {
    for (const [name, book] of books) {
      const counts = tf.tidy(() => tf.variable(tf.ones([book.shape[0]!])));
      const sums = tf.tidy(() => tf.variable(book.clone()));
      this.levels.set(name, { book, counts, sums });
    }
  }

  /** Begins at the codebooks as they are now: k-means filled them, or dead codes were reset. Codes of less than a row count one. */
  anchor(): void {
    for (const { book, counts, sums } of this.levels.values()) {
      tf.tidy(() => {
        counts.assign(tf.maximum(counts, 1));
        sums.assign(tf.mul(book, tf.expandDims(counts, 1)));
      });
    }
  }

  /** @param codes int32 [B] @param rows that chose them [B, E] @param times how often they count. Default once */
  update(name: string, codes: tf.Tensor1D, rows: tf.Tensor2D, times = 1): void {
    const { book, counts, sums } = this.levels.get(name)!;
    const size = book.shape[0]!;
    tf.tidy(() => {
      const fresh = 1 - this.decay;
      const own = [tf.ones([codes.shape[0]]), rows].map((x) => tf.mul(sumRows(x, codes, size), times));
      const [arrived, summed] = this.cluster?.sum(own) ?? own; // [K], [K, E]
      counts.assign(tf.add(tf.mul(counts, this.decay), tf.mul(arrived!, fresh)));
      sums.assign(tf.add(tf.mul(sums, this.decay), tf.mul(summed!, fresh)));
      const total = tf.sum(counts);
      const smooth = tf.mul(tf.div(tf.add(counts, EPSILON), tf.add(total, size * EPSILON)), total);
      book.assign(tf.div(sums, tf.expandDims(smooth, 1)));
    });
  }

  save(): Map<string, NamedArray> {
    return new Map(
      this.named().map(([name, variable]) => [
        name,
        { shape: variable.shape, data: variable.dataSync<'float32'>().slice() },
      ]),
    );
  }

  /** @param arrays what `save` gave */
  restore(arrays: ReadonlyMap<string, NamedArray>): void {
    for (const [name, variable] of this.named()) {
      const array = arrays.get(name);
      if (!array) throw new Error(`ema: expected ${name} in the checkpoint, got none; remove the checkpoint`);
      tf.tidy(() => variable.assign(tf.tensor(array.data, variable.shape)));
    }
  }

  /** All that `save` writes. */
  get variables(): tf.Variable[] {
    return this.named().map(([, variable]) => variable);
  }

  dispose(): void {
    tf.dispose(this.variables);
  }

  private named(): [string, tf.Variable][] {
    return [...this.levels].flatMap(([name, { counts, sums }]): [string, tf.Variable][] => [
      [`${name}.ema_counts`, counts],
      [`${name}.ema_sums`, sums],
    ]);
  }
}
