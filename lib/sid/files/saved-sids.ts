/**
 * What the `sid` stage leaves beside an index, written and read as one: index, codebooks, the model of a learned method,
 * and the card that holds them together (`sid-card.ts`).
 *
 * Shapes: N items, L levels, K codes of a level, D width of the vectors, E width of the codebooks.
 */
import { existsSync, rmSync } from 'node:fs';
import { indexCodes, readIndex, sidTokens, writeIndex } from '../../data/sid-index.js';
import type { Vectors } from '../../files/npy.js';
import { readSafetensors, writeSafetensors } from '../../files/safetensors.js';
import { InputError } from '../../support/errors.js';
import type { QuantizeResult } from '../quantized.js';
import { decodeSums, encodeVectors, type RqVaeModel } from '../rqvae/model.js';
import { checkArrays } from '../rqvae/parameters.js';
import { besideIndex, codebookFile, INDEX_ENDING, readCodebooks, writeCodebooks } from './codebook-files.js';
import { CARD_ENDING, MODEL_ENDING, movedItems, readCard, type SidCard, writeCard } from './sid-card.js';

/** @param width D @returns files */
export function writeSids(
  index: string,
  method: string,
  width: number,
  { codes, raw, codebooks, mse, model }: Pick<QuantizeResult, 'codes' | 'raw' | 'codebooks' | 'mse' | 'model'>,
): { codebooks: string[]; card: string; model: string | null } {
  const books = writeCodebooks(index, codebooks);
  const modelFile = besideIndex(index, MODEL_ENDING);
  if (model) writeSafetensors(modelFile, model.arrays);
  else rmSync(modelFile, { force: true });
  writeIndex(index, codes.map(sidTokens));
  const card = writeCard(index, {
    method,
    space: model ? 'latent' : 'vectors',
    items: codes.length,
    width,
    codebookSize: codebooks.map((book) => book.rows),
    mse,
    moved: movedItems(codes, raw),
    ...(model && { model: { shape: model.shape, scale: model.scale } }),
  });
  return { codebooks: books, card, model: model ? modelFile : null };
}

/** The files of a method's run, for a stage's stamp. @param levels L */
export function sidOutputs(index: string, method: string, levels: number): string[] {
  const books = Array.from({ length: levels }, (_, level) => codebookFile(index, level));
  const learned = method === 'rqvae' || method === 'rqkmeans-plus';
  return [index, besideIndex(index, CARD_ENDING), ...books, ...(learned ? [besideIndex(index, MODEL_ENDING)] : [])];
}

export interface SavedSids {
  /** [N][L], a rank last where there is one. */
  codes: number[][];
  /** Codes before collisions were settled [N][L]; only with a card. */
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
  const codes = indexCodes(readIndex(index, items));
  const named = index.endsWith(INDEX_ENDING);
  const card = named ? readCard(index) : undefined;
  if (card === undefined) {
    return { codes, codebooks: named && existsSync(codebookFile(index, 0)) ? readCodebooks(index) : [] };
  }
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
