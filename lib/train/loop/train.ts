/**
 * One training loop, for supervised fine-tuning, for GRPO, and for baselines that are trained.
 *
 * What is trained is a `Task`: batches, an objective for each, and validation metrics. The loop owns steps, rate,
 * optimizer, checkpoints, metric log, the best model, interrupts and resuming: a killed run is resumed from its last
 * checkpoint and ends on the same bits as one that was never stopped.
 *
 * In a cluster each process computes its share of every batch, gradients are summed, and all make the same update.
 * Losses, metrics and interrupts are agreed on, so that all stop at the same step; process 0 writes the folder, and what
 * it resumes from is copied to the others.
 */
import { first } from '../../cluster/alone.js';
import { saveModel } from '../../lm/model.js';
import type { LanguageModel, TrainableModel } from '../../lm/language-model.js';
import type { TextTokenizer } from '../../lm/tokenizer/tokenizer.js';
import type { RunStore } from '../../runs/run-folder.js';
import { watchInterrupts } from '../../support/interrupt.js';
import { announce } from './announce.js';
import { Loop } from './loop.js';
import type { LoopOptions, TrainReport } from './loop-options.js';
import type { Task } from './task.js';
import { averaged, weightsAverage } from './weights-average.js';

/**
 * @param model trained in place
 * @throws InputError on a loss that is not finite (the last good checkpoint stays), on a disk that is full (likewise),
 *   and on interrupt after saving
 */
export async function train<Batch>(
  model: LanguageModel,
  tokenizer: TextTokenizer,
  task: Task<Batch>,
  run: RunStore,
  options: LoopOptions,
): Promise<TrainReport> {
  const { cluster } = options;
  await first(cluster, () => {
    if (run.checkpoints().length === 0) announce(model, task, options);
  });
  const { save = (at: string) => saveModel(at, model, { json: tokenizer.json }) } = options;
  return trainWeights(model, task, run, { ...options, save });
}

/**
 * The same of any weights: what they are of is the task's and `save`'s business. Nothing is estimated beforehand.
 * @throws InputError as `train` does
 */
export async function trainWeights<Batch>(
  model: TrainableModel,
  task: Task<Batch>,
  run: RunStore,
  options: LoopOptions & Required<Pick<LoopOptions, 'save'>>,
): Promise<TrainReport> {
  const { averageDecay = 0 } = options;
  const average = averageDecay > 0 ? weightsAverage(model, averageDecay) : undefined;
  const save = (at: string): void => average!.duringNow(() => options.save(at));
  const loop = average
    ? new Loop(model, averaged(task, average), run, { ...options, save })
    : new Loop(model, task, run, options);
  const release = watchInterrupts();
  let done = false;
  try {
    await loop.begin();
    const report = await loop.run();
    done = true;
    return report;
  } finally {
    release();
    loop.dispose();
    average?.dispose();
    if (!done) run.release();
  }
}
