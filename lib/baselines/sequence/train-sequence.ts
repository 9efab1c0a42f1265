/**
 * A trained baseline: a data folder -> a run folder (`model/`, metrics, checkpoints) -> lists for the test rows.
 *
 * The loop is that of supervised fine-tuning: one that was stopped is resumed from its last checkpoint and ends on the
 * same bits; one that is done is not trained again; the best model by a validation metric is kept.
 */
import { disposeWeights } from '../../lm/weights.js';
import { ensureEngine } from '../../engine/engine.js';
import { fingerprint } from '../../options/derive.js';
import { hashInputs } from '../../runs/inputs.js';
import { finishedRun, RunFolder } from '../../runs/run-folder.js';
import { trainWeights, type TrainReport } from '../../train/loop/loop.js';
import { runCard, tellIfOther } from '../../train/report/run-card.js';
import type { BaselineContext, BaselineOptions, Ranked } from '../baseline.js';
import { rankItems, type TrainedSequence } from './rank-items.js';
import type { Architecture } from './architecture.js';
import {
  initialWeights,
  readSequenceConfig,
  readSequenceWeights,
  saveSequence,
  type SequenceConfig,
} from './sequence-files.js';
import type { SequenceSettings } from './sequence-options.js';
import { sequenceTask } from './sequence-task.js';

/** Trains where that is not done, and ranks the test rows. @throws InputError as the loop does */
export async function trainAndRank(
  architecture: Architecture,
  settings: BaselineOptions & SequenceSettings,
  context: BaselineContext,
): Promise<Ranked> {
  const training = await trainSequence(architecture, settings, context);
  const { topK = 50 } = settings;
  const trained = await loadSequence(architecture, training.model);
  try {
    return { results: await rankItems(trained, context.dataset.test, topK, architecture.name), training };
  } finally {
    disposeWeights(trained.weights);
  }
}

/** A trained model of a run's folder `model/`; the caller disposes of its weights. */
export async function loadSequence(architecture: Architecture, folder: string): Promise<TrainedSequence> {
  const { size, settings } = readSequenceConfig(folder);
  const model = (await architecture.load())(size, settings as never);
  return { model, weights: readSequenceWeights(folder, model) };
}

/** Trains, or gives the report of the finished run in the folder. @throws InputError as the loop does */
async function trainSequence(
  architecture: Architecture,
  settings: SequenceSettings,
  { dataset, run: folder }: BaselineContext,
): Promise<TrainReport> {
  const { name, options } = architecture;
  const { again, onLog, ...others } = settings;
  await ensureEngine();
  const longest = dataset.train.reduce((most, { history }) => Math.max(most, history.length), 1);
  const size = { items: dataset.items.length, longest: Math.min(settings.historyLength ?? longest, longest) };
  const model = (await architecture.load())(size, others as never);
  const own = Object.fromEntries(Object.keys(options).map((key) => [key, (others as Record<string, unknown>)[key]]));
  const stamp = fingerprint(options, own);
  const config = {
    ...{ stage: 'baseline', baseline: name, data: dataset.name, rows: dataset.train.length },
    ...{ inputs: hashInputs({ dataset }), ...stamp },
  };
  const done = finishedRun(folder, config, { again });
  if (done) {
    tellIfOther(name, done);
    return done.report as TrainReport;
  }
  const weights = initialWeights(model, settings.seed);
  try {
    const task = sequenceTask(name, { model, weights }, dataset, settings);
    const run = new RunFolder(folder, config);
    const made: SequenceConfig = { baseline: name, size, settings: stamp };
    const report = await trainWeights({ weights }, task, run, {
      ...{ ...others, schedule: 'constant', evalStart: false, save: (at) => saveSequence(at, made, weights) },
      ...(onLog && { onLog }),
    });
    const { seed, keep } = settings;
    run.finish(runCard(report, { ...config, seed }, { dataset }), keep > 1 ? keep : 0);
    return report;
  } finally {
    disposeWeights(weights);
  }
}
