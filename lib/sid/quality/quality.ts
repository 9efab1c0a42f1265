/**
 * How good semantic IDs are, before any model is trained on them.
 *
 * What is watched is what goes wrong unnoticed in the systems that the kit follows: items that share a SID (and how
 * much of the evaluation's traffic they carry), codebooks that collapse, codes that say nothing about an item. After
 * van den Oord et al. (perplexity of a codebook, arXiv 1711.00937) and LETTER (arXiv 2405.07314: what a prefix shares).
 *
 * Shapes: N items, L levels, K codes of a level, D width.
 */
import type { Vectors } from '../../files/npy.js';
import { InputError } from '../../support/errors.js';
import { checkFinite } from '../check-input.js';
import { nearestCodes } from '../kmeans/lloyd.js';
import { collisionRate, countCodes, meanSquaredError } from '../quantized.js';
import { subtractCodes } from '../residual.js';
import { nearestNeighbours } from './neighbours.js';
import {
  ambiguous,
  ambiguousShare,
  type DuplicateGroups,
  duplicateGroups,
  perplexity,
  prefixPurity,
  sharedPrefix,
  sharedPrefixByChance,
  shuffledPurity,
} from './quality-measures.js';

/** What `sidQuality` measures. */
export interface SidQualityInput {
  /** Final codes [N][L], a rank in a group of equal ones last where there is one. */
  codes: readonly number[][];
  /** Codes a level [L]; default the largest that occurs and one. */
  sizes?: readonly number[];
  /** [N, D]; for neighbours and errors. */
  vectors?: Vectors;
  /** One a level [K, D], in the space of `vectors`; or [K, E], of which `decode` makes vectors. For errors and raw codes. */
  codebooks?: readonly Vectors[];
  /** Sums of codes [N, E] -> [N, D], where the codebooks live in a latent space. */
  decode?: (sums: Vectors) => Vectors;
  /**
   * Codes before collisions were resolved; default what `codebooks` give without `decode`, level by level the nearest
   * code.
   */
  raw?: readonly number[][];
  /** A category of each item [N], `''` where it has none. */
  categories?: readonly string[];
  /** Item ids that the test rows ask for. */
  targets?: readonly number[];
  /** Default 42. */
  seed?: number;
}

/** Metrics of a level's codes. */
export interface LevelQuality {
  /** Its letter. */
  level: string;
  /** In the codebook. */
  codes: number;
  /** Codes with an item. */
  used: number;
  /** exp of the entropy of the codes' shares: as many evenly used codes. */
  perplexity: number;
  /** Items of a code; over all codes of the level. */
  clusterSize: { min: number; median: number; max: number };
  /** Mean squared error with the codes up to this level; null without vectors or codebooks. */
  mse: number | null;
}

/** Metrics of the SIDs' prefixes of one length. */
export interface PrefixQuality {
  /** Codes in the prefix. */
  length: number;
  /** Distinct prefixes. */
  prefixes: number;
  /** Share of items with the commonest category of their prefix, and by chance; null without categories. */
  purity: number | null;
  /** Of prefixes of the same sizes with shuffled categories. */
  purityByChance: number | null;
  /** Share of items whose nearest neighbour has the same prefix; null without vectors. */
  neighbours: number | null;
  /** Share of pairs of items that have the same prefix. */
  neighboursByChance: number | null;
}

/** Metrics of semantic IDs. */
export interface SidQuality {
  /** In the index. */
  items: number;
  /** Share of items beyond the first of each SID. `raw` is null where nobody knows. */
  collision: { raw: number | null; final: number };
  /** Items that share their SID. */
  ambiguousItems: { raw: number | null; final: number };
  /** Groups of items that share a SID: how many, the largest, their mean size. */
  duplicates: { raw: DuplicateGroups | null; final: DuplicateGroups };
  /** Test rows whose target's SID is ambiguous, as a share of the rows; null without targets. */
  targets: { rows: number; ambiguous: { raw: number | null; final: number } } | null;
  /** One for each level. */
  levels: LevelQuality[];
  /** One for each length. */
  prefixes: PrefixQuality[];
}

/** @throws InputError where codes, vectors, codebooks, categories and targets do not fit together */
export function sidQuality(input: SidQualityInput): SidQuality {
  const { codes, vectors, codebooks, decode, categories, targets, seed = 42 } = input;
  check(input);
  const depth = codes.reduce((least, path) => Math.min(least, path.length), codebooks?.length ?? Infinity);
  const own = codes.map((path) => path.slice(0, depth));
  const sizes =
    input.sizes ?? own[0]!.map((_, level) => own.reduce((most, path) => Math.max(most, path[level]!), 0) + 1);
  const counts = countCodes(own, sizes);
  const raw = input.raw ?? (vectors && codebooks && !decode ? greedyCodes(vectors, codebooks) : undefined);
  const pairs = vectors ? nearestNeighbours(vectors, { seed }) : [];
  const count = (of: readonly number[][]): number => ambiguous(of).filter(Boolean).length;
  return {
    items: codes.length,
    collision: { raw: raw ? collisionRate(raw) : null, final: collisionRate(codes) },
    ambiguousItems: { raw: raw ? count(raw) : null, final: count(codes) },
    duplicates: { raw: raw ? duplicateGroups(raw) : null, final: duplicateGroups(codes) },
    targets: targets
      ? {
          rows: targets.length,
          ambiguous: { raw: raw ? ambiguousShare(raw, targets) : null, final: ambiguousShare(codes, targets) },
        }
      : null,
    levels: counts.map((level, i) => levelQuality(level, i, own, input)),
    prefixes: counts.map((_, i) => ({
      length: i + 1,
      prefixes: new Set(own.map((path) => path.slice(0, i + 1).join())).size,
      purity: categories ? finite(prefixPurity(own, categories, i + 1)) : null,
      purityByChance: categories ? finite(shuffledPurity(own, categories, i + 1, seed)) : null,
      neighbours: vectors ? finite(sharedPrefix(own, pairs, i + 1)) : null,
      neighboursByChance: finite(sharedPrefixByChance(own, i + 1)),
    })),
  };
}

function levelQuality(
  counts: readonly number[],
  level: number,
  codes: readonly number[][],
  { vectors, codebooks, decode }: SidQualityInput,
): LevelQuality {
  const sorted = [...counts].sort((a, b) => a - b);
  return {
    level: String.fromCharCode(97 + level),
    codes: counts.length,
    used: counts.filter((count) => count > 0).length,
    perplexity: perplexity(counts),
    clusterSize: { min: sorted[0]!, median: sorted[Math.floor(sorted.length / 2)]!, max: sorted.at(-1)! },
    mse: vectors && codebooks ? meanSquaredError(vectors, codes, codebooks.slice(0, level + 1), decode) : null,
  };
}

/** The nearest code of what the levels before left over: what a method without limits takes. [N][L] */
function greedyCodes(vectors: Vectors, codebooks: readonly Vectors[]): number[][] {
  const residual = { ...vectors, data: vectors.data.slice() };
  const codes: number[][] = Array.from({ length: vectors.rows }, () => []);
  for (const codebook of codebooks) {
    const nearest = nearestCodes(residual, codebook);
    codes.forEach((path, i) => path.push(nearest[i]!));
    subtractCodes(residual, nearest, codebook);
  }
  return codes;
}

function check({ codes, vectors, codebooks, decode, categories, targets, raw }: SidQualityInput): void {
  const items = codes.length;
  if (vectors) checkFinite(vectors, 'sid quality');
  const fail = (what: string): InputError => new InputError(`sid quality: ${what}; are they of the same data?`);
  if (items === 0) throw new InputError('sid quality: expected items, got none; run sidlab sid first');
  if (vectors && vectors.rows !== items) throw fail(`expected ${items} vectors, one a item, got ${vectors.rows}`);
  if (categories && categories.length !== items) throw fail(`expected ${items} categories, got ${categories.length}`);
  if (raw && raw.length !== items) throw fail(`expected raw codes of ${items} items, got ${raw.length}`);
  const beyond = targets?.find((item) => !(item >= 0 && item < items));
  if (beyond !== undefined) throw fail(`expected targets from 0 to ${items - 1}, got ${beyond}`);
  if (!codebooks) return;
  if (vectors && !decode && codebooks.some((book) => book.width !== vectors.width)) {
    throw fail(`expected codebooks of width ${vectors.width}, got ${codebooks.map((book) => book.width).join(', ')}`);
  }
  const bad = codes.findIndex((path) => codebooks.some((book, level) => !(path[level]! < book.rows)));
  if (bad >= 0) throw fail(`item ${bad}: code ${codes[bad]!.join(' ')} is not among the codebooks' rows`);
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
