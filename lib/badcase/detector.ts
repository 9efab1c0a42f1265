/**
 * A detector of a failure mode: an object that says which test rows are of the mode. The kit's are in `modes/`, one a
 * file, listed in `detectors.ts`; one of your own is such an object in a notebook cell.
 */
import type { Counts } from '../data/counts.js';
import type { Dataset, Item, Row } from '../data/dataset.js';
import type { SidIndex } from '../data/sid-index.js';
import type { Recommender } from '../evaluate/recommender.js';
import type { Result } from '../evaluate/results-file.js';
import type { Vectors } from '../files/npy.js';
import type { Options } from '../options/option.js';
import type { Parsed } from '../options/schema.js';
import type { ModeKind, StrategyName } from './report-shape.js';

/**
 * A model, and its lists for histories of your choice. A detector's file imports no search of its own: options and help
 * of `badcase` are read from it, which must not load TensorFlow.js.
 */
export interface AskedModel extends Recommender {
  /** The first `topK` items for each history, best first. */
  listsFor(histories: readonly number[][], topK: number): number[][];
}

/** What a detector may need beside the results, under the names of `Need`. */
export interface DetectorInputs {
  /** Training rows, in order of time; not there where the data set has none. */
  rows: readonly Row[];
  /** Title, description, brand and categories, index = item id; not there where all of them are empty. */
  texts: readonly Item[];
  /** Tokens of each item's SID, index = item id. */
  index: SidIndex;
  /** Item vectors [N, D], row = item id. */
  vectors: Vectors;
  /** The model that made the results, its trie and its prompts; it can be asked for other lists. */
  model: AskedModel;
  /** That every result has the log-probabilities of its target's tokens, and that lists are ranked by such. */
  targetScores: true;
}

/** The name of one of these inputs. */
export type Need = keyof DetectorInputs;

/** Each input, and the option of `badcase` (of `filter`, for texts) that gives it. */
export const NEED_FLAGS: Readonly<Record<Need, string>> = {
  rows: '--data FOLDER',
  texts: 'filter --meta FILE',
  index: '--index FILE',
  vectors: '--embeddings FILE',
  model: '--model FOLDER',
  targetScores: 'evaluate --score-targets without --length-penalty or --assistant',
};

/** What every detector is given. Of a joined folder it is called once for each data set, with the ids that it had alone. */
interface DetectorFacts {
  /** All test rows of the data set with their lists, in the order of the file. */
  results: readonly Result[];
  dataset: Dataset;
  /** How often training saw each item, and each pair of consecutive items. */
  counts: Counts;
  /** Rank of each row's target in its list, from 1; 0 where it is not listed [rows]. */
  ranks: readonly number[];
  /** A row fails whose target is not among the first so many. */
  topK: number;
}

/**
 * The one argument of `detect`: the facts, the detector's options with their defaults, and the inputs; those that it
 * needs are there for certain.
 */
export type DetectorContext<N extends Need = Need, O extends Options = Options> = DetectorFacts & {
  options: Parsed<O>;
} & Pick<DetectorInputs, N> &
  Partial<DetectorInputs>;

/** A test row as a detector sees it. */
export interface DetectorRow extends Result {
  /** Place among the results, from 0. */
  row: number;
  /** Rank of the target, from 1; 0 where it is not listed. */
  rank: number;
}

/** @typeParam N what it needs @typeParam O its options */
export interface Detector<N extends Need = Need, O extends Options = Options> {
  /** What the report calls the mode. */
  readonly name: string;
  /** The mode in one line. */
  readonly help: string;
  /** Whether found rows can have it too, so that it may be a cause. Default `cause`. */
  readonly kind?: ModeKind;
  /** What to do where the mode is named, in a sentence. Default none. */
  readonly advice?: string;
  /** Strategies that answer it, the first one first. Default none. */
  readonly strategies?: readonly StrategyName[];
  /** Inputs without which it cannot run; the report then lists it as not run. */
  readonly needs: readonly N[];
  /** Its thresholds: options of `badcase` beside the others, checked before it runs. Default none. */
  readonly options?: O;
  /** Called once; what it returns is called for every row, and must be pure. */
  detect(context: DetectorContext<N, O>): (row: DetectorRow) => boolean;
}

/** A detector of whatever needs and options, as lists of them hold it. */
export interface AnyDetector extends Omit<Detector, 'detect' | 'options'> {
  /** Its thresholds. Default none. */
  readonly options?: Options;
  /** See `Detector`. */
  detect(context: never): (row: DetectorRow) => boolean;
}

/**
 * The detector itself; its context has the types of what it declares.
 *
 * @example defineDetector({ name: 'repeat', help: 'the target was bought before', needs: [],
 *   detect: () => ({ history, target }) => history.includes(target) })
 */
export function defineDetector<const N extends Need, const O extends Options>(
  detector: Detector<N, O>,
): Detector<N, O> {
  return detector;
}

/** What was expected, if a value is no list of detectors with names of their own. */
export function detectorsMismatch(value: unknown): string | undefined {
  const expected = 'detectors, each {name, help, needs, detect}, every name once';
  if (!Array.isArray(value) || !value.every(isDetector)) return expected;
  return new Set(value.map(({ name }) => name)).size === value.length ? undefined : expected;
}

function isDetector(value: unknown): value is AnyDetector {
  if (typeof value !== 'object' || value === null) return false;
  const { name, needs, detect } = value as Partial<AnyDetector>;
  const named = typeof name === 'string' && name !== '';
  return named && typeof detect === 'function' && Array.isArray(needs) && needs.every((need) => need in NEED_FLAGS);
}
