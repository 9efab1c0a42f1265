/**
 * Residual k-means for catalogues that do not fit memory: vectors are read from disk in batches, and what is held are
 * codebooks, codes and a sample.
 *
 * A level begins with k-means on a sample of what the levels before left over; then batches of all rows move its centres,
 * each by the running mean of all rows that chose it so far (Sculley, "Web-scale k-means clustering", WWW 2010; MacQueen
 * 1967), and a last pass gives every row its nearest. Departure from Sculley: centres begin with the sample's counts, so
 * that the first batches do not throw them about.
 *
 * Shapes: N items, L levels, K codes of a level, B rows of a batch, D width.
 */
import { memoryRows, type RowSource, withNpyRows } from '../../files/npy-rows.js';
import { rowOf, type Vectors } from '../../files/npy.js';
import { InputError } from '../../support/errors.js';
import { startProgress } from '../../support/progress.js';
import { Random } from '../../support/random.js';
import { checkFinite, codebookSizes } from '../check-input.js';
import { checkCollisions, resolveCollisions } from '../collisions/collisions.js';
import { reassign } from '../collisions/reassign.js';
import { collidingGroups } from '../collisions/sinkhorn-rounds.js';
import { RQKMEANS_MINIBATCH_OPTIONS, type RqKmeansMiniBatchOptions } from '../method-options.js';
import { codeUsage, collisionRate, type QuantizeResult, reconstruct } from '../quantized.js';
import { subtractCodes } from '../residual.js';
import { squaredDistance } from './distance.js';
import { kmeans } from './kmeans.js';
import { nearestCodes } from './lloyd.js';
import { batchesOfRuns, rowsOfRuns, singleRows } from './minibatch-rows.js';

/** Rows of a pass that only looks. */
const BLOCK = 16_384;

/** The same of vectors in memory. @param where names the vectors in errors @throws InputError as `rqKmeans` */
export function rqKmeansMiniBatch(
  vectors: Vectors,
  options: RqKmeansMiniBatchOptions = {},
  where = 'rqKmeansMiniBatch',
): QuantizeResult {
  return quantizeRows(memoryRows(vectors), options, where);
}

/** Of a .npy file [N, D], which is never in memory as a whole. @throws InputError as `rqKmeans` and `withNpyRows` */
export function rqKmeansOfFile(file: string, options: RqKmeansMiniBatchOptions = {}): QuantizeResult {
  return withNpyRows(file, 'run sidlab embed first', (source) => quantizeRows(source, options, file));
}

function quantizeRows(source: RowSource, options: RqKmeansMiniBatchOptions, where: string): QuantizeResult {
  const { batchSize, passes, sampleRows, iterations, collisions, seed, ...levels } =
    RQKMEANS_MINIBATCH_OPTIONS.parse(options);
  const sizes = codebookSizes(source.rows, levels, where);
  checkCollisions(collisions, source.rows, sizes, where);
  if (collisions === 'sinkhorn') {
    throw new InputError(
      'sid: expected collisions reassign, rank or keep, as rounds of Sinkhorn need all vectors, got sinkhorn',
    );
  }
  const checked = (first: number, count: number): Vectors => {
    const block = source.block(first, count);
    checkFinite(block, where, first);
    return block;
  };
  const codebooks: Vectors[] = [];
  const codes: Int32Array[] = [];
  const residual = (first: number, count: number): Vectors => {
    const block = checked(first, count);
    codebooks.forEach((book, level) => subtractCodes(block, codes[level]!.subarray(first, first + count), book));
    return block;
  };
  const progress = startProgress('sid', sizes.length, 'levels');
  for (const [level, size] of sizes.entries()) {
    const random = new Random(`${seed}/${level}/rows`);
    // rows one by one: a catalogue may be sorted, and a sample of neighbours would know a few categories alone
    const sample = rowsOfRuns(residual, singleRows(source.rows, Math.max(sampleRows, size), random), source.width);
    const init = level === 0 ? 'k-means++' : 'random-groups';
    const begin = kmeans(sample, { codes: size, iterations, init, seed: `${seed}/${level}` });
    const centres = new RunningCentres(begin);
    for (let pass = 0; pass < passes; pass++) {
      centres.forget(batchSize / centres.centres.rows);
      for (const runs of batchesOfRuns(source.rows, batchSize, random)) {
        centres.add(rowsOfRuns(residual, runs, source.width));
      }
    }
    const own = new Int32Array(source.rows);
    forEachBlock(source.rows, (first, count) => own.set(nearestCodes(residual(first, count), centres.centres), first));
    codes.push(own);
    codebooks.push(centres.centres);
    progress.tick();
  }
  progress.end();
  const raw = Array.from({ length: source.rows }, (_, i) => codes.map((own) => own[i]!));
  const settled =
    collisions === 'reassign'
      ? reassignFrom(source, raw, codebooks)
      : resolveCollisions(none(source), raw, codebooks, collisions);
  return {
    ...{ codes: settled, raw, codebooks, mse: errorOf(source, settled, codebooks) },
    collision: { raw: collisionRate(raw), final: collisionRate(settled) },
    ...codeUsage(settled, sizesOf(codebooks)),
  };
}

/** Centres [K, D] as means of all rows that chose them so far. */
class RunningCentres {
  readonly centres: Vectors;
  private readonly counts: Float64Array;

  /** @param begin centres, and the codes that their rows have */
  constructor(begin: Vectors & { codes: Int32Array }) {
    this.centres = { rows: begin.rows, width: begin.width, data: begin.data.slice() };
    this.counts = new Float64Array(begin.rows);
    for (const code of begin.codes) this.counts[code]!++;
  }

  /** No centre counts more rows than this from here on: a pass outweighs those before it. */
  forget(most: number): void {
    this.counts.forEach((count, code) => (this.counts[code] = Math.min(count, most)));
  }

  /** Moves the centres by one batch [B, D]. */
  add(batch: Vectors): void {
    const { width, data } = this.centres;
    const sums = new Float64Array(data.length);
    const arrived = new Int32Array(this.counts.length);
    nearestCodes(batch, this.centres).forEach((code, i) => {
      arrived[code]!++;
      const row = rowOf(batch, i);
      for (let j = 0; j < width; j++) sums[code * width + j]! += row[j]!;
    });
    arrived.forEach((count, code) => {
      if (count === 0) return;
      const total = (this.counts[code]! += count);
      for (let j = code * width; j < (code + 1) * width; j++) data[j]! += (sums[j]! - count * data[j]!) / total;
    });
  }
}

/** As `reassign` of all vectors: those of the items that share a SID are all that it looks at. */
function reassignFrom(source: RowSource, raw: readonly number[][], codebooks: readonly Vectors[]): number[][] {
  const shared = collidingGroups(raw)
    .flat()
    .sort((a, b) => a - b);
  const among = new Set(shared);
  const vectors = rowsOfRuns((first, count) => source.block(first, count), shared.map((item) => [item, 1] as const), source.width); // prettier-ignore
  const alone = raw.filter((_, item) => !among.has(item));
  const moved = reassign(
    vectors,
    shared.map((item) => raw[item]!),
    codebooks,
    alone,
  );
  const codes = raw.map((path) => [...path]);
  shared.forEach((item, i) => (codes[item] = moved[i]!));
  return codes;
}

/** Mean over items and dimensions of the squared error of the codes' sums. */
function errorOf(source: RowSource, codes: readonly number[][], codebooks: readonly Vectors[]): number {
  let sum = 0;
  forEachBlock(source.rows, (first, count) => {
    const block = source.block(first, count);
    for (let i = 0; i < count; i++) sum += squaredDistance(rowOf(block, i), reconstruct(codes[first + i]!, codebooks));
  });
  return sum / (source.rows * source.width);
}

function forEachBlock(rows: number, visit: (first: number, count: number) => void): void {
  for (let first = 0; first < rows; first += BLOCK) visit(first, Math.min(BLOCK, rows - first));
}

/** Ranks and kept collisions look at no vector. */
const none = ({ width }: RowSource): Vectors => ({ rows: 0, width, data: new Float32Array(0) });

const sizesOf = (codebooks: readonly Vectors[]): number[] => codebooks.map((book) => book.rows);
