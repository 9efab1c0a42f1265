/**
 * Group relative policy optimisation (Shao et al., arXiv 2402.03300, eq. 3) as MiniOneRec uses it: a group is the
 * beams of one prompt under the item trie, its reward a ranking, and the SFT model the reference of the KL term.
 *
 * Departures:
 *   1. a group is one prefix tree of the forest: its prompt goes through policy and reference once, not G times;
 *   2. rollouts are the best beams by default, not beams that are drawn (`rollout.ts` has both and says which is which);
 *   3. one update a rollout by default, so that every ratio is 1 and the clip never acts (`numIterations`);
 *   4. the initial model is validated too, and can be the best: the model that is kept is never worse than it;
 *   5. a group has distinct completions: items that share a SID are one, with the best of their rewards;
 *   6. prompts are in the words of evaluation, the first of a template;
 *   7. `ranking` counts ranks of items, those that share a SID each, before they become one completion;
 *   8. with `dropout` the policy's pass alone has a mask, so that its KL to an equal reference is not 0.
 */
import { first, together } from '../../cluster/alone.js';
import { joinCluster } from '../../cluster/cluster.js';
import { saveModel } from '../../lm/model.js';
import { disposeWeights } from '../../lm/weights.js';
import { finishedRun, type RunFolder, type RunFolderOptions } from '../../runs/run-folder.js';
import { codeVersion } from '../../runs/code-version.js';
import { readValidRows } from '../../runs/valid-rows.js';
import type { TrainReport } from '../loop/loop-options.js';
import { train } from '../loop/train.js';
import { largest } from '../../support/extremes.js';
import { openRun } from '../loop/open-run.js';
import { estimateRun, refuseIfTooLarge, type RunEstimate } from '../report/estimate.js';
import { runCard, tellIfNotKept, tellIfOther } from '../report/run-card.js';
import type { GrpoOptions } from './grpo-options.js';
import { beginGrpo, grpoPrecision, type SettledGrpo, settleGrpo } from './grpo-settings.js';
import { logRollouts, truncateRollouts } from './rollout/rollout-log.js';
import { sinceStart, type SinceStart } from './since-start.js';

/** What a run of GRPO gave: that of every training, and where it started from. */
export interface GrpoReport extends TrainReport, SinceStart {}

/**
 * Trains, or gives the report of the finished run in the folder.
 * @throws InputError for options, data or a model that cannot be; nothing is written then
 */
export async function grpo(
  options: GrpoOptions,
  { whenStale = 'refuse' }: Pick<RunFolderOptions, 'whenStale'> = {},
): Promise<GrpoReport> {
  const cluster = await joinCluster();
  const precision = cluster && (await cluster.first(() => grpoPrecision(options)));
  const settled = await together(cluster, () => settleGrpo(options, precision));
  const { run, config, settings, inputs, card } = settled;
  const { again, onLog, keep, bestMetric, seed } = settings;
  cluster?.expectSame({ code: codeVersion().hash, ...(config.inputs as object), ...config });
  const done = await first(cluster, () => finishedRun(run, config, { again, whenStale }));
  if (done) {
    tellIfOther('grpo', done);
    tellIfNotKept('grpo', run, settings);
    return done.report as GrpoReport;
  }
  const { model, tokenizer, task, dispose } = await together(cluster, () =>
    beginGrpo(settled, (groups) => logRollouts(run, groups)),
  );
  try {
    const folder = await openRun(cluster, run, config);
    await first(cluster, () => truncateRollouts(run, largest(folder.checkpoints(), 0)));
    const save = (at: string): void => saveModel(at, model, { json: tokenizer.json }, card, settings);
    const loop = { ...loopOptions(settings), save, evalStart: true, cluster, ...(onLog && { onLog }) };
    const trained = await train(model, tokenizer, task, folder, loop);
    return await first(cluster, () => {
      const since = sinceStart(folder.readLog(), trained.best.step, (step) => readValidRows(run, step), bestMetric);
      const report = { ...trained, ...since };
      (folder as RunFolder).finish(runCard(report, { ...config, seed }, inputs), keep > 1 ? keep : 0);
      return report;
    });
  } finally {
    dispose();
    disposeWeights(model.weights);
  }
}

/** The options of the loop and its optimizer, and no others: `epsilon` is AdamW's there, and the clip's here. */
export function loopOptions(settings: SettledGrpo['settings']) {
  const { epochs, learningRate, schedule, warmupSteps, warmupRatio, maxGradNorm, weightDecay } = settings;
  const { optimizer, muonScale, evalSteps, patience, keep, keepLast, bestMetric, averageDecay, seed } = settings;
  const { shardOptimizer, gradientDtype } = settings;
  return {
    ...{ epochs, learningRate, schedule, warmupRatio, maxGradNorm, weightDecay, optimizer, muonScale },
    ...{ evalSteps, patience, keep, keepLast, bestMetric, averageDecay, seed, warmupSteps },
    ...{ shardOptimizer, gradientDtype },
  };
}

/** What a run would take; nothing is written. @throws InputError as the run itself would, or if it cannot fit */
export async function grpoEstimate(options: GrpoOptions): Promise<RunEstimate> {
  const settled = await settleGrpo(options);
  const { model, task, dispose } = beginGrpo(settled);
  try {
    const estimate = estimateRun(model, task, (batch) => task.batchSizes(batch), loopOptions(settled.settings));
    refuseIfTooLarge(task.name, estimate);
    return estimate;
  } finally {
    dispose();
    disposeWeights(model.weights);
  }
}
