/**
 * `NAME.sid.json` beside an index: which method made it, where its codebooks live and which items moved when collisions
 * were resolved, so that quality and later items are computed as the method itself computes.
 *
 * It names every file that was written with it by its hash: codebooks of another run or another method are refused,
 * however wide they are.
 *
 * Shapes: N items, L levels, K codes of a level, D width of the vectors.
 */
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import type { SidSpelling } from '../../data/sid-index.js';
import { hashFile, readJson, writeJson } from '../../files/files.js';
import { InputError } from '../../support/errors.js';
import type { RqVaeShape } from '../rqvae/parameters.js';
import { besideIndex, codebookEnding, INDEX_ENDING } from './codebook-files.js';

/** What a card's name ends in. */
export const CARD_ENDING = '.sid.json';
/** Encoder, decoder and codebooks of a learned method, under the names of the reference's `state_dict`. */
export const MODEL_ENDING = '.sid.safetensors';

/** The content of `NAME.sid.json`. */
export interface SidCard {
  /** Name of the method. */
  method: string;
  /** Where the codebooks live: among the vectors, or among the latents that the saved model makes of them. */
  space: 'vectors' | 'latent';
  /** N */
  items: number;
  /** D */
  width: number;
  /** K of each level [L]. */
  codebookSize: number[];
  /** Mean squared error of the items' final codes: vectors of another fit are known by a larger one. */
  mse: number;
  /** Item id -> its codes before collisions were resolved, where they were others. */
  moved: Record<string, number[]>;
  /** How the index writes codes, where it is not as `<a_0>`. */
  spelling?: SidSpelling;
  /** Of a learned method: what its arrays are. */
  model?: { shape: RqVaeShape; scale: number };
  /** What each file's name ends in -> SHA-256 of its bytes. */
  files: Record<string, string>;
}

/** Writes the card with the hashes of the files that are there: after all of them. @returns its file */
export function writeCard(index: string, card: Omit<SidCard, 'files'>): string {
  const endings = [
    INDEX_ENDING,
    ...card.codebookSize.map((_, level) => codebookEnding(level)),
    ...(card.model ? [MODEL_ENDING] : []),
  ];
  const files = Object.fromEntries(endings.map((ending) => [ending, hashFile(besideIndex(index, ending))]));
  const file = besideIndex(index, CARD_ENDING);
  writeJson(file, { ...card, files } satisfies SidCard, 0);
  return file;
}

/**
 * @returns none where there is no card: an index from elsewhere
 * @throws InputError for a card that is none, or of other files than lie beside it
 */
export function readCard(index: string): SidCard | undefined {
  const file = besideIndex(index, CARD_ENDING);
  if (!existsSync(file)) return undefined;
  const card = readJson<Partial<SidCard> | null>(file);
  if (!isCard(card)) throw new InputError(`${file}: expected what sidlab sid writes; run it again, or remove the file`);
  for (const [ending, hash] of Object.entries(card.files)) {
    const path = besideIndex(index, ending);
    if (existsSync(path) && hashFile(path) === hash) continue;
    throw new InputError(
      `${path}: expected the file that ${card.method} wrote with ${basename(file)}, got ` +
        `${existsSync(path) ? 'another' : 'none'}; run sidlab sid again, or remove ${basename(file)} if it is yours`,
    );
  }
  return card;
}

/** What is read of a card has the right kinds; that it is of these files the hashes say. */
function isCard(card: Partial<SidCard> | null): card is SidCard {
  const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);
  return (
    isObject(card) &&
    typeof card!.method === 'string' &&
    (card!.space === 'vectors' || (card!.space === 'latent' && isObject(card!.model))) &&
    Number.isInteger(card!.items) &&
    Number.isInteger(card!.width) &&
    typeof card!.mse === 'number' &&
    Array.isArray(card!.codebookSize) &&
    isObject(card!.moved) &&
    isObject(card!.files)
  );
}

/** Items whose final codes are others than their raw ones; a rank is none of either. */
export function movedItems(codes: readonly number[][], raw: readonly number[][], first = 0): Record<string, number[]> {
  const moved = raw.flatMap((own, i): [string, number[]][] =>
    own.join() === codes[i]!.slice(0, own.length).join() ? [] : [[String(first + i), [...own]]],
  );
  return Object.fromEntries(moved);
}
