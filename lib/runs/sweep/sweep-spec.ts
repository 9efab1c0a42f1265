/**
 * A sweep: a command, the options that all trials share, and those that vary, by a grid or drawn by a seed.
 *
 * ```json
 * { "command": "sid", "options": { "embeddings": "x.npy", "out": "sweep/{trial}" },
 *   "grid": { "codebookSize": [[64, 64, 64], [256, 256, 256]], "method": ["rqkmeans", "rqvae"] },
 *   "metrics": ["collision.final", "mse"], "goal": "min" }
 * ```
 *
 * In place of `grid`, `"random": { "learningRate": { "min": 1e-4, "max": 1e-2, "log": true }, "dropout": [0, 0.1, 0.3] }`
 * with `"trials": 20`. A dot goes into an object (`sft.learningRate` of a pipeline). `{trial}` in a text of the options is
 * the trial's own name, so that trials do not write over one another.
 */
import { hashText } from '../../files/files.js';
import { InputError } from '../../support/errors.js';
import { Random } from '../../support/random.js';

/** A range that is drawn from. */
export interface SweepRange {
  min: number;
  max: number;
  /** Evenly in the logarithm. Default false. */
  log?: boolean;
  /** Whole numbers, both ends included. Default false. */
  whole?: boolean;
}

/** A sweep as its file says it. */
export interface SweepSpec {
  /** Name of the command. */
  command: string;
  /** Options that all trials share. */
  options: Record<string, unknown>;
  /** Values of each option that varies: every combination is a trial. */
  grid?: Record<string, readonly unknown[]>;
  /** Values or a range of each option that varies: `trials` draws. */
  random?: Record<string, readonly unknown[] | SweepRange>;
  /** How many draws. Default 20. */
  trials: number;
  /** Decides the draws. Default 42. */
  seed: number;
  /** Numbers of the command's report, such as `item.NDCG@10`; the first decides which trial is the best. */
  metrics: readonly string[];
  /** Default `max`. */
  goal: 'max' | 'min';
}

/** One trial. */
export interface SweepTrial {
  /** Made of its options, so that it stays when others come. */
  name: string;
  /** The options that vary, as they are in this one. */
  varied: Record<string, unknown>;
  /** All options, for the command. */
  options: Record<string, unknown>;
}

/** @param source the file, for messages @throws InputError for what does not fit, in one line */
export function parseSweep(raw: unknown, source: string): SweepSpec {
  const wrong = (what: string): never => {
    throw new InputError(`${source}: ${what}`);
  };
  if (!isObject(raw)) return wrong('expected an object {command, options, grid or random, metrics}');
  const { command, options = {}, grid, random, trials = 20, seed = 42, metrics, goal = 'max', ...others } = raw;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) wrong(`unknown key ${unknown}`);
  if (typeof command !== 'string') wrong('expected command to be the name of one, such as sid or sft');
  if (!isObject(options)) wrong('expected options to be an object');
  if ((grid === undefined) === (random === undefined)) wrong('expected either grid or random');
  const varied = (grid ?? random) as unknown;
  if (!isObject(varied) || Object.keys(varied).length === 0) return wrong('expected options that vary');
  for (const [name, values] of Object.entries(varied)) {
    const list = Array.isArray(values) && values.length > 0;
    if (!list && (grid !== undefined || !isRange(values))) {
      wrong(`expected ${name} to be a list of values${grid === undefined ? ', or {min, max} (log: above 0)' : ''}`);
    }
  }
  if (!Array.isArray(metrics) || metrics.length === 0 || !metrics.every((name) => typeof name === 'string')) {
    wrong('expected metrics to be a list of names, such as ["item.NDCG@10"]');
  }
  if (goal !== 'max' && goal !== 'min') wrong(`expected goal to be max or min, got ${JSON.stringify(goal)}`);
  if (!Number.isSafeInteger(trials) || (trials as number) < 1) wrong('expected trials to be a whole number from 1');
  if (!Number.isSafeInteger(seed)) wrong('expected seed to be a whole number');
  return { command, options, metrics, goal, trials, seed, ...(grid ? { grid } : { random }) } as SweepSpec;
}

/** Every combination, the last option varying fastest; or the draws, without those that come twice. */
export function sweepTrials({ options, grid, random, trials, seed }: SweepSpec): SweepTrial[] {
  const varied = grid ? combinations(grid) : draws(random!, trials, seed);
  const made = varied.map((values) => trialOf(options, values));
  return [...new Map(made.map((trial) => [trial.name, trial])).values()];
}

function trialOf(shared: Record<string, unknown>, varied: Record<string, unknown>): SweepTrial {
  let options = shared;
  for (const [name, value] of Object.entries(varied)) options = withOption(options, name.split('.'), value);
  const name = `t-${hashText(JSON.stringify(options)).slice(0, 8)}`;
  return { name, varied, options: named(options, name) as Record<string, unknown> };
}

function combinations(grid: Record<string, readonly unknown[]>): Record<string, unknown>[] {
  return Object.entries(grid).reduce<Record<string, unknown>[]>(
    (all, [name, values]) => all.flatMap((before) => values.map((value) => ({ ...before, [name]: value }))),
    [{}],
  );
}

function draws(
  random: Record<string, readonly unknown[] | SweepRange>,
  trials: number,
  seed: number,
): Record<string, unknown>[] {
  return Array.from({ length: trials }, (_, trial) => {
    const from = new Random(`${seed}/sweep/${trial}`);
    const drawn = Object.entries(random).map(([name, values]) => {
      return [name, isRange(values) ? drawFrom(values, from) : from.pick(values as readonly unknown[])] as const;
    });
    return Object.fromEntries(drawn);
  });
}

function drawFrom({ min, max, log = false, whole = false }: SweepRange, random: Random): number {
  const share = random.next();
  // a whole number has as much of the range as lies within a half of it
  const [from, to] = whole ? [min - 0.5, max + 0.5] : [min, max];
  const value = log ? from * (to / from) ** share : from + (to - from) * share;
  if (whole) return Math.min(max, Math.max(min, Math.round(value)));
  return Number(value.toPrecision(4));
}

/** A copy with one option set, however deep. */
function withOption(
  options: Record<string, unknown>,
  [name, ...rest]: readonly string[],
  value: unknown,
): Record<string, unknown> {
  if (name === undefined) return options;
  const inner = options[name];
  return {
    ...options,
    [name]: rest.length === 0 ? value : withOption(isObject(inner) ? inner : {}, rest, value),
  };
}

/** With `{trial}` in every text. */
function named(value: unknown, trial: string): unknown {
  if (typeof value === 'string') return value.replaceAll('{trial}', trial);
  if (Array.isArray(value)) return value.map((element) => named(element, trial));
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, named(inner, trial)]));
}

function isRange(value: unknown): value is SweepRange {
  if (!isObject(value)) return false;
  const { min, max, log = false, whole = false } = value;
  const bounds = typeof min === 'number' && typeof max === 'number' && min <= max && (log !== true || min > 0);
  return bounds && (whole !== true || (Number.isSafeInteger(min) && Number.isSafeInteger(max)));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
