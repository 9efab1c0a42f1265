/**
 * The runs of a folder side by side: how far they got, in what they differ, and their curves.
 *
 * A run is a folder with `config.json` and `metrics.jsonl`, at whatever depth (`DIR/runs/NAME/sft`).
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { readJson } from '../../files/files.js';
import { type MetricLine, readMetrics, smallerIsBetter } from '../../runs/metric-lines.js';
import { isLocked } from '../../runs/run-lock.js';
import { InputError } from '../../support/errors.js';

/** A run: how far it got, and its best metrics. */
export interface RunSummary {
  /** Path from the folder that was searched. */
  name: string;
  /** Whose run it is, such as `sft`. */
  stage: string;
  /** `stopped` can be resumed. */
  state: 'finished' | 'running' | 'stopped';
  /** Updates so far. */
  steps: number;
  /** Last loss, null where none was logged. */
  loss: number | null;
  /** Validation metric that chose the model, null before the first validation. */
  metric: string | null;
  /** Value of the metric; null before the first validation. */
  best: number | null;
  /** Step of the best. */
  at: number | null;
  /** Of training. */
  seconds: number;
}

/** An option in which runs differ. */
export interface Difference {
  /** Option, with dots where it is nested. */
  option: string;
  /** By the runs' names; null where a run has none of the option. */
  values: Record<string, string | null>;
}

/** Runs side by side. */
export interface RunComparison {
  /** In the order of their names. */
  runs: RunSummary[];
  /** Options of which not all runs have the same value. */
  differences: Difference[];
  /** `metrics.jsonl` of each run. */
  curves: { name: string; lines: MetricLine[] }[];
}

/** @throws InputError if there is no run in the folder */
export function compareRuns(folder: string): RunComparison {
  const found = findRuns(folder).map((path) => ({ path, name: relative(folder, path) || basename(path) }));
  if (found.length === 0) {
    throw new InputError(`${folder}: no run in it (a folder with config.json and metrics.jsonl); train one first`);
  }
  const runs = found.map(({ path, name }) => {
    const config = readJson<Record<string, unknown>>(join(path, 'config.json'));
    const lines = readMetrics(join(path, 'metrics.jsonl'));
    return { name, config, lines, summary: summarize(name, path, config, lines) };
  });
  return {
    runs: runs.map(({ summary }) => summary),
    differences: differences(runs),
    curves: runs.map(({ name, lines }) => ({ name, lines })),
  };
}

/** Folders that hold a run, in order of their names; nothing within a run is looked at. */
function findRuns(folder: string): string[] {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) throw new InputError(`${folder}: no such folder`);
  const names = readdirSync(folder, { withFileTypes: true });
  if (['config.json', 'metrics.jsonl'].every((file) => names.some(({ name }) => name === file))) return [folder];
  const folders = names.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  return folders.sort().flatMap((name) => findRuns(join(folder, name)));
}

function summarize(name: string, path: string, config: Record<string, unknown>, lines: MetricLine[]): RunSummary {
  const metric = metricOf(config, lines);
  const smaller = metric !== undefined && smallerIsBetter(metric);
  const validations = lines.filter((line) => line[`valid ${metric}`] !== undefined);
  const figure = (line: MetricLine): number => line[`valid ${metric}`]!;
  const best = validations.reduce<MetricLine | undefined>((best, line) => {
    const better = !best || (smaller ? figure(line) < figure(best) : figure(line) > figure(best));
    return better ? line : best;
  }, undefined);
  return {
    name,
    stage: typeof config.stage === 'string' ? config.stage : 'sid',
    state: existsSync(join(path, 'card.json')) ? 'finished' : isLocked(path) ? 'running' : 'stopped',
    steps: lines.reduce((most, { step }) => Math.max(most, step), 0),
    loss: lines.findLast(({ loss }) => loss !== undefined)?.loss ?? null,
    metric: metric ?? null,
    best: best ? figure(best) : null,
    at: best?.step ?? null,
    seconds: lines.findLast(({ seconds }) => seconds !== undefined)?.seconds ?? 0,
  };
}

/** What chose the model: the configuration's word, else NDCG@10 or the first metric that was validated. */
function metricOf({ bestMetric }: Record<string, unknown>, lines: readonly MetricLine[]): string | undefined {
  const measured = lines.flatMap((line) => Object.keys(line).filter((key) => key.startsWith('valid ')));
  const names = measured.map((key) => key.slice('valid '.length));
  return [bestMetric, 'NDCG@10', names[0]].find((name) => typeof name === 'string' && names.includes(name)) as
    string | undefined;
}

function differences(runs: readonly { name: string; config: Record<string, unknown> }[]): Difference[] {
  const flat = runs.map(({ name, config }) => ({ name, options: new Map(flatten(config)) }));
  const options = [...new Set(flat.flatMap(({ options }) => [...options.keys()]))];
  return options
    .map((option) => ({
      option,
      values: Object.fromEntries(flat.map(({ name, options }) => [name, options.get(option) ?? null])),
    }))
    .filter(({ values }) => new Set(Object.values(values)).size > 1);
}

function flatten(value: object, prefix = ''): [string, string][] {
  return Object.entries(value).flatMap(([key, field]): [string, string][] => {
    const nested = typeof field === 'object' && field !== null && !Array.isArray(field);
    if (nested) return flatten(field as object, `${prefix}${key}.`);
    return [[prefix + key, typeof field === 'string' ? field : JSON.stringify(field)]];
  });
}
