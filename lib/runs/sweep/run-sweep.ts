/**
 * The trials of a sweep one after the other. Each is a line of `sweep.jsonl` as soon as it is done, so a sweep that was
 * stopped, or that got more values, runs what is missing alone. A trial that fails says why and does not stop the others;
 * the next call tries it again. An interrupt stops the sweep. What lies in the files that a trial reads is not looked at:
 * after a change of the data, `sweep.jsonl` is to be removed.
 */
import { existsSync, readFileSync } from 'node:fs';
import { appendOrFail } from '../../files/files.js';
import { InputError, Interrupted } from '../../support/errors.js';
import type { SweepSpec, SweepTrial } from './sweep-spec.js';
import { sweepTrials } from './sweep-spec.js';

/** A trial that was run. */
export interface TrialResult {
  /** Of the trial. */
  name: string;
  /** That was run; absent in older lines. */
  command?: string;
  /** The options that vary. */
  varied: Record<string, unknown>;
  /** The metrics asked for; null where the report has none of the name. */
  metrics: Record<string, number | null>;
  seconds: number;
  /** Why it failed; absent where it did not. */
  error?: string;
}

/** A sweep's trials, the best first. */
export interface SweepResult {
  trials: TrialResult[];
  /** Trials that were run now, and those that were there. */
  ran: number;
  kept: number;
  failed: number;
  /** The best trial; absent where none has the metric. */
  best?: TrialResult;
}

/** What runs a trial, and what watches. */
export interface SweepRunner {
  /** @returns the command's report */
  run(trial: SweepTrial): unknown;
  /** Called before each trial that is run. */
  onTrial?(trial: SweepTrial, place: number, of: number): void;
  /** Asked before each trial. */
  stop?(): boolean;
}

/**
 * @param file of the trials that are done
 * @throws Interrupted on interrupt, as the trial did: it has no line, and the next call goes on with it; whatever is no
 *   `InputError`
 */
export async function runSweep(spec: SweepSpec, file: string, runner: SweepRunner): Promise<SweepResult> {
  const trials = sweepTrials(spec);
  const done = readTrials(file, spec);
  const open = trials.filter(({ name }) => !done.has(name) || done.get(name)!.error !== undefined || lacks(done.get(name)!, spec)); // prettier-ignore
  let place = 0;
  for (const trial of open) {
    if (runner.stop?.()) break;
    place++;
    runner.onTrial?.(trial, place, open.length);
    const result = await runTrial(trial, spec, runner);
    done.set(trial.name, result);
    appendOrFail(file, `${JSON.stringify(result)}\n`);
  }
  const results = trials.flatMap(({ name }) => (done.has(name) ? [done.get(name)!] : []));
  const sorted = sortTrials(results, spec);
  const failed = results.filter(({ error }) => error !== undefined).length;
  const [best] = sorted.filter((result) => valueOf(result, spec) !== undefined);
  return { trials: sorted, ran: place, kept: trials.length - open.length, failed, ...(best && { best }) };
}

async function runTrial(trial: SweepTrial, { command, metrics }: SweepSpec, runner: SweepRunner): Promise<TrialResult> {
  const { name, varied } = trial;
  const start = performance.now();
  const since = (): number => Number(((performance.now() - start) / 1000).toFixed(3));
  try {
    const report = await runner.run(trial);
    const values = metrics.map((metric) => [metric, numberAt(report, metric) ?? null] as const);
    if (values.every(([, value]) => value === null)) {
      const known = numbersIn(report).slice(0, 30).join(', ');
      throw new InputError(`sweep: expected metrics of the report (${known}), got ${metrics.join(', ')}`);
    }
    return { name, command, varied, metrics: Object.fromEntries(values), seconds: since() };
  } catch (error) {
    if (!(error instanceof InputError) || error instanceof Interrupted) throw error;
    const none = Object.fromEntries(metrics.map((metric) => [metric, null]));
    return { name, command, varied, metrics: none, seconds: since(), error: error.message };
  }
}

/** The last line of a trial counts; one that was cut short, or is of another command, is passed over. */
function readTrials(file: string, { command }: SweepSpec): Map<string, TrialResult> {
  const done = new Map<string, TrialResult>();
  if (!existsSync(file)) return done;
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    try {
      const result = JSON.parse(line) as TrialResult;
      if (typeof result.name === 'string' && (result.command ?? command) === command) done.set(result.name, result);
    } catch {
      continue;
    }
  }
  return done;
}

/** Whether a trial was run before a metric was asked for. */
function lacks(result: TrialResult, { metrics }: SweepSpec): boolean {
  return metrics.some((metric) => !(metric in result.metrics));
}

function valueOf({ metrics }: TrialResult, spec: SweepSpec): number | undefined {
  return metrics[spec.metrics[0]!] ?? undefined;
}

/** The best first; those without the metric last. */
function sortTrials(results: readonly TrialResult[], spec: SweepSpec): TrialResult[] {
  const sign = spec.goal === 'max' ? -1 : 1;
  const key = (result: TrialResult): number => {
    const value = valueOf(result, spec);
    return value === undefined ? Infinity : sign * value;
  };
  return [...results].sort((a, b) => (key(a) === key(b) ? 0 : key(a) - key(b)));
}

/** A number of a report: the longest key that begins the path is taken at each object (`item.HR@10`, `valid NDCG@10`). */
export function numberAt(report: unknown, path: string): number | undefined {
  if (typeof report === 'number') return path === '' && Number.isFinite(report) ? report : undefined;
  if (typeof report !== 'object' || report === null || path === '') return undefined;
  const keys = Object.keys(report).sort((a, b) => b.length - a.length);
  for (const key of keys) {
    if (path !== key && !path.startsWith(`${key}.`)) continue;
    const found = numberAt((report as Record<string, unknown>)[key], path.slice(key.length + 1));
    if (found !== undefined) return found;
  }
  return undefined;
}

function numbersIn(report: unknown, at = ''): string[] {
  if (typeof report === 'number') return [at];
  if (typeof report !== 'object' || report === null) return [];
  return Object.entries(report).flatMap(([key, value]) => numbersIn(value, at === '' ? key : `${at}.${key}`));
}
