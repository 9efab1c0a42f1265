/**
 * The run of a baseline that is trained: its folder, what decides its result, and the loop. One that was stopped is
 * resumed from its last checkpoint and ends on the same bits; one that is done is not trained again.
 */
import { disposeWeights, type Weights } from '../lm/weights.js';
import { ensureEngine } from '../engine/engine.js';
import { fingerprint } from '../options/derive.js';
import type { Options } from '../options/option.js';
import type { Precision } from '../ops/precision.js';
import { hashInputs } from '../runs/inputs.js';
import { finishedRun, RunFolder } from '../runs/run-folder.js';
import { InputError } from '../support/errors.js';
import type { TrainReport } from '../train/loop/loop-options.js';
import { precisionStamp } from '../train/loop/run-precision.js';
import { trainWeights } from '../train/loop/train.js';
import { VALID_METRICS } from '../train/loop/validate.js';
import type { Task } from '../train/loop/task.js';
import { runCard, tellIfOther } from '../train/report/run-card.js';
import type { BaselineContext } from './baseline.js';
import type { TrainerSettings } from './sequence/sequence-options.js';

/** What is trained, made when a run is not done yet. */
export interface Training<Batch> {
  weights: Weights;
  task: Task<Batch>;
  /** Learning rates of weights by name, as multiples of the others'. Default 1. */
  rates?: Readonly<Record<string, number>>;
  /** Writes the model to a folder. */
  save(folder: string): void;
}

/** Which run it is. */
export interface TrainedRun {
  /** Of the baseline. */
  name: string;
  /** Its own options. */
  options: Options;
  /** Their values, with defaults. */
  settings: TrainerSettings;
  /** Index file, where it reads one. */
  index?: string;
  /** That it computes in, where it can be chosen. Default float32. */
  precision?: Precision;
}

/** Trains, or gives the report of the finished run in the folder. @throws InputError as the loop does */
export async function trainedRun<Batch>(
  { name, options, settings, index, precision = 'float32' }: TrainedRun,
  { dataset, run: folder, whenStale }: BaselineContext,
  begin: (stamp: Record<string, unknown>) => Training<Batch> | Promise<Training<Batch>>,
): Promise<TrainReport> {
  const { again, onLog, seed, keep, bestMetric } = settings;
  if (!VALID_METRICS.includes(bestMetric)) {
    throw new InputError(`${name}: expected --best-metric to be one of ${VALID_METRICS.join(', ')}, got ${bestMetric}`);
  }
  await ensureEngine();
  const { precision: _asked, ...declared } = options;
  const own = Object.fromEntries(Object.entries(settings).filter(([key]) => Object.hasOwn(declared, key)));
  const stamp = { ...fingerprint(declared, own), ...precisionStamp(precision) };
  const inputs = { dataset, ...(index !== undefined && { index }) };
  const config = {
    ...{ stage: 'baseline', baseline: name, data: dataset.name, rows: dataset.train.length },
    ...{ inputs: hashInputs(inputs), ...stamp },
  };
  const done = finishedRun(folder, config, { again, ...(whenStale && { whenStale }) });
  if (done) {
    tellIfOther(name, done);
    return done.report as TrainReport;
  }
  const { weights, task, save, rates } = await begin(stamp);
  try {
    const run = new RunFolder(folder, config);
    const loop = { ...settings, evalStart: false, save, ...(rates && { rates }), ...(onLog && { onLog }) };
    const report = await trainWeights({ weights }, task, run, loop);
    run.finish(runCard(report, { ...config, seed }, inputs), keep > 1 ? keep : 0);
    return report;
  } finally {
    disposeWeights(weights);
  }
}
