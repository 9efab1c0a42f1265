/** The whole pipeline: a round, and others with strategies for its bad cases. */
import { join } from 'node:path';
import type { CompareReport } from '../compare/compare-report.js';
import { tell } from '../support/progress.js';
import { withAbsolutePaths } from './absolute-paths.js';
import { type Ask, Questions } from './ask.js';
import { withCodeOf } from './code-options.js';
import { type PipelineConfig, readPipelineConfig } from './config.js';
import { loops } from './loop-options.js';
import type { PipelineReport } from './pipeline-report.js';
import { runRound } from './round.js';
import {
  checkLoop,
  type ChooseStrategies,
  compareRounds,
  strategiesStage,
  type StrategiesReport,
  withLoopStages,
} from './rounds.js';
import { takeRuns } from './take-runs.js';

/** Who hears and answers a pipeline. */
export interface PipelineHooks {
  /** Called with the name of each stage before it runs. */
  say?: (stage: string) => void;
  /** Asks before what is costly. Default nobody is asked. */
  ask?: Ask | undefined;
  /** Chooses strategies; needed for more than one round. */
  strategies?: ChooseStrategies | undefined;
}

/**
 * All stages of a configuration, round after round. A stage that is up to date is not run again, so that a pipeline that
 * was stopped anywhere goes on from there.
 * @param hooks or only `say`
 * @throws InputError where an answer is no: the same configuration goes on from there
 */
export async function runPipeline(
  config: PipelineConfig,
  hooks: PipelineHooks | ((stage: string) => void) = {},
): Promise<PipelineReport> {
  const { say = () => {}, ask, strategies } = typeof hooks === 'function' ? { say: hooks } : hooks;
  const start = performance.now();
  const first = withAbsolutePaths(withLoopStages(config));
  checkLoop(first, strategies);
  const { report, config: ran } = await runRound(first, { say, ask });
  if (!strategies || !loops(first)) return report;
  const { rounds = 1, out, again = false } = first;
  const questions = new Questions(out, ask, again);
  const done: PipelineReport[] = [report];
  let before = ran;
  let plan: StrategiesReport | undefined;
  let comparison: CompareReport | undefined;
  for (let round = 2; round <= Math.max(2, rounds); round++) {
    say('strategies');
    const chosen = await strategiesStage(first, before, round, done.at(-1)!.stages.badcase!.report, strategies);
    plan ??= chosen;
    const names = chosen.chosen.map(({ name }) => name);
    if (names.length === 0) tell('strategies: the bad cases call for none; there is no other round');
    if (round > rounds || names.length === 0) break;
    const config = { ...withCodeOf(readPipelineConfig(chosen.config), before), ...(again && { again }) };
    if (!(await questions.anotherRound(round, names, join(config.out, 'runs')))) break;
    takeRuns(before, config);
    const next = await runRound(config, { say: (stage) => say(`round ${round}: ${stage}`), ask });
    before = next.config;
    done.push(next.report);
    say('compare');
    comparison = await compared(first, done);
  }
  return {
    ...report,
    ...(plan && { strategies: plan }),
    ...(done.length > 1 && { rounds: done }),
    ...(comparison && { comparison }),
    seconds: (performance.now() - start) / 1000,
  };
}

/** A comparison that cannot be made is a warning: the rounds are there. */
async function compared(config: PipelineConfig, rounds: readonly PipelineReport[]): Promise<CompareReport | undefined> {
  const found = await compareRounds(
    config,
    rounds.map(({ results, stages }) => ({ results, report: stages.badcase!.report })),
  );
  if (typeof found !== 'string') return found;
  rounds[0]!.warnings.push(found);
  tell(found);
  return undefined;
}
