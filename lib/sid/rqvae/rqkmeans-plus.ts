/**
 * RQ-Kmeans+: an RQ-VAE that begins as constrained RQ-Kmeans and is trained to add to it.
 *
 * Follows MiniOneRec's RQ-Kmeans+ (after GPR, arXiv 2511.10138): the encoder is `x + MLP(x)` with the last layer
 * zeroed, the latent as wide as the vectors, the codebooks those of constrained RQ-Kmeans; rate 1e-4, batches of 2,048.
 * Departures:
 *   1. the decoder is `q + MLP(q)` with the last layer zeroed too, so that training starts at the error of the codebooks
 *      themselves and not at that of a random network;
 *   2. when it is trained, codes are balanced as in constrained RQ-Kmeans (N/K - 1 to N/K + 1 items a code and
 *      level, the optimum): with the nearest codes it collides more than what it started from, though its error is
 *      lower;
 *   3. 24 epochs of batches of 256 at a peak rate of 1e-3 instead of thousands of 2,048 at 1e-4: at 1e-4 a dozen
 *      epochs move the error by half a per cent.
 *
 * Shapes: N items, D width, L levels, K codes.
 */
import type { Cluster } from '../../cluster/cluster.js';
import { hashText } from '../../files/files.js';
import type { Vectors } from '../../files/npy.js';
import { InputError } from '../../support/errors.js';
import { balancedCodes } from '../balanced/balanced-codes.js';
import { rqKmeansConstrained } from '../balanced/rqkmeans-constrained.js';
import { codebookSizes } from '../check-input.js';
import { readCodebooks } from '../files/codebook-files.js';
import { readSids } from '../files/read-sids.js';
import { readCard } from '../files/sid-card.js';
import { collisionRate, meanSquaredError } from '../quantized.js';
import { rqVaePlan } from './options.js';
import { fingerprint } from './fingerprint.js';
import { checkDivides } from './processes.js';
import { type RqVae, withCodes } from './rqvae.js';
import { trainRqVae } from './train.js';
import { RQKMEANS_PLUS_OPTIONS, type RqKmeansPlusOptions } from '../method-options.js';

/** As `RqVae`, and what it started from. */
export interface RqKmeansPlus extends RqVae {
  /** Constrained RQ-Kmeans before any training: its error, and its raw collision rate. */
  start: { mse: number; collision: number };
}

/**
 * @param vectors [N, D]
 * @param where names the vectors in errors, such as their file
 * @param cluster as `rqvae`'s
 * @throws InputError as `rqvae`, and for codebooks that are missing or of another width
 */
export async function rqKmeansPlus(
  vectors: Vectors,
  options: RqKmeansPlusOptions = {},
  where = 'rqKmeansPlus',
  cluster?: Cluster,
): Promise<RqKmeansPlus> {
  const { startIndex, ...settings } = RQKMEANS_PLUS_OPTIONS.parse(options);
  const given = startIndex === undefined ? undefined : readStart(startIndex, vectors);
  const levels = given ? { codebookSize: given.codebooks.map((book) => book.rows) } : {};
  const plan = rqVaePlan(vectors, { ...settings, ...levels }, where, true);
  if (cluster) checkDivides(plan, cluster);
  const { codebooks, codes } = given ?? computeStart(vectors, options, where, cluster);
  const start = { mse: meanSquaredError(vectors, codes, codebooks), collision: collisionRate(codes) };
  const trained = await trainRqVae(vectors, plan, {
    name: 'rqkmeans-plus',
    codebooks,
    inputs: { vectors: fingerprint(vectors), codebooks: hashText(codebooks.map(fingerprint).join()) },
    cluster,
  });
  return { ...withCodes(vectors, plan, trained, (latents, books) => balancedCodes(latents, books)), start };
}

interface Start {
  codebooks: Vectors[];
  /** [N][L] */
  codes: number[][];
}

function computeStart(
  vectors: Vectors,
  options: RqKmeansPlusOptions,
  where: string,
  cluster: Cluster | undefined,
): Start {
  const { seed, kmeansIterations: iterations } = options;
  return rqKmeansConstrained(
    vectors,
    {
      codebookSize: codebookSizes(vectors.rows, options, where),
      collisions: 'keep',
      ...(iterations !== undefined && { iterations }),
      ...(seed !== undefined && { seed }),
    },
    where,
    cluster,
  );
}

/** @throws InputError */
function readStart(index: string, vectors: Vectors): Start {
  const method = readCard(index)?.method ?? 'rqkmeans-constrained';
  if (method !== 'rqkmeans-constrained') {
    throw new InputError(`${index}: expected an index of rqkmeans-constrained to start from, got one of ${method}`);
  }
  const codebooks = readCodebooks(index, vectors.width);
  const { codes, raw = codes } = readSids(index, vectors.rows);
  return { codebooks, codes: raw.map((path) => path.slice(0, codebooks.length)) };
}
