/**
 * Supervised fine-tuning: a decoder is trained to write the SID of the next item (MiniOneRec's `sft.py`).
 *
 * Departures: no padding (forests of chains); examples by row or by user (`examples.ts`); the best model is chosen by a
 * ranking figure on validation rows, not by the loss; a bare decoder from random weights is a first-class start.
 */
import { join } from 'node:path';
import { first, together } from '../../cluster/alone.js';
import { joinCluster } from '../../cluster/cluster.js';
import type { Dataset } from '../../data/dataset.js';
import { indexOf, loadDataset } from '../../data/load.js';
import { readIndex, type SidIndex } from '../../data/sid-index.js';
import { ensureEngine } from '../../engine/engine.js';
import { createRecommender, modelRenderer } from '../../evaluate/recommender.js';
import type { SidTokens } from '../../lm/choices.js';
import { parseShape } from '../../lm/config.js';
import { loadChatTemplate } from '../../lm/tokenizer/chat-template.js';
import { disposeWeights } from '../../lm/weights.js';
import { fingerprint } from '../../options/derive.js';
import type { Options } from '../../options/option.js';
import type { Precision } from '../../ops/precision.js';
import { codeVersion } from '../../runs/code-version.js';
import { hashInputs } from '../../runs/inputs.js';
import { finishedRun, type RunFolder, type RunFolderOptions } from '../../runs/run-folder.js';
import { loadColdTargets } from '../../tasks/cold-targets.js';
import { EXAMPLE_OPTIONS } from '../../tasks/example-options.js';
import { planTasks, type TaskPlan } from '../../tasks/plan-tasks.js';
import type { TaskPart } from '../../tasks/task-mix.js';
import type { Templates } from '../../tasks/templates.js';
import { promptCard } from '../../evaluate/trained-with.js';
import { modelConfig, saveModel } from '../../lm/model.js';
import type { PromptCard } from '../../lm/prompt-card.js';
import { promptWords } from '../../tasks/prompt-words.js';
import { promptContext, type PromptWords, type Renderer } from '../../tasks/prompts.js';
import { taskRows } from '../../tasks/task-rows.js';
import { type TaskCounts, TaskSet } from '../../tasks/task-set.js';
import { loadWeights, weightFiles } from '../../tasks/weights/load-weights.js';
import type { TrainReport } from '../loop/loop-options.js';
import { train } from '../loop/train.js';
import { openRun } from '../loop/open-run.js';
import { precisionStamp, runPrecision } from '../loop/run-precision.js';
import { estimateRun, refuseIfTooLarge, type RunEstimate } from '../report/estimate.js';
import { runCard, tellIfNotKept, tellIfOther } from '../report/run-card.js';
import { checkBestMetric, defaultBestMetric } from './default-best-metric.js';
import { defaultEpochs } from './default-epochs.js';
import { heldOutRows } from './held-out.js';
import { checkInitialModel, initialModel, type InitialModel, isShape, startsBare } from './initial-model.js';
import { INIT_NOISE } from '../../lm/tokenizer/extend-vocabulary.js';
import { SFT_OPTIONS, type SftOptions, type SftParsed } from './sft-options.js';
import { checkTaskOptions } from './sft-rules.js';
import { sftTask, type Validation } from './sft-task.js';
import { checkTrainable } from './trainable.js';

/** What `sft` gives back. */
export interface SftReport extends TrainReport {
  /** Examples of each task of the mix. */
  tasks: Record<string, TaskCounts>;
  /** Prompts that were longer than the limit, over all steps. */
  truncated: number;
  /** SID tokens that joined a folder's vocabulary, and those that it had. */
  sids?: { added: number; reused: number };
}

/**
 * Trains, or gives the report of the finished run in the folder.
 * @throws InputError for options, data or a model that cannot be; nothing is written then
 */
export async function sft(options: SftOptions, { whenStale = 'refuse' }: StaleOptions = {}): Promise<SftReport> {
  const cluster = await joinCluster();
  const precision = cluster && (await cluster.first(() => precisionOf(SFT_OPTIONS.parse(options))));
  const settled = await together(cluster, () => settle(options, precision));
  const { config, settings, inputs, tasks, parsed } = settled;
  const run = runOf(parsed);
  cluster?.expectSame({ code: codeVersion().hash, ...config.inputs, ...config });
  const done = await first(cluster, () => finishedRun(run, config, { again: parsed.again, whenStale }));
  if (done) {
    tellIfOther('sft', done);
    tellIfNotKept('sft', run, parsed);
    return done.report as SftReport;
  }
  const { start, task } = await together(cluster, () => begin(settled));
  try {
    const folder = await openRun(cluster, run, config);
    const save = (at: string): void =>
      saveModel(at, start.model, { json: start.tokenizer.json }, cardOf(settled), settings);
    const loop = { ...settings, save, evalStart: false, cluster };
    const trained = await train(start.model, start.tokenizer, task, folder, loop);
    return await first(cluster, () => {
      const truncated = folder.readLog().reduce((sum, line) => sum + (line.truncated ?? 0), 0);
      const report = { ...trained, tasks: tasks.counts(), truncated, ...(start.sids && { sids: start.sids }) };
      const { seed, keep } = settings;
      const card = runCard(report, { ...config, seed }, inputs);
      (folder as RunFolder).finish(card, keep > 1 ? keep : 0);
      return report;
    });
  } finally {
    disposeWeights(start.model.weights);
  }
}

/** What happens to a finished run whose inputs have changed: an error (default), or the run is made anew. */
export type StaleOptions = Pick<RunFolderOptions, 'whenStale'>;

/** What a run would take; nothing is written. @throws InputError as the run itself would, or if it cannot fit */
export async function sftEstimate(options: SftOptions): Promise<RunEstimate> {
  const settled = await settle(options);
  const { start, task } = begin(settled);
  try {
    const estimate = estimateRun(start.model, task, task.batchSizes, settled.settings);
    refuseIfTooLarge(task.name, estimate);
    return estimate;
  } finally {
    disposeWeights(start.model.weights);
  }
}

const runOf = ({ data, run = join(data, 'runs', 'sft') }: { data: string; run?: string | undefined }): string => run;

/** Bytes of training rows that are held in memory, where they take some five times as much. */
const ROWS_IN_MEMORY = 32 << 20;

type Settled = Awaited<ReturnType<typeof settle>>;

/** In which precision the run computes; machines differ, so process 0 decides. */
function precisionOf(parsed: SftParsed): Precision {
  const shape = isShape(parsed.model) ? parseShape(parsed.model, 1, 0) : modelConfig(parsed.model);
  return runPrecision(runOf(parsed), parsed.precision, shape, parsed.again);
}

/** Options with their defaults, and what they name. @param agreed the precision, where processes have agreed on one */
async function settle(options: SftOptions, agreed?: Precision) {
  const parsed = SFT_OPTIONS.parse(options);
  await ensureEngine();
  const plan = planTasks(parsed);
  checkTaskOptions(parsed, plan.parts);
  const { warmupRatio, warmupSteps = warmupRatio > 0 ? 0 : 100 } = parsed;
  checkTrainable(parsed.model, parsed);
  checkInitialModel(parsed.model, parsed);
  if (parsed.chatTemplate) loadChatTemplate(parsed.model);
  const dataset = await loadDataset(parsed.data, parsed.dataset, { rowsInMemory: ROWS_IN_MEMORY });
  const { index: file = indexOf(dataset) } = parsed;
  const index = { file, sids: readIndex(file, dataset.items.length) };
  const { bestMetric = defaultBestMetric(plan, index.sids) } = parsed;
  const { initNoise = startsBare(parsed.model) ? undefined : INIT_NOISE } = parsed;
  const given = { ...parsed, initNoise, warmupSteps, bestMetric, template: plan.ranked, mode: plan.mode };
  const words = promptWords(dataset, parsed.preferences);
  const beside = { weights: loadWeights(dataset, parsed), cold: loadColdTargets(dataset, parsed) };
  const context = promptContext(index.sids, dataset.items, [], undefined, words);
  const tasks = new TaskSet(dataset, plan.parts, context, { ...given, ...beside });
  const settings = { ...given, epochs: parsed.epochs ?? epochsOf(tasks, plan, parsed, index.sids) };
  const precision = agreed ?? precisionOf(parsed);
  const {
    model,
    templates,
    precision: _asked,
    saveDtype: _dtype,
    preferences: _preferences,
    ...others
  } = fingerprint(SFT_OPTIONS.options, settings);
  const inputs = {
    ...{ dataset, index: file, model: parsed.model, files: weightFiles(dataset, parsed) },
    ...{ embeddings: parsed.embeddings, preferences: parsed.preferences },
  };
  const config = {
    stage: 'sft',
    data: dataset.name,
    rows: dataset.train.length,
    inputs: hashInputs(inputs),
    ...{ ...recorded(others), ...precisionStamp(precision, settings.saveDtype) },
    ...(isShape(parsed.model) && { model }),
    ...(templates !== undefined && { templates: ownTemplates(plan.parts) }),
    ...(parsed.tasks !== undefined && { counts: tasks.counts() }),
  };
  return { parsed, plan, settings, dataset, index, tasks, config, inputs, precision, words };
}

/** Options that came later are recorded where they are not at their default, so that older runs resume. */
function recorded(options: Record<string, unknown>): Record<string, unknown> {
  const later: Options = EXAMPLE_OPTIONS;
  return Object.fromEntries(Object.entries(options).filter(([name, value]) => later[name]?.default !== value));
}

/** Passes where nobody says how many. */
function epochsOf(tasks: TaskSet, { parts }: TaskPlan, { batchSize, batchTokens }: SftParsed, index: SidIndex): number {
  const examples = Object.values(tasks.counts()).reduce((sum, { perEpoch }) => sum + perEpoch, 0);
  const chains = parts.every(({ mode }) => mode === 'chain') && batchTokens === 0;
  const tokens = index.every(({ length }) => length === 1) ? 'one' : 'several';
  return defaultEpochs(Math.ceil(examples / batchSize), chains ? tokens : 'other');
}

/** The model that it starts from, and what it trains. */
function begin({ plan, settings, dataset, index, tasks, precision, words }: Settled) {
  const { sidTokens, sidVocabulary, init, initNoise, vocabSize, lora, freeze } = settings;
  const { model, ...beside } = initialModel(settings.model, index.sids, settings.seed, {
    ...{ sidTokens, sidVocabulary, init, initNoise, vocabSize, lora, freeze },
    items: dataset.items,
    ...(plan.custom && { templates: plan.parts.map(({ template }) => template) }),
  });
  const start = { ...beside, model: { ...model, config: { ...model.config, precision } } };
  try {
    const { renderers, validation } = prepare(start, dataset, index.sids, plan, { ...settings, words });
    checkBestMetric(settings.bestMetric, validation);
    return { start, task: sftTask(start.model, tasks, renderers, validation, settings) };
  } catch (error) {
    disposeWeights(start.model.weights);
    throw error;
  }
}

/** The prompt that the model is trained with, which goes with it wherever it goes. */
function cardOf({ plan: { parts, templates }, settings }: Settled): PromptCard {
  const { template, cutoffLen, chatTemplate, sidTokens, heldOutItems } = settings;
  const given = { template, cutoffLen, chatTemplate, sidTokens, heldOutItems };
  const prompt = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return promptCard(
    { templates: { ...templates, ...ownTemplates(parts) }, ...prompt },
    parts.map(({ name }) => name),
  );
}

/** What a run needs to know of a file of templates: the prompt templates that it trained. */
function ownTemplates(parts: readonly TaskPart[]): Templates {
  return Object.fromEntries(parts.map(({ name, template }) => [name, template]));
}

interface PrepareOptions {
  model: string;
  chatTemplate?: boolean;
  cutoffLen?: number;
  sidTokens?: SidTokens;
  heldOutItems?: number;
  words: PromptWords;
  validRows: number;
  seed: number;
}

/** A renderer for each task, and the held-out rows: all of the task that is ranked, `validRows` of the others. */
function prepare(
  { model, tokenizer }: InitialModel,
  dataset: Dataset,
  index: SidIndex,
  { parts, templates, ranked }: TaskPlan,
  options: PrepareOptions,
): { renderers: Renderer[]; validation: Validation } {
  const { chatTemplate, cutoffLen, sidTokens, heldOutItems, words, validRows, seed } = options;
  const rendering = {
    items: dataset.items,
    ...words,
    ...(cutoffLen !== undefined && { cutoffLen }),
    ...(chatTemplate && { chat: loadChatTemplate(options.model) }),
  };
  const renderers = parts.map(({ template }) => modelRenderer(model, tokenizer, index, template, rendering));
  const context = promptContext(index, dataset.items, [], undefined, words);
  const heldOut = parts.map(({ name, template }, task) => {
    const rows = taskRows(dataset, template, 'valid', context, heldOutItems);
    const held = name === ranked ? rows : heldOutRows(rows, name, { validRows, seed });
    return { name, rows: held, render: renderers[task]! };
  });
  if (ranked === undefined) return { renderers, validation: { heldOut } };
  const spelled = { ...rendering, templates, ...(sidTokens && { sidTokens }) };
  const recommender = createRecommender(model, tokenizer, index, ranked, spelled);
  const { rows } = heldOut.find(({ name }) => name === ranked)!;
  return { renderers, validation: { heldOut, ranking: { recommender, rows } } };
}
