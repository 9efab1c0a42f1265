/**
 * Where a recommender fails: test rows whose true item is missing from the first k, sorted into failure modes.
 *
 * What a mode is, its detector says. A row may be in several or in none. Lift says whether a mode matters: how much
 * more often its rows fail than rows do overall. Frequencies count train rows' targets and each user's first history,
 * as the popularity baseline does.
 */
import { countTrain } from '../data/counts.js';
import type { Dataset } from '../data/dataset.js';
import type { Result } from '../evaluate/results-file.js';
import { InputError } from '../support/errors.js';
import { type BadCasesOptions, thresholdSchema } from './badcase-options.js';
import { type AnyDetector, type DetectorInputs, type DetectorRow, NEED_FLAGS, type Need } from './detector.js';
import { DETECTORS } from './detectors.js';

/** A row that failed. */
export interface BadCase {
  /** Place among the results, from 0. */
  row: number;
  user: string;
  /** Item ids, oldest first. */
  history: number[];
  /** Item id. */
  target: number;
  /** The target's title. */
  title: string;
  /** Rank of the target in the whole list, from 1; 0 where it is not listed. */
  rank: number;
  /** Names of the modes that the row is of, in the order of the detectors. */
  modes: string[];
}

/** How often a mode's rows fail. */
export interface ModeMetrics {
  /** Rows of the mode, failed or not. */
  rows: number;
  /** Failed rows of the mode. */
  count: number;
  /** Of all failed rows, in [0, 1]; 0 where none failed. */
  share: number;
  /** Failure rate of the mode's rows / failure rate of all rows; 0 where either has no row or none failed. */
  lift: number;
}

/** A detector whose needs were not met. */
export interface NotRun {
  /** Its name. */
  name: string;
  /** What was missing. */
  needs: Need[];
  /** What gives it: `--index FILE`; several with commas between. */
  flag: string;
}

/** What was found. */
export interface BadCases {
  /** Rows in all. */
  rows: number;
  /** Rows whose target is not among the first `topK`. */
  failed: number;
  /** By the names of the detectors that ran, in their order. */
  modes: Record<string, ModeMetrics>;
  /** Detectors that did not run, and what would run them. */
  notRun: NotRun[];
  /** The failed rows, in the order of the results. */
  cases: BadCase[];
  /** Rank of the target in each row, from 1; 0 where it is not listed [rows]. */
  ranks: number[];
}

/**
 * @throws InputError for an option out of range, results of another data set (an item id that it lacks), an index or
 *   vectors of another number of items, or a detector that does not return true or false
 *
 * @example a target never seen in training, missed: `{modes: {'cold start': {rows: 1, count: 1, ...}}}`
 */
export function badCases(results: readonly Result[], dataset: Dataset, options: BadCasesOptions = {}): BadCases {
  const { index, vectors, model, ...given } = options;
  const { detectors = DETECTORS, topK, ...thresholds } = thresholdSchema(given.detectors).parse(given);
  checkItems(results, dataset, { index, vectors });
  const inputs = available(dataset, { index, vectors, model });
  const notRun = missingNeeds(detectors, inputs);
  const skipped = new Set(notRun.map(({ name }) => name));
  const running = detectors.filter(({ name }) => !skipped.has(name));
  const ranks = results.map(({ items, target }) => items.indexOf(target) + 1);
  const facts = { results, dataset, counts: countTrain(dataset.train), ranks, topK, options: thresholds, ...inputs };
  const modesOf = modeFinder(running, facts as never);
  const all = results.map((result, row) => {
    const { user, history, target } = result;
    const modes = modesOf({ ...result, row, rank: ranks[row]! });
    return { row, user, history, target, title: dataset.items[target]!.title, rank: ranks[row]!, modes };
  });
  const cases = all.filter(({ rank }) => rank === 0 || rank > topK);
  const names = running.map(({ name }) => name);
  return { rows: all.length, failed: cases.length, modes: metricsOf(names, all, cases), notRun, cases, ranks };
}

type Given<K extends Need> = { [N in K]: DetectorInputs[N] | undefined };

function checkItems(
  results: readonly Result[],
  { items }: Dataset,
  { index, vectors }: Given<'index' | 'vectors'>,
): void {
  const alien = results.findIndex(({ target }) => items[target] === undefined);
  if (alien >= 0) {
    const { target } = results[alien]!;
    throw new InputError(
      `badcase: result ${alien + 1} has item ${target}, the data have ${items.length} items; evaluate on the same data`,
    );
  }
  for (const [what, count] of [
    ['an index', index?.length],
    ['vectors', vectors?.rows],
  ] as const) {
    // prettier-ignore
    if (count === undefined || count === items.length) continue;
    throw new InputError(
      `badcase: expected ${what} of ${items.length} items, got ${count}; take those of the same data`,
    );
  }
}

/** The inputs that are there. */
function available(
  { items, train }: Dataset,
  { index, vectors, model }: Given<'index' | 'vectors' | 'model'>,
): Partial<DetectorInputs> {
  const told = items.some(
    ({ title, description, brand, categories }) => title + description + brand + categories !== '',
  );
  return {
    ...(train.length > 0 && { rows: train }),
    ...(told && { texts: items }),
    ...(index && { index }),
    ...(vectors && { vectors }),
    ...(model && { model }),
  };
}

function missingNeeds(detectors: readonly AnyDetector[], inputs: Partial<DetectorInputs>): NotRun[] {
  return detectors.flatMap(({ name, needs }) => {
    const missing = needs.filter((need) => inputs[need] === undefined);
    if (missing.length === 0) return [];
    return [{ name, needs: missing, flag: missing.map((need) => NEED_FLAGS[need]).join(', ') }];
  });
}

/** A row -> the names of its modes. */
function modeFinder(detectors: readonly AnyDetector[], context: never): (row: DetectorRow) => string[] {
  const found = detectors.map((detector) => ({ name: detector.name, is: detector.detect(context) }));
  return (row) => found.filter(({ name, is }) => answer(name, is(row), row)).map(({ name }) => name);
}

function answer(name: string, value: unknown, { row }: DetectorRow): boolean {
  if (typeof value === 'boolean') return value;
  throw new InputError(
    `badcase: detector ${name}: expected true or false of result ${row + 1}, got ${String(value)}; mend the detector`,
  );
}

function metricsOf(
  names: readonly string[],
  all: readonly BadCase[],
  failed: readonly BadCase[],
): Record<string, ModeMetrics> {
  const overall = failed.length / Math.max(1, all.length);
  const entries = names.map((mode) => {
    const rows = all.filter(({ modes }) => modes.includes(mode)).length;
    const count = failed.filter(({ modes }) => modes.includes(mode)).length;
    const lift = rows > 0 && overall > 0 ? count / rows / overall : 0;
    return [mode, { rows, count, share: failed.length > 0 ? count / failed.length : 0, lift }] as const;
  });
  return Object.fromEntries(entries);
}
