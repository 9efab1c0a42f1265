/**
 * The method where nobody names one: by numbers that are known before anything is trained.
 *
 * SIDs are how items of a few purchases learn from each other. Where every item is bought often they are in the way: the
 * model has to tell items by codes that it shares among movies of alike titles, and has three tokens to get right in
 * place of one. docs/log.md ("MovieLens 100K") has the measurements.
 */
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { readJson } from '../files/files.js';
import type { SidMethodName } from './methods.js';

/** Training rows an item from which items have a code each; between what was measured: 21 and 4.2 (fewer), 58 (more). */
export const DENSE_ROWS = 40;
/** Items at most: each is a row of the embedding table, and a term of the softmax. */
export const DENSE_ITEMS = 20_000;

/** What the rule reads of a data set. */
export interface CatalogueSize {
  /** Training rows. */
  rows: number;
  items: number;
}

/** A method, and the reason in words. */
export interface ChosenMethod {
  method: SidMethodName;
  why: string;
}

/** @param size absent where nothing is known of the training rows */
export function defaultMethod(size: CatalogueSize | undefined): ChosenMethod {
  if (size === undefined) return { method: 'rqkmeans', why: 'no training rows are known' };
  const { rows, items } = size;
  const each = rows / Math.max(1, items);
  const said = `${each.toPrecision(3)} training rows an item`;
  if (each < DENSE_ROWS) {
    return {
      method: 'rqkmeans',
      why: `${said}, fewer than ${DENSE_ROWS}: items learn from those that share their codes`,
    };
  }
  if (items > DENSE_ITEMS) {
    return { method: 'rqkmeans', why: `${items} items, more than ${DENSE_ITEMS}: a token each is too many` };
  }
  return { method: 'one-code', why: `${said}, ${DENSE_ROWS} or more: each item's own token is learned` };
}

/**
 * The size of the data set that vectors are of, from the `NAME.stats.json` that `filter` leaves beside them.
 * @param embeddings such as `data/Toys.emb-lsa.npy` @returns undefined where there is none
 */
export function catalogueSizeOf(embeddings: string): CatalogueSize | undefined {
  const name = /^(.*)\.emb-[^.]*\.npy$/.exec(basename(embeddings))?.[1];
  if (name === undefined) return undefined;
  const file = join(dirname(embeddings), `${name}.stats.json`);
  if (!existsSync(file)) return undefined;
  const { items, split } = readJson<{ items?: unknown; split?: { train?: unknown } }>(file);
  const rows = split?.train;
  return typeof items === 'number' && typeof rows === 'number' ? { rows, items } : undefined;
}

/** Options that say nothing of the method. */
const NEUTRAL = ['embeddings', 'index', 'seed', 'spelling', 'countFrom'];

/**
 * Options of `sid` with the method that they mean: an option of a method is one of residual k-means, where no method is
 * named.
 */
export function withMethod<T extends { method?: unknown }>(
  given: T,
  embeddings: string,
): { options: T; chosen?: ChosenMethod } {
  const named = Object.entries(given).some(([name, value]) => !NEUTRAL.includes(name) && value !== undefined);
  if (named) return { options: given };
  const chosen = defaultMethod(catalogueSizeOf(embeddings));
  return { options: { ...given, method: chosen.method }, chosen };
}
