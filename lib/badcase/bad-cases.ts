/**
 * Where a recommender fails: test rows whose true item is missing from the first k, sorted into failure modes.
 *
 * What a mode is, its detector says. A row may be in several or in none. Lift says whether a mode matters: how much
 * more often failed rows have it than others. Frequencies count train rows' targets and each user's first history, as
 * the popularity baseline does. Of a joined folder, what a mode is counts within the row's own data set.
 */
import { countTrain } from '../data/counts.js';
import type { Dataset } from '../data/dataset.js';
import { scoresAreLogProbs } from '../evaluate/measures/search.js';
import type { Result } from '../evaluate/results-file.js';
import { InputError } from '../support/errors.js';
import { type BadCasesOptions, thresholdSchema } from './badcase-options.js';
import { type AnyDetector, type DetectorInputs, type DetectorRow, NEED_FLAGS, type Need } from './detector.js';
import { DETECTORS } from './detectors.js';
import { listsFor } from './lists-for.js';
import { type AnalysedPart, analysedParts } from './part-views.js';
import { modeStatistics } from './mode-statistics.js';
import type { ModeReport, ReportedCase } from './report-shape.js';

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
  topK: number;
  /** By the names of the detectors that ran, in their order. */
  modes: Record<string, ModeReport>;
  /** Named causes, the one that explains most failed rows first. */
  named: string[];
  /** Detectors that did not run, and what would run them. */
  notRun: NotRun[];
  /** The failed rows, in the order of the results. */
  cases: ReportedCase[];
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
  const parts = analysedParts(results, dataset, { index, vectors, model });
  const inputs = parts.map(available);
  const notRun = missingNeeds(detectors, inputs);
  const skipped = new Set(notRun.map(({ name }) => name));
  const running = detectors.filter(({ name }) => !skipped.has(name));
  const ranks = results.map(rankOf);
  const modes = new Array<string[]>(results.length);
  for (const [i, part] of parts.entries()) {
    const facts = { ...factsOf(part), topK, options: thresholds, ...inputs[i] };
    const modesOf = modeFinder(running, facts as never);
    part.results.forEach((result, row) => {
      const place = part.places[row]!;
      modes[place] = modesOf({ ...result, row, rank: ranks[place]! }, place);
    });
  }
  const all = results.map((result, row): ReportedCase & { failed: boolean } => {
    const { user, history, target, items, scores, targetLogProbs: logProbs } = result;
    const rank = ranks[row]!;
    const targetScore = logProbs?.length ? logProbs.reduce((sum, x) => sum + x, 0) : null;
    return {
      ...{ row, user, history, target, title: dataset.items[target]!.title, rank },
      ...{ items: items.slice(0, topK), scores: scores.slice(0, topK), targetScore, modes: modes[row]! },
      failed: rank === 0 || rank > topK,
    };
  });
  const cases = all.filter(({ failed }) => failed).map(({ failed: _, ...rest }) => rest);
  return { rows: all.length, failed: cases.length, topK, ...modeStatistics(running, all), notRun, cases, ranks };
}

const rankOf = ({ items, target }: Result): number => items.indexOf(target) + 1;

function factsOf({ results, dataset }: AnalysedPart) {
  return { results, dataset, counts: countTrain(dataset.train), ranks: results.map(rankOf) };
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
function available({ results, dataset, index, vectors, model }: AnalysedPart): Partial<DetectorInputs> {
  const { items, train } = dataset;
  const told = items.some(
    ({ title, description, brand, categories }) => title + description + brand + categories !== '',
  );
  return {
    ...(train.length > 0 && { rows: train }),
    ...(told && { texts: items }),
    ...(index && { index }),
    ...(vectors && { vectors }),
    ...(model && { model: { ...model, listsFor: (histories, topK) => listsFor(model, histories, topK) } }),
    ...(hasTargetScores(results) && { targetScores: true as const }),
  };
}

function hasTargetScores(results: readonly Result[]): boolean {
  return results.every(({ targetLogProbs }) => targetLogProbs !== undefined) && scoresAreLogProbs(results);
}

/** A detector runs where every data set has what it needs: a mode of some of the rows would be compared with the others. */
function missingNeeds(detectors: readonly AnyDetector[], inputs: readonly Partial<DetectorInputs>[]): NotRun[] {
  return detectors.flatMap(({ name, needs }) => {
    const missing = needs.filter((need) => inputs.some((given) => given[need] === undefined));
    if (missing.length === 0) return [];
    return [{ name, needs: missing, flag: missing.map((need) => NEED_FLAGS[need]).join(', ') }];
  });
}

/** A row, and its place among all results -> the names of its modes. */
function modeFinder(detectors: readonly AnyDetector[], context: never): (row: DetectorRow, place: number) => string[] {
  const found = detectors.map((detector) => ({ name: detector.name, is: detector.detect(context) }));
  return (row, place) => found.filter(({ name, is }) => answer(name, is(row), place)).map(({ name }) => name);
}

function answer(name: string, value: unknown, place: number): boolean {
  if (typeof value === 'boolean') return value;
  throw new InputError(
    `badcase: detector ${name}: expected true or false of result ${place + 1}, got ${String(value)}; mend the detector`,
  );
}
