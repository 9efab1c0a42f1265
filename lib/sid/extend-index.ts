/** New items join an index: the vectors' rows beyond its last id get SIDs from the saved codebooks, the others keep theirs. */
import { readNpy } from '../embed/npy.js';
import { InputError } from '../support/errors.js';
import { assignSids } from './assign-sids.js';
import { readCodebooks } from './codebook-files.js';
import { indexCodes, readIndex, sidTokens, writeIndex } from './index-file.js';

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

/** @throws InputError as `readIndex`, `readCodebooks` and `assignSids`, and for fewer vectors than items; nothing is written then */
export function extendIndex({ embeddings, index }: ExtendIndexOptions): ExtendReport {
  const old = readIndex(index);
  const vectors = readNpy(embeddings, 'run sidlab embed first');
  if (vectors.rows < old.length) {
    throw new InputError(
      `${embeddings}: expected ${old.length} rows or more, one an item of ${index}, got ${vectors.rows}; embed all items`,
    );
  }
  const codebooks = readCodebooks(index, vectors.width);
  const added = {
    rows: vectors.rows - old.length,
    width: vectors.width,
    data: vectors.data.slice(old.length * vectors.width),
  };
  const codes = assignSids(added, codebooks, indexCodes(old));
  writeIndex(index, [...old, ...codes.map(sidTokens)]);
  return { index, items: vectors.rows, added: added.rows, levels: codebooks.length };
}
