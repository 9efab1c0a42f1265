/** The runs of a data folder that a table's row is about, and what they measured on the test rows. */
import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Dataset, Row } from '../data/dataset.js';
import { rankMetrics } from '../evaluate/metrics.js';
import { readResults, type Result } from '../evaluate/results-file.js';
import { itemRank } from '../evaluate/rows/ranks.js';
import { metricIntervals, withRanks } from '../evaluate/statistics/intervals.js';
import { readJson } from '../files/files.js';
import type { Provenance } from '../evaluate/results-place.js';
import type { BaselineRun, PaperRow } from './paper-table.js';
import { largest, smallest } from '../support/extremes.js';

/** A run's results on the test rows. */
export interface FoundRun {
  /** Folder in `runs/`. */
  folder: string;
  /** Results file. */
  results: string;
  /** Of a run that has one. */
  seed?: number;
}

/** What runs of several seeds measured together. */
export interface Measured {
  /** Over all rows of all seeds. */
  mean: Record<string, number>;
  /** 95 % bootstrap intervals over users, each with its rows of all seeds. */
  intervals: Record<string, readonly [low: number, high: number]>;
  /** Smallest and largest of the seeds. */
  spread: Record<string, readonly [least: number, most: number]>;
  /** Runs whose results are of other rows than the test rows of today. */
  stale: number;
  runs: readonly FoundRun[];
}

/**
 * Runs in `DIR/runs`, and those of pipelines in the folders there (`DIR/runs/main/sft`), that have results; of several with
 * one seed the first by name.
 */
export function findRuns(dir: string, run: NonNullable<PaperRow['run']>): FoundRun[] {
  const top = foldersIn(join(dir, 'runs'));
  const found = [...top, ...top.flatMap(foldersIn)].flatMap((folder): FoundRun[] => {
    const results = resultsOf(folder, basename(folder), run);
    return results === undefined ? [] : [{ folder, ...results }];
  });
  return found.filter(({ seed }, i) => found.findIndex((other) => other.seed === seed) === i);
}

function foldersIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const folders = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return folders.map(({ name }) => join(folder, name)).sort();
}

function resultsOf(
  folder: string,
  name: string,
  run: NonNullable<PaperRow['run']>,
): { results: string; seed?: number } | undefined {
  const file = join(folder, 'config.json');
  const config = existsSync(file) ? readJson<RunConfig>(file) : {};
  const wanted = 'baseline' in run ? isOf(run, config, name) : config.stage === run.stage;
  if (!wanted) return undefined;
  const own = 'baseline' in run ? ['results.jsonl'] : readdirSync(folder).sort();
  const results = own.find((one) => 'baseline' in run || isWhole(one) || isWholeByPipeline(join(folder, one)));
  if (results === undefined || !existsSync(join(folder, results))) return undefined;
  return { results: join(folder, results), ...(config.seed !== undefined && { seed: config.seed }) };
}

interface RunConfig extends Record<string, unknown> {
  stage?: string;
  baseline?: string;
  seed?: number;
}

/** A counted baseline has no configuration: its folder's name says what it is. */
function isOf({ baseline, options = {} }: BaselineRun, config: RunConfig, name: string): boolean {
  if (config.baseline !== baseline && ![`baseline-${baseline}`, baseline].includes(name)) return false;
  return Object.entries(options).every(([option, value]) => config[option] === value);
}

/** Test rows by 50 beams of the trie, with nothing left out: what `evaluate` does by default. */
function isWhole(file: string): boolean {
  return /^results-test-[^-]+-50(-bfloat16)?\.jsonl$/.test(file);
}

/** The same of a pipeline's `results.jsonl`, by what lies beside it. */
function isWholeByPipeline(file: string): boolean {
  const beside = file.replace(/\.jsonl$/, '.json');
  if (basename(file) !== 'results.jsonl' || !existsSync(beside)) return false;
  const { split, numBeams, normalize, ...others } = readJson<Partial<Provenance>>(beside);
  const usual = split === 'test' && numBeams === 50 && normalize === 'full';
  return usual && CHANGES.every((change) => others[change] === undefined);
}

/** What an evaluation says of itself where it is another than the default one. */
const CHANGES = [
  ...(['limit', 'excludeHistory', 'lengthPenalty', 'logitAdjustment', 'sharedSids', 'assistant'] as const),
  ...(['wording', 'shard', 'shuffleHistories', 'part'] as const),
  ...(['cutoffLen', 'chatTemplate', 'sidTokens', 'heldOutItems', 'templateHash'] as const),
];

/** @param metrics such as `HR@10` @returns undefined where no run's results are of the data set's test rows */
export async function measureRuns(
  runs: readonly FoundRun[],
  { test }: Pick<Dataset, 'test'>,
  metrics: readonly string[],
): Promise<Measured | undefined> {
  const ks = [...new Set(metrics.map((metric) => Number(metric.split('@')[1])))];
  const all = await Promise.all(runs.map(async (run) => ({ run, results: await readResults(run.results) })));
  const fresh = all.filter(({ results }) => sameRows(results, test));
  if (fresh.length === 0) return undefined;
  const each = fresh.map(({ results }) => rankMetrics(results.map(itemRank), ks));
  const rows = fresh.flatMap(({ results }) => withRanks(results, itemRank));
  const ofSeeds = (metric: string): number[] => each.map((one) => one[metric]!);
  return {
    mean: Object.fromEntries(metrics.map((m) => [m, ofSeeds(m).reduce((sum, x) => sum + x, 0) / each.length])),
    intervals: metricIntervals(rows, ks),
    spread: Object.fromEntries(metrics.map((m) => [m, [smallest(ofSeeds(m)), largest(ofSeeds(m))]])),
    stale: all.length - fresh.length,
    runs: fresh.map(({ run }) => run),
  };
}

function sameRows(results: readonly Result[], rows: readonly Row[]): boolean {
  return (
    results.length === rows.length &&
    rows.every(({ user, target }, i) => results[i]!.user === user && results[i]!.target === target)
  );
}
