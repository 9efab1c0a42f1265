/**
 * New items join an index: the vectors' rows beyond its last id get SIDs from the saved codebooks (of a learned method:
 * from what its saved encoder makes of them), the others keep theirs.
 */
import { readNpy, type Vectors } from '../embed/npy.js';
import { InputError } from '../support/errors.js';
import { assignSids } from './assign-sids.js';
import { sidTokens, writeIndex } from './index-file.js';
import { inCodebookSpace, readSids } from './saved-sids.js';
import { movedItems, writeCard } from './sid-card.js';

export interface ExtendIndexOptions {
  /** .npy file of all items, the old ones first; row = item id. Of the same encoder and options as before. */
  embeddings: string;
  /** Index to extend, `NAME.index.json`, its codebooks beside it. */
  index: string;
}

export interface ExtendReport {
  index: string;
  items: number;
  /** Of them new. */
  added: number;
  levels: number;
}

/**
 * @throws InputError as `readSids` and `assignSids`, and for fewer vectors than items or vectors of another width;
 *   nothing is written then
 */
export function extendIndex({ embeddings, index }: ExtendIndexOptions): ExtendReport {
  const saved = readSids(index);
  const { codes: old, codebooks, card } = saved;
  const vectors = readNpy(embeddings, 'run sidlab embed first');
  if (vectors.rows < old.length) {
    throw new InputError(
      `${embeddings}: expected ${old.length} rows or more, one an item of ${index}, got ${vectors.rows}; embed all items`,
    );
  }
  const added = inCodebookSpace(saved, rowsFrom(vectors, old.length), embeddings);
  const codes = assignSids(added, codebooks, old);
  writeIndex(index, [...old, ...codes].map(sidTokens));
  if (card) {
    const moved = { ...card.moved, ...movedItems(codes, assignSids(added, codebooks), old.length) };
    writeCard(index, { ...card, items: vectors.rows, moved });
  }
  return { index, items: vectors.rows, added: added.rows, levels: codebooks.length };
}

function rowsFrom({ rows, width, data }: Vectors, first: number): Vectors {
  return { rows: rows - first, width, data: data.slice(first * width) };
}
