/**
 * LETTER (Wang et al., arXiv 2405.07314): an RQ-VAE whose quantized latents also agree with a recommender's item vectors,
 * and whose codes do not crowd together.
 *
 * Beside the RQ-VAE's own loss: cross-entropy over a batch of the products of quantized latents with the collaborative
 * vectors (weight 0.02), and for every level that of a code's products with its codebook, where one of its own cluster is
 * to win (weight 1e-4, ten clusters). Departures:
 *   1. training is the kit's RQ-VAE's (`rqvae.ts`): 60 epochs, scaled vectors, k-means after some plain autoencoding;
 *   2. clusters of codes have equal sizes, and a step draws one positive a code (`batch-terms.ts`).
 *
 * Shapes: N items, D width of the vectors, E width of the latent and of the collaborative vectors.
 */
import { readNpy, type Vectors } from '../../files/npy.js';
import { InputError } from '../../support/errors.js';
import { checkFinite } from '../check-input.js';
import { LETTER_OPTIONS, type LetterOptions } from '../method-options.js';
import { fingerprint } from './fingerprint.js';
import { rqVaePlan } from './options.js';
import { type RqVae, withCodes } from './rqvae.js';
import { trainRqVae } from './train.js';

/**
 * @param vectors [N, D] @param where names the vectors in errors, such as their file
 * @throws InputError as `rqvae`, and for collaborative vectors of other items or of another width than the latent
 */
export async function letter(vectors: Vectors, options: LetterOptions = {}, where = 'letter'): Promise<RqVae> {
  const {
    collaborative: file,
    collaborativeWeight,
    diversityWeight,
    diversityClusters,
    ...settings
  } = LETTER_OPTIONS.parse(options);
  const found = file === undefined ? null : readCollaborative(file, vectors.rows);
  const { latent = found?.width } = settings;
  if (found && latent !== found.width) {
    throw new InputError(`sid: expected --latent ${found.width}, the width of ${file!}, got ${latent!}; leave it out`);
  }
  const plan = rqVaePlan(vectors, { ...settings, ...(latent !== undefined && { latent }) }, where);
  const weights = { collaborativeWeight, diversityWeight, diversityClusters };
  const collaborative = collaborativeWeight > 0 ? found : null;
  const trained = await trainRqVae(vectors, plan, {
    name: 'letter',
    inputs: {
      vectors: fingerprint(vectors),
      ...weights,
      ...(collaborative && { collaborative: fingerprint(collaborative) }),
    },
    letter: { collaborative, ...weights },
  });
  return withCodes(vectors, plan, trained);
}

/** [N, E] @throws InputError */
function readCollaborative(file: string, items: number): Vectors {
  const found = readNpy(file, 'sidlab baseline sasrec writes item-vectors.npy into the model/ of its run');
  checkFinite(found, file);
  if (found.rows === items) return found;
  throw new InputError(
    `${file}: expected a vector for each of ${items} items, got ${found.rows}; are they of one data set?`,
  );
}
