/**
 * Training rows for items that have none: a history that led to one of a cold item's nearest neighbours, with the cold
 * item as its target. An item's neighbours by its text are the best guess of who would have bought it (content-based
 * pseudo-interactions; compare the mixing of cold items in Wei et al., CLCRec, arXiv 2107.05315).
 *
 * Only the training rows and the vectors are read: which items the test rows ask for plays no part.
 */
import type { Dataset, Row } from '../data/dataset.js';
import { trainCounts } from '../data/train-counts.js';
import { readItemVectors } from '../files/finite.js';
import { rowOf, type Vectors } from '../files/npy.js';
import { InputError } from '../support/errors.js';
import { Random } from '../support/random.js';

/** Options of `coldTargets`. */
export interface ColdTargetOptions {
  /** Rows made for each cold item, as far as its neighbours have so many. */
  coldTargets: number;
  /** An item that was bought at most so often in the training rows is cold. */
  coldSeen: number;
  /** Neighbours of a cold item whose rows are taken: items that are not cold, most alike first. */
  coldNeighbours: number;
  /** Items of each data set, where several lie behind one another: neighbours are of the same. Default one. */
  parts?: readonly number[];
  seed: number;
}

/**
 * The rows, item by item.
 * @param vectors [items, D]; a cold item whose vector is all zeros gets no row
 * @throws InputError for vectors of another number of items
 */
export function coldTargets(
  train: readonly Row[],
  vectors: Vectors,
  items: number,
  { coldTargets: count, coldSeen, coldNeighbours, parts = [items], seed }: ColdTargetOptions,
): Row[] {
  if (vectors.rows !== items) {
    throw new InputError(`cold targets: expected vectors of ${items} items, got ${vectors.rows}; take --embeddings of the same data`); // prettier-ignore
  }
  const counts = trainCounts(train, items);
  const unit = unitRows(vectors);
  const rowsOf = new Map<number, Row[]>();
  for (const row of train) {
    const found = rowsOf.get(row.target);
    if (found) found.push(row);
    else rowsOf.set(row.target, [row]);
  }
  const partOf = Uint32Array.from(parts.flatMap((size, part) => new Array<number>(size).fill(part)));
  const warm = parts.map((_, part) =>
    [...rowsOf.keys()].filter((item) => partOf[item] === part && counts[item]! > coldSeen),
  );
  const made: Row[] = [];
  counts.forEach((seen, item) => {
    if (seen > coldSeen) return;
    const alike = nearest(unit, vectors.width, item, warm[partOf[item]!]!, coldNeighbours);
    const rows = alike.flatMap((neighbour) => rowsOf.get(neighbour)!);
    const drawn = new Random(`${seed}/cold/${item}`).shuffle(rows).slice(0, count);
    made.push(...drawn.map(({ user, history }) => ({ user, history, target: item })));
  });
  return made;
}

/**
 * The same with the vectors of a file; none where `coldTargets` is 0.
 * @throws InputError where it is above 0 and no file is named
 */
export function loadColdTargets(
  { train, items, parts }: Pick<Dataset, 'train' | 'items' | 'parts'>,
  options: ColdTargetOptions & { embeddings?: string | undefined },
): Row[] {
  if (options.coldTargets === 0) return [];
  if (options.embeddings === undefined) {
    throw new InputError('--cold-targets: expected --embeddings FILE, the item vectors (.npy), got none');
  }
  const sizes = parts && { parts: parts.map((part) => part.items) };
  return coldTargets(train, readItemVectors(options.embeddings, items.length, 'check --embeddings'), items.length, {
    ...options,
    ...sizes,
  });
}

/** The vectors at length 1; those of zeros stay. [items * D] */
function unitRows(vectors: Vectors): Float32Array {
  const { rows, width } = vectors;
  const unit = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    const own = rowOf(vectors, row);
    const norm = Math.sqrt(own.reduce((sum, value) => sum + value ** 2, 0));
    if (norm > 0) own.forEach((value, d) => (unit[row * width + d] = value / norm));
  }
  return unit;
}

/** The items of a list with the largest cosine above 0, equal ones by id. */
function nearest(unit: Float32Array, width: number, item: number, among: readonly number[], count: number): number[] {
  const cosine = (other: number): number => {
    let sum = 0;
    for (let d = 0; d < width; d++) sum += unit[item * width + d]! * unit[other * width + d]!;
    return sum;
  };
  return among
    .map((other) => ({ other, alike: cosine(other) }))
    .filter(({ alike }) => alike > 0)
    .sort((a, b) => b.alike - a.alike || a.other - b.other)
    .slice(0, count)
    .map(({ other }) => other);
}
