/** Runs whose results are of today's data, and those that must be done again. */
import { existsSync } from 'node:fs';
import { countTrain } from '../data/counts.js';
import type { Dataset, Row } from '../data/dataset.js';
import { indexOf } from '../data/load.js';
import { readResults, type Result } from '../evaluate/results-file.js';
import { hashInputs } from '../runs/inputs.js';
import { largest } from '../support/extremes.js';
import type { FoundRun } from './find-runs.js';

/** A data folder as it is now. */
export interface Today {
  dataset: Dataset;
  /** SHA-256 by file name, its index among them where there is one. */
  inputs: Readonly<Record<string, string>>;
  /** Items that a baseline's lists can hold at least: those of the training rows. */
  seen: number;
}

/** A run and its results. */
export interface RunResults {
  run: FoundRun;
  results: Result[];
}

/** Each seed stands in one of the lists, once. */
export interface SortedRuns {
  /** One of each seed, the first by folder. */
  fresh: RunResults[];
  /** On other rows or inputs; of seeds that no fresh run has. */
  stale: FoundRun[];
  /** Of today's rows, with lists that are too short; of seeds that no fresh run has. */
  short: FoundRun[];
}

/** Reads and hashes what runs are compared with. */
export function todayOf(dataset: Dataset): Today {
  const index = indexOf(dataset);
  const inputs = hashInputs({ dataset, ...(existsSync(index) && { index }) });
  return { dataset, inputs, seen: countTrain(dataset.train).items.size };
}

/**
 * @param length items that lists are to have at least; where fewer were seen in training, so many. Default any. A joined
 *   folder's lists are of its parts' items, and are not looked at
 */
export async function sortRuns(
  runs: readonly FoundRun[],
  { dataset: { test, parts }, inputs, seen }: Pick<Today, 'inputs' | 'seen'> & { dataset: Pick<Dataset, 'test' | 'parts'> },
  length = 0,
): Promise<SortedRuns> {
  const fresh: RunResults[] = [];
  const [stale, short]: [FoundRun[], FoundRun[]] = [[], []];
  const had = largest(test.map(({ history }) => new Set(history).size), 0);
  for (const run of runs) {
    if (isAmong(fresh.map((one) => one.run), run)) continue;
    const least = parts ? 0 : Math.min(length, seen - (run.excludeHistory ? had : 0));
    const results = sameInputs(run.inputs ?? {}, inputs) ? await readResults(run.results) : [];
    if (!sameRows(results, test)) stale.push(run);
    else if (largest(results.map(({ items }) => items.length)) < least) short.push(run);
    else fresh.push({ run, results });
  }
  const found = fresh.map(({ run }) => run);
  const others = (of: FoundRun[], taken: readonly FoundRun[]): FoundRun[] =>
    of.filter((run, i) => !isAmong(taken, run) && !isAmong(of.slice(0, i), run));
  return { fresh, stale: others(stale, [...found, ...short]), short: others(short, found) };
} // prettier-ignore

function isAmong(runs: readonly FoundRun[], { seed }: FoundRun): boolean {
  return runs.some((run) => run.seed === seed);
}

/** Whether nothing that a run read has changed, as far as both say. */
export function sameInputs(of: NonNullable<FoundRun['inputs']>, today: Today['inputs']): boolean {
  return Object.entries(of).every(([file, hash]) => today[file] === undefined || today[file] === hash);
}

function sameRows(results: readonly Result[], rows: readonly Row[]): boolean {
  return (
    results.length === rows.length &&
    rows.every(({ user, history, target }, i) => {
      const result = results[i]!;
      return result.user === user && result.target === target && sameItems(result.history, history);
    })
  );
}

function sameItems(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}
