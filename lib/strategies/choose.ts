/**
 * From a bad-case report to another configuration: the strategies that it calls for, or those that were chosen, each with
 * the finding, its number, what changes and what is expected of it. (The loop of MiniOneRec's `optimization_strategies.py`.
 * Departures: every change is an option that a stage reads, the configuration is checked before it is given back, and a
 * strategy that has nothing to change says so.)
 */
import type { BadCaseFile } from '../badcase/report-shape.js';
import { checkConfig } from '../pipeline/check-config.js';
import type { PipelineConfig } from '../pipeline/config.js';
import { InputError } from '../support/errors.js';
import { changed } from './config-changes.js';
import { STRATEGIES } from './strategies.js';
import { type Changes, type Finding, type Strategy, unasked, verdictFor } from './strategy.js';

/** What strategies are chosen from. */
export interface StrategyInput {
  report: BadCaseFile;
  /** Of the run that the report is of. */
  config: PipelineConfig;
  /** Names. Default those that the report calls for. */
  choose?: readonly string[] | undefined;
  /** What there is: `[...STRATEGIES, mine]` in a notebook. Default the kit's. */
  strategies?: readonly Strategy[];
}

/** A strategy that changes something. */
export interface ChosenStrategy {
  name: string;
  /** What called for it. */
  finding: string;
  /** Its number; null where the report has none. */
  value: number | null;
  /** The finding in a sentence. */
  words: string;
  changes: Changes;
  /** What it is expected to do. */
  expected: string;
}

/** What came of it. */
export interface StrategyChoice {
  /** With all changes. */
  config: PipelineConfig;
  /** In the order in which they were applied. */
  chosen: ChosenStrategy[];
  /** Strategies that have nothing to change, and why. */
  skipped: { name: string; reason: string }[];
}

/** A strategy and what called for it. */
export interface Called {
  strategy: Strategy;
  finding: Finding;
}

/** What a report calls for, in the order of its verdicts. */
export function calledFor(report: BadCaseFile, strategies: readonly Strategy[] = STRATEGIES): Called[] {
  const order = (name: string): number => {
    const place = report.verdicts.findIndex((verdict) => (verdict.strategies as readonly string[]).includes(name));
    return place < 0 ? report.verdicts.length : place;
  };
  return strategies
    .flatMap((strategy) => {
      const finding = strategy.calledBy ? strategy.calledBy(report) : verdictFor(strategy.name, report);
      return finding ? [{ strategy, finding }] : [];
    })
    .sort((a, b) => order(a.strategy.name) - order(b.strategy.name));
}

/** @throws InputError for an unknown name, or a strategy whose changes are no configuration */
export async function strategies({
  report,
  config,
  choose,
  strategies: all = STRATEGIES,
}: StrategyInput): Promise<StrategyChoice> {
  // prettier-ignore
  const result: StrategyChoice = { config, chosen: [], skipped: [] };
  for (const { strategy, finding } of choose ? byName(choose, all, report) : calledFor(report, all)) {
    const { name } = strategy;
    const proposal = await strategy.propose({ report, config: result.config, finding });
    if (typeof proposal === 'string') {
      result.skipped.push({ name, reason: proposal });
      continue;
    }
    const { changes, expected } = proposal;
    const next = changed(result.config, changes);
    checkConfig(next, `strategies: ${name}`);
    result.config = next;
    result.chosen.push({ name, ...finding, changes, expected });
  }
  return result;
}

function byName(names: readonly string[], all: readonly Strategy[], report: BadCaseFile): Called[] {
  return names.map((name) => {
    const strategy = all.find((one) => one.name === name);
    if (!strategy) {
      throw new InputError(`strategies: expected any of ${all.map((one) => one.name).join(', ')}, got ${JSON.stringify(name)}`); // prettier-ignore
    }
    const called = calledFor(report, [strategy]).map(({ finding }) => finding);
    return { strategy, finding: called[0] ?? unasked(strategy, report) };
  });
}
