/**
 * Group relative policy optimisation (Shao et al., arXiv 2402.03300, eq. 3) as MiniOneRec uses it: a group is the
 * beams of one prompt under the item trie, its reward a ranking, and the SFT model the reference of the KL term.
 *
 * Departures:
 *   1. a group is one prefix tree of the forest: its prompt goes through policy and reference once, not G times;
 *   2. one update a rollout, so that the ratio of probabilities is 1 and the clip never acts: its gradient is that of
 *      advantage x log p;
 *   3. the initial model is validated too, and can be the best: the model that is kept is never worse than it;
 *   4. a group has distinct completions: items that share a SID are one, with the best of their rewards.
 */
import { join } from 'node:path';
import { indexOf, loadDataset } from '../../data/load.js';
import { readIndex } from '../../data/sid-index.js';
import { ensureEngine } from '../../engine/engine.js';
import { createRecommender } from '../../evaluate/recommender.js';
import { promptCard, promptOptions, trainedWith } from '../../evaluate/trained-with.js';
import { loadModel, modelConfig, saveModel } from '../../lm/model.js';
import { loadTokenizer } from '../../lm/tokenizer/tokenizer.js';
import { disposeWeights } from '../../lm/weights.js';
import { fingerprint } from '../../options/derive.js';
import { hashInputs } from '../../runs/inputs.js';
import { finishedRun, RunFolder, type RunFolderOptions } from '../../runs/run-folder.js';
import { InputError } from '../../support/errors.js';
import { findTemplate } from '../../tasks/templates.js';
import { train, type TrainReport } from '../loop/loop.js';
import { precisionStamp, runPrecision } from '../loop/run-precision.js';
import { runCard, tellIfOther } from '../report/run-card.js';
import { GRPO_OPTIONS, type GrpoOptions } from './grpo-options.js';
import { grpoTask } from './grpo-task.js';
import { rewardStamp } from './reward-group.js';
import { readValidRows } from '../../runs/valid-rows.js';
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
  const parsed = GRPO_OPTIONS.parse(options);
  await ensureEngine();
  const { data, model: start, run = join(data, 'runs', 'grpo'), again, onLog } = parsed;
  const prompts = trainedWith(start);
  const { templates, own, source: _source, file: _file, ...asTrained } = prompts;
  const settings = { ...parsed, template: parsed.template ?? prompts.template ?? 'sids' };
  if (findTemplate(settings.template, templates).of !== 'rows') {
    throw new InputError(`grpo: expected --template to be a task of rows, got ${settings.template}`);
  }
  const dataset = await loadDataset(data, parsed.dataset);
  const { index: indexFile = indexOf(dataset) } = parsed;
  const index = readIndex(indexFile, dataset.items.length);
  const precision = runPrecision(run, parsed.precision, modelConfig(start), again);
  const {
    precision: _asked,
    saveDtype: _dtype,
    ...stamp
  } = fingerprint(GRPO_OPTIONS.options, {
    ...settings,
    reward: rewardStamp(settings.reward),
  });
  const config = {
    ...{ stage: 'grpo', data: dataset.name, inputs: hashInputs({ dataset, index: indexFile, model: start }) },
    ...{ ...asTrained, ...stamp, ...precisionStamp(precision, settings.saveDtype) },
    ...(own && { templates: own }),
  };
  const done = finishedRun(run, config, { again, whenStale });
  if (done) {
    tellIfOther('grpo', done);
    return done.report as GrpoReport;
  }
  const [model, reference] = [loadModel(start, { precision }), loadModel(start, { precision, frozen: true })];
  try {
    const tokenizer = loadTokenizer(start);
    const reading = promptOptions(prompts, start, dataset.items);
    const recommender = createRecommender(model, tokenizer, index, settings.template, reading);
    const task = grpoTask(recommender, reference, dataset, settings);
    const folder = new RunFolder(run, config);
    const ranked = settings.template;
    const card = promptCard({ ...prompts, template: ranked }, [...new Set([ranked, ...Object.keys(own ?? {})])]);
    const save = (at: string): void => saveModel(at, model, { json: tokenizer.json }, card, settings.saveDtype);
    const loop = {
      ...settings,
      save,
      evalStart: true,
      bestMetric: 'NDCG@10',
      patience: 0,
      keep: 1,
      ...(onLog && { onLog }),
    };
    const trained = await train(model, tokenizer, task, folder, loop);
    const report = {
      ...trained,
      ...sinceStart(folder.readLog(), trained.best.step, (step) => readValidRows(run, step)),
    };
    folder.finish(runCard(report, { ...config, seed: settings.seed }, { dataset, index: indexFile, model: start }));
    return report;
  } finally {
    disposeWeights(model.weights);
    disposeWeights(reference.weights);
  }
}
