/**
 * Reads what the `sid` stage left beside an index, as one: index, codebooks, the model of a learned method, and the card
 * that holds them together (`sid-card.ts`).
 *
 * Shapes: N items, L levels, K codes of a level, D width of the vectors, E width of the codebooks.
 */
import { existsSync } from 'node:fs';
import { countsFrom, indexCodes, readIndex } from '../../data/sid-index.js';
import type { Vectors } from '../../files/npy.js';
import { readSafetensors } from '../../files/safetensors.js';
import { InputError } from '../../support/errors.js';
import { decodeSums, encodeVectors, type RqVaeModel } from '../rqvae/model.js';
import { checkArrays } from '../rqvae/parameters.js';
import { besideIndex, codebookFile, INDEX_ENDING, readCodebooks } from './codebook-files.js';
import { MODEL_ENDING, readCard, type SidCard } from './sid-card.js';

/** The semantic IDs of a folder, and what made them. */
export interface SavedSids {
  /** From 0 [N][L], a rank last where there is one. */
  codes: number[][];
  /** Codes before collisions were resolved [N][L]; only with a card. */
  raw?: number[][];
  /** One a level [K, E]; without a card those of an index from elsewhere, where it has any, among its vectors. */
  codebooks: Vectors[];
  card?: SidCard;
  model?: RqVaeModel;
}

/**
 * @param items as `readIndex`'s
 * @throws InputError for files that are missing, broken or not of one run
 */
export function readSids(index: string, items?: number): SavedSids {
  const named = index.endsWith(INDEX_ENDING);
  const tokens = readIndex(index, items);
  const card = named ? readCard(index) : undefined;
  if (card === undefined) {
    const codebooks = named && existsSync(codebookFile(index, 0)) ? readCodebooks(index) : [];
    // codebooks without a card are an older version's of the kit, which counted from 0
    return { codes: indexCodes(tokens, codebooks.length > 0 ? 0 : countsFrom(tokens)), codebooks };
  }
  const codes = indexCodes(tokens, card.spelling?.countFrom);
  const { shape, scale } = card.model ?? {};
  const codebooks = readCodebooks(index, shape?.latent ?? card.width);
  const levels = codebooks.length;
  const raw = codes.map((path, id) => card.moved[id] ?? path.slice(0, levels));
  if (!shape || scale === undefined) return { codes, raw, codebooks, card };
  const file = besideIndex(index, MODEL_ENDING);
  const arrays = readSafetensors(file);
  checkArrays(shape, arrays, file);
  return { codes, raw, codebooks, card, model: { shape, scale, arrays } };
}

/**
 * Vectors in the space of the codebooks: as they are, or a learned method's latents. @param where names the vectors
 * @returns [N, E]
 * @throws InputError for vectors of another width than the SIDs were made of
 */
export function inCodebookSpace({ card, model }: SavedSids, vectors: Vectors, where: string): Vectors {
  checkWidth(card, vectors, where);
  return model ? encodeVectors(model, vectors) : vectors;
}

/** Sums of codes [N, E] -> [N, D]; none where they are vectors themselves. @throws InputError as `inCodebookSpace` */
export function decoderOf(
  { card, model }: SavedSids,
  vectors: Vectors,
  where: string,
): ((sums: Vectors) => Vectors) | undefined {
  checkWidth(card, vectors, where);
  return model && ((sums) => decodeSums(model, sums));
}

function checkWidth(card: SidCard | undefined, { width }: Vectors, where: string): void {
  if (card === undefined || card.width === width) return;
  throw new InputError(
    `${where}: expected vectors of width ${card.width}, of which ${card.method} made the SIDs, got ${width}; ` +
      'take the encoder that they were made with',
  );
}
