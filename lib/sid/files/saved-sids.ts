/**
 * The files that the `sid` stage leaves beside an index: index, codebooks, the model of a learned method, and the card
 * that holds them together (`sid-card.ts`). `read-sids.ts` reads them.
 *
 * Shapes: L levels, D width of the vectors.
 */
import { rmSync } from 'node:fs';
import { PLAIN_SPELLING, spelledTokens, type SidSpelling, writeIndex } from '../../data/sid-index.js';
import { writeSafetensors } from '../../files/safetensors.js';
import { sidMethod } from '../methods.js';
import type { SidMethod } from '../sid-method.js';
import type { SidMethodName } from '../methods.js';
import type { QuantizeResult } from '../quantized.js';
import { besideIndex, codebookFile, writeCodebooks } from './codebook-files.js';
import { CARD_ENDING, MODEL_ENDING, movedItems, writeCard } from './sid-card.js';

/**
 * Writes index, codebooks, model and card; removes a model and codebooks of an earlier run under the same name.
 * @param method its name
 * @param width D
 * @param spelling of the tokens; default the kit's own
 * @returns the files
 */
export function writeSids(
  index: string,
  method: string,
  width: number,
  { codes, raw, codebooks, mse, model }: Pick<QuantizeResult, 'codes' | 'raw' | 'codebooks' | 'mse' | 'model'>,
  spelling: SidSpelling = PLAIN_SPELLING,
): { codebooks: string[]; card: string; model: string | null } {
  const books = writeCodebooks(index, codebooks);
  const modelFile = besideIndex(index, MODEL_ENDING);
  if (model) writeSafetensors(modelFile, model.arrays);
  else rmSync(modelFile, { force: true });
  writeIndex(
    index,
    codes.map((path) => spelledTokens(path, spelling)),
  );
  const card = writeCard(index, {
    method,
    space: model ? 'latent' : 'vectors',
    items: codes.length,
    width,
    codebookSize: codebooks.map((book) => book.rows),
    mse,
    moved: movedItems(codes, raw),
    ...(!isPlain(spelling) && { spelling }),
    ...(model && { model: { shape: model.shape, scale: model.scale } }),
  });
  return { codebooks: books, card, model: model ? modelFile : null };
}

function isPlain({ tokens, countFrom }: SidSpelling): boolean {
  return tokens === PLAIN_SPELLING.tokens && countFrom === PLAIN_SPELLING.countFrom;
}

/**
 * The files that a run writes, for a stage's stamp.
 * @param levels L
 * @throws InputError for an unknown method
 */
export function sidOutputs(index: string, method: SidMethod | SidMethodName, levels: number): string[] {
  const books = Array.from({ length: levels }, (_, level) => codebookFile(index, level));
  const model = sidMethod(method).learned ? [besideIndex(index, MODEL_ENDING)] : [];
  return [index, besideIndex(index, CARD_ENDING), ...books, ...model];
}
