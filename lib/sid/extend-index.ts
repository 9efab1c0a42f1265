/**
 * New items join an index: the vectors' rows beyond its last id get SIDs from the saved codebooks (of a learned method:
 * from what its saved encoder makes of them), the others keep theirs.
 */
import { PLAIN_SPELLING, readIndex, spelledTokens, tokensOfIndex, writeIndex } from '../data/sid-index.js';
import { readNpy, type Vectors } from '../files/npy.js';
import { InputError } from '../support/errors.js';
import { assignSids } from './assign-sids.js';
import { decoderOf, inCodebookSpace, readSids, type SavedSids } from './files/read-sids.js';
import { movedItems, writeCard } from './files/sid-card.js';
import { meanSquaredError } from './quantized.js';
import { EXTEND_OPTIONS, type ExtendIndexOptions } from './sid-options.js';

/** What was done. */
export interface ExtendReport {
  /** File that was written. */
  index: string;
  /** In all. */
  items: number;
  /** Of them new. */
  added: number;
  /** Codes in a SID. */
  levels: number;
}

/**
 * @throws InputError as `readSids` and `assignSids`, and for fewer vectors than items, vectors of another width or of
 *   another fit than the SIDs were made of; nothing is written then
 */
export function extendIndex(options: ExtendIndexOptions): ExtendReport {
  const { embeddings, index } = EXTEND_OPTIONS.parse(options);
  const saved = readSids(index);
  const { codes: old, codebooks, card } = saved;
  const vectors = readNpy(embeddings, 'run sidlab embed first');
  if (vectors.rows < old.length) {
    throw new InputError(
      `${embeddings}: expected ${old.length} rows or more, one an item of ${index}, got ${vectors.rows}; embed all items`,
    );
  }
  const added = inCodebookSpace(saved, part(vectors, old.length, vectors.rows), embeddings);
  if (card) checkFit(saved, part(vectors, 0, old.length), card.mse, embeddings);
  const codes = assignSids(added, codebooks, old);
  const all = [...old, ...codes];
  const spelling = card?.spelling ?? { ...PLAIN_SPELLING, tokens: tokensOfIndex(readIndex(index)) };
  writeIndex(
    index,
    all.map((path) => spelledTokens(path, spelling)),
  );
  if (card) {
    const moved = { ...card.moved, ...movedItems(codes, assignSids(added, codebooks), old.length) };
    const mse = meanSquaredError(vectors, all, codebooks, decoderOf(saved, vectors, embeddings));
    writeCard(index, { ...card, items: vectors.rows, mse, moved });
  }
  return { index, items: vectors.rows, added: added.rows, levels: codebooks.length };
}

/** How much larger the error may be with the same vectors: engines differ in the last digits. */
const TOLERANCE = 1.01;

/**
 * The old items' codes must fit their vectors as well as they did. `lsa` is fitted again to all texts: then every vector is
 * another one, and the codebooks say nothing about it.
 */
function checkFit(saved: SavedSids, vectors: Vectors, before: number, where: string): void {
  const now = meanSquaredError(vectors, saved.codes, saved.codebooks, decoderOf(saved, vectors, where));
  if (now <= TOLERANCE * before + 1e-9) return;
  throw new InputError(
    `${where}: expected the first ${vectors.rows} vectors to be those that the SIDs were made of (error ` +
      `${before.toPrecision(3)}), got others (${now.toPrecision(3)}); lsa fits anew to all texts, so take a sentence ` +
      'encoder, or run sidlab sid again',
  );
}

function part({ width, data }: Vectors, from: number, to: number): Vectors {
  return { rows: to - from, width, data: data.slice(from * width, to * width) };
}
