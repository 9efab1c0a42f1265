/**
 * What a step adds to the plain RQ-VAE's loss (`estimators.ts`), made anew for every batch: Gumbel noise, the collaborative
 * vectors of its items, and a positive for each code from LETTER's clusters of the codebook (arXiv 2405.07314).
 *
 * Clusters are made at the begin of every epoch that quantizes, of equal sizes give or take one, as LETTER's are
 * constrained. Departures:
 *   1. a step draws one positive a code, not one an item: items of one code share it;
 *   2. a level of fewer than two codes a cluster has fewer clusters.
 *
 * Shapes: N items, B rows, E width of the latent, K codes of a level, L levels.
 */
import * as tf from '@tensorflow/tfjs';
import { rowOf, type Vectors } from '../../files/npy.js';
import type { Random } from '../../support/random.js';
import { balancedKmeans } from '../balanced/balanced-kmeans.js';
import type { CodeTerms } from './estimators.js';
import type { RqVaePlan } from './options.js';
import { codebookName, codebooksOf, fromVariables } from './parameters.js';

/** LETTER's two losses. */
export interface LetterTerms {
  /** [N, E] of a recommender, row = item id; null where the loss has no weight. */
  collaborative: Vectors | null;
  collaborativeWeight: number;
  diversityWeight: number;
  /** Of a level's codes. */
  diversityClusters: number;
}

/** Makes a batch's terms. */
export class BatchTerms {
  /** The other codes of each code's cluster, a level [L][K]. */
  private clusters: number[][][] = [];

  constructor(
    private readonly plan: RqVaePlan,
    private readonly letter?: LetterTerms,
  ) {}

  /** @param epoch decides with the seed how the clusters begin */
  beginEpoch(epoch: number, variables: ReadonlyMap<string, tf.Variable>): void {
    const { letter, plan } = this;
    if (!letter || letter.diversityWeight === 0) return;
    const names = plan.shape.sizes.map((_, level) => codebookName(level));
    const books = codebooksOf(plan.shape, fromVariables(new Map(names.map((name) => [name, variables.get(name)!]))));
    this.clusters = books.map((book, level) =>
      clusterMates(book, letter.diversityClusters, `${plan.seed}/clusters/${epoch}/${level}`),
    );
  }

  /**
   * @param random of noise and positives
   * @returns undefined where the plain loss is all there is; the caller disposes the tensors with `disposeTerms`
   */
  of(batch: readonly number[], random: Random): CodeTerms | undefined {
    const { estimator, gumbelTemperature, balanceWeight, balanceTemperature, shape } = this.plan;
    const { letter } = this;
    if (estimator === 'straight-through' && balanceWeight === 0 && !letter) return undefined;
    const noise = (codes: number): tf.Tensor2D =>
      tf.tensor2d(
        Float32Array.from({ length: batch.length * codes }, () => gumbel(random)),
        [batch.length, codes],
      );
    return {
      estimator,
      ...(estimator === 'gumbel' && { gumbel: { noise: shape.sizes.map(noise), temperature: gumbelTemperature } }),
      ...(balanceWeight > 0 && { balance: { weight: balanceWeight, temperature: balanceTemperature } }),
      ...(letter?.collaborative && {
        collaborative: { weight: letter.collaborativeWeight, vectors: rowsOf(letter.collaborative, batch) },
      }),
      ...(letter &&
        letter.diversityWeight > 0 && {
          diversity: {
            weight: letter.diversityWeight,
            positives: this.clusters.map((mates) => positives(mates, random)),
          },
        }),
    };
  }
}

function positives(mates: readonly (readonly number[])[], random: Random): tf.Tensor1D {
  const drawn = mates.map((own, code) => (own.length === 0 ? code : own[random.int(own.length)]!));
  return tf.tensor1d(drawn, 'int32');
}

/** Frees a batch's tensors. */
export function disposeTerms(terms: CodeTerms | undefined): void {
  tf.dispose([terms?.gumbel?.noise, terms?.collaborative?.vectors, terms?.diversity?.positives] as tf.TensorContainer);
}

/** A draw from Gumbel's distribution: -log(-log u). */
function gumbel(random: Random): number {
  return -Math.log(-Math.log(Math.max(random.next(), Number.MIN_VALUE)));
}

function rowsOf(vectors: Vectors, rows: readonly number[]): tf.Tensor2D {
  const data = new Float32Array(rows.length * vectors.width);
  rows.forEach((row, i) => data.set(rowOf(vectors, row), i * vectors.width));
  return tf.tensor2d(data, [rows.length, vectors.width]);
}

/** The other codes of each code's cluster [K]; none where a level has a single code. */
export function clusterMates(book: Vectors, clusters: number, seed: string): number[][] {
  const codes = Math.max(1, Math.min(clusters, Math.floor(book.rows / 2)));
  const found = balancedKmeans(book, {
    codes,
    clusterSize: [Math.floor(book.rows / codes), Math.ceil(book.rows / codes)],
    nInit: 1,
    iterations: 10,
    seed,
  });
  const members = Array.from({ length: codes }, (): number[] => []);
  found.codes.forEach((cluster, code) => members[cluster]!.push(code));
  return Array.from(found.codes, (cluster, code) => members[cluster]!.filter((other) => other !== code));
}
