/**
 * Group relative policy optimisation (Shao et al., arXiv 2402.03300, eq. 3) as MiniOneRec uses it: a group is the
 * beams of one prompt under the item trie, its reward a ranking, and the SFT model the reference of the KL term.
 *
 * Departures:
 *   1. a group is one comb of the forest: its prompt goes through policy and reference once, not G times;
 *   2. one update a rollout, so that the ratio of probabilities is 1 and the clip never acts: its gradient is that of
 *      advantage x log p;
 *   3. the start is validated too, and can be the best: what is kept is never worse than it, and the log says where it
 *      would have been.
 */
import { basename } from 'node:path';
import { loadDataset } from '../../data/load.js';
import { readIndex } from '../../data/sid-index.js';
import { ensureEngine } from '../../engine/engine.js';
import { createRecommender } from '../../evaluate/recommender.js';
import { promptOptions, trainedWith } from '../../evaluate/trained-with.js';
import { hashFile } from '../../files/files.js';
import { loadModel, modelFile } from '../../lm/model.js';
import { loadTokenizer } from '../../lm/tokenizer/tokenizer.js';
import { disposeWeights } from '../../lm/weights.js';
import type { MetricLine } from '../../runs/metric-lines.js';
import { RunFolder } from '../../runs/run-folder.js';
import { InputError } from '../../support/errors.js';
import type { Schedule } from '../../support/schedule.js';
import { findTemplate } from '../../tasks/templates.js';
import { train, type TrainReport } from '../loop/loop.js';
import { fingerprintOptions, runCard } from '../report/run-card.js';
import { grpoTask } from './grpo-task.js';
import type { RewardName } from './rewards.js';

export interface GrpoOptions {
  /** Data folder with `NAME.item.json` and the splits. */
  data: string;
  /** Index file. */
  index: string;
  /** Folder of the run; what is there already is gone on with. */
  run: string;
  /** Model folder to start from; also the reference of the KL term. */
  model: string;
  /** A task of rows that answers with a SID. Default the one that the model's run ranked, else `sids`. */
  template?: string;
  /** G: beams of a prompt, at least 2. Default 16. */
  numGenerations?: number;
  /** Weight of the KL term. Default 1e-3. */
  beta?: number;
  /** Default `ranking`. */
  reward?: RewardName;
  /** Training rows drawn once by the seed; 0 takes all. Default 0. */
  sampleSize?: number;
  /** Default 2. */
  epochs?: number;
  /** Prompts an update. Default 64. */
  batchSize?: number;
  /** As in `SftOptions`: less memory, more time, the same result. Default false. */
  layerCheckpointing?: boolean;
  /** Default 1e-5. */
  learningRate?: number;
  /** Default `cosine`. */
  schedule?: Schedule;
  /** Default 0. */
  warmupSteps?: number;
  /** Warm-up as a share of all updates, in place of `warmupSteps`. Default 0. */
  warmupRatio?: number;
  /** Gradient norm limit. Default 0.3. */
  maxGradNorm?: number;
  /** Updates between validations. Default 10. */
  evalSteps?: number;
  /** Validation rows that are ranked, drawn once by the seed. Default 500. */
  validRows?: number;
  /** Default 42. */
  seed?: number;
  onLog?: (lines: readonly MetricLine[]) => void;
}

export interface GrpoReport extends TrainReport {
  /** Validation figures of the model that it started from. */
  start: Record<string, number>;
  /** Those of the last update, before the best was chosen. */
  last: Record<string, number>;
  /** Said where the last update is worse than the start. */
  warning?: string;
}

export async function grpo(options: GrpoOptions): Promise<GrpoReport> {
  await ensureEngine();
  const { data, index: indexFile, run, model: start, onLog, ...given } = options;
  const { own, ...prompts } = trainedWith(start);
  const settings = {
    template: prompts.template ?? 'sids',
    numGenerations: 16,
    beta: 1e-3,
    reward: 'ranking' as RewardName,
    sampleSize: 0,
    epochs: 2,
    batchSize: 64,
    layerCheckpointing: false,
    learningRate: 1e-5,
    schedule: 'cosine' as Schedule,
    warmupSteps: 0,
    warmupRatio: 0,
    maxGradNorm: 0.3,
    weightDecay: 0,
    evalSteps: 10,
    validRows: 500,
    seed: 42,
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  };
  if (settings.numGenerations < 2) {
    throw new InputError(
      `grpo: expected --num-generations of at least 2, a group to compare, got ${settings.numGenerations}`,
    );
  }
  const { templates, ...asTrained } = prompts;
  if (findTemplate(settings.template, templates).of !== 'rows') {
    throw new InputError(`grpo: expected --template to be a task of rows, got ${settings.template}`);
  }
  const dataset = await loadDataset(data);
  const index = readIndex(indexFile, dataset.items.length);
  const origin = hashFile(modelFile(start));
  const config = {
    ...{ stage: 'grpo', data: basename(data), index: hashFile(indexFile), start: origin },
    ...{ ...asTrained, ...fingerprintOptions(settings) },
    ...(own && { templates: own }),
  };
  const folder = new RunFolder(run, config);
  const done = folder.card;
  if (done) return done.report as GrpoReport;
  const [model, reference] = [loadModel(start), loadModel(start)];
  try {
    const tokenizer = loadTokenizer(start);
    const reading = promptOptions(prompts, start, dataset.items);
    const recommender = createRecommender(model, tokenizer, index, settings.template, reading);
    const task = grpoTask(recommender, reference, dataset, settings);
    const loop = { ...settings, evalStart: true, bestMetric: 'NDCG@10', patience: 0, keep: 1, ...(onLog && { onLog }) };
    const report = withStart(await train(model, tokenizer, task, folder, loop), folder);
    folder.finish(runCard(report, { ...config, seed: settings.seed }, { dataset, index: indexFile, model: start }));
    return report;
  } finally {
    disposeWeights(model.weights);
    disposeWeights(reference.weights);
  }
}

function withStart(report: TrainReport, folder: RunFolder): GrpoReport {
  const lines = folder.readLog().filter((line) => line['valid NDCG@10'] !== undefined);
  const figures = (line: MetricLine): Record<string, number> =>
    Object.fromEntries(
      Object.entries(line).flatMap(([k, v]) => (k.startsWith('valid ') ? [[k.slice('valid '.length), v]] : [])),
    );
  const [start, last] = [figures(lines[0]!), figures(lines.at(-1)!)];
  const worse = last['NDCG@10']! < start['NDCG@10']!;
  return {
    ...report,
    start,
    last,
    ...(worse && {
      warning: `the last update is worse on validation than the SFT model (NDCG@10 ${last['NDCG@10']!.toFixed(4)}, it had ${start['NDCG@10']!.toFixed(4)}); the best of step ${report.best.step} is kept`,
    }),
  };
}
