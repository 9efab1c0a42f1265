/** A trained baseline: a data folder -> a run folder (`model/`, metrics, checkpoints) -> lists for the test rows. */
import { disposeWeights } from '../../lm/weights.js';
import type { TrainReport } from '../../train/loop/loop-options.js';
import type { BaselineContext, BaselineOptions, Ranked } from '../baseline.js';
import { trainedRun } from '../trained-run.js';
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

/** @throws InputError as the loop does, and for sizes that do not go together */
async function trainSequence(
  architecture: Architecture,
  settings: SequenceSettings,
  context: BaselineContext,
): Promise<TrainReport> {
  const { name, options } = architecture;
  const { dataset } = context;
  const longest = dataset.train.reduce((most, { history }) => Math.max(most, history.length), 1);
  const size = { items: dataset.items.length, longest: Math.min(settings.historyLength ?? longest, longest) };
  const model = (await architecture.load())(size, settings as never);
  const { historyLength: _all, ...others } = settings;
  const effective = size.longest === longest ? others : { ...others, historyLength: size.longest };
  return trainedRun({ name, options, settings: effective }, context, (stamp) => {
    const weights = initialWeights(model, settings.seed);
    const task = sequenceTask(name, { model, weights }, dataset, settings);
    const made: SequenceConfig = { baseline: name, size, settings: stamp };
    return { weights, task, save: (at) => saveSequence(at, made, weights) };
  });
}
