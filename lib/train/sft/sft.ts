/**
 * Supervised fine-tuning: a decoder learns to write the SID of the next item (MiniOneRec's `sft.py`).
 *
 * Departures: no padding (forests of chains); examples by row or by user (`examples.ts`); the best model is chosen by a
 * ranking figure on validation rows, not by the loss; a bare decoder from random weights is a first-class start.
 */
import { basename } from 'node:path';
import type { Dataset, Row } from '../../data/dataset.js';
import { loadDataset } from '../../data/load.js';
import { readIndex, type SidIndex } from '../../data/sid-index.js';
import { ensureEngine } from '../../engine/engine.js';
import { type SidTokens } from '../../lm/choices.js';
import { createRecommender, modelRenderer } from '../../evaluate/recommender.js';
import { hashFile } from '../../files/files.js';
import { loadChatTemplate } from '../../lm/tokenizer/chat-template.js';
import type { EmbeddingInit } from '../../lm/choices.js';
import type { SidVocabulary } from '../../lm/choices.js';
import { disposeWeights } from '../../lm/weights.js';
import type { MuonScale } from '../../ops/muon.js';
import type { MetricLine } from '../../runs/metric-lines.js';
import { RunFolder } from '../../runs/run-folder.js';
import { Random } from '../../support/random.js';
import type { Schedule } from '../../support/schedule.js';
import type { ExampleMode } from '../../tasks/examples.js';
import { planTasks, type TaskPlan } from '../../tasks/plan-tasks.js';
import { type Renderer, promptContext } from '../../tasks/prompts.js';
import { taskRows } from '../../tasks/task-rows.js';
import { type TaskCounts, TaskSet } from '../../tasks/task-set.js';
import { train, type TrainReport } from '../loop/loop.js';
import type { OptimizerName } from '../choices.js';
import { estimateRun, refuseIfTooLarge, type RunEstimate } from '../report/estimate.js';
import { fingerprintOptions, runCard } from '../report/run-card.js';
import { checkInitialModel, initialModel, type InitialModel } from './initial-model.js';
import { sftTask, type Validation } from './sft-task.js';
import { checkTrainable, type TrainableOptions } from './trainable.js';

export interface SftOptions extends TrainableOptions {
  /** Data folder with `NAME.item.json` and the splits. */
  data: string;
  /** Index file. */
  index: string;
  /** Folder of the run; what is there already is gone on with. */
  run: string;
  /** A model folder, or the shape of a model from random weights. Default `qwen2:128x4`. */
  model?: string;
  /** Task, one of `TEMPLATES`; of a mix the one whose rows are ranked. Default `sids`, or the mix's first with SIDs. */
  template?: string;
  /** Mix of tasks, such as `sids,title2sid:0.5,sid2title:n=5000` (`parseTasks`). Default: the template alone. */
  tasks?: string;
  /** File of templates, added to the kit's own. Default none. */
  templates?: string;
  /** Share of every task's examples, drawn once by the seed. Default 1. */
  dataRatio?: number;
  /**
   * `chain` learns at every item of a user's history, `row` at the answer of each row. Default `chain` for a bare
   * sequence of items, such as `sids`, else `row`.
   */
  mode?: ExampleMode;
  /** Tokens of a prompt at most; a longer one loses the oldest items. Default 512. */
  cutoffLen?: number;
  /** Wrap prompts in the chat template of the model's folder. Default false. */
  chatTemplate?: boolean;
  /** SIDs in tokens of their own (`new`), or spelled in the subwords that the vocabulary has. Default `new`. */
  sidTokens?: SidTokens;
  /** Which SID tokens join the vocabulary: those of the index, or all codes. Default `used`. */
  sidVocabulary?: SidVocabulary;
  /** What their rows start from in a model folder: the mean row, or the words of their items' titles. Default `mean`. */
  init?: EmbeddingInit;
  /** Tokens of the subword vocabulary that a shape learns where its tasks hold text. Default 8192. */
  vocabSize?: number;
  /** Items of context an item has at the least in chain mode. Default 10. */
  window?: number;
  /** Default 30. */
  epochs?: number;
  /** Default 1e-3. */
  learningRate?: number;
  /** Default `cosine`. */
  schedule?: Schedule;
  /** Default 100. */
  warmupSteps?: number;
  /** Warm-up as a share of all updates, in place of `warmupSteps`. Default 0. */
  warmupRatio?: number;
  /** `muon` takes the matrices of the layers, AdamW the rest. Default `adamw`. */
  optimizer?: OptimizerName;
  /** What Muon's update is multiplied with: `rms` or `spectral`. Default `rms`, at AdamW's rate. */
  muonScale?: MuonScale;
  /** Examples an update. Default 32. */
  batchSize?: number;
  /** Tokens an update, in place of `batchSize`: as many examples as fit. Default 0, by examples. */
  batchTokens?: number;
  /** Tokens that go through the model at once; a larger batch is cut, with the same gradient. Default 8192. */
  tokenBudget?: number;
  /**
   * Keep every layer's input alone and compute the layer once more for its gradient: less memory for about a third more
   * time, the same result. Default false.
   */
  layerCheckpointing?: boolean;
  /** On embeddings and residual branches, in [0, 1). Default 0.3. */
  dropout?: number;
  /** Default 0.01. */
  weightDecay?: number;
  /** Gradient norm limit, 0 for none. Default 1. */
  maxGradNorm?: number;
  /** Share of an epoch between validations; at least a step. Default 2. */
  evalEpochs?: number;
  /** Updates between validations, in place of `evalEpochs`. Default 0. */
  evalSteps?: number;
  /** Validation figure that decides which model is the best: `NDCG@10`, `HR@10`, `loss` ... Default `NDCG@10`. */
  bestMetric?: string;
  /** Checkpoints kept while training; more than one stay when it is done. Default 1. */
  keep?: number;
  /** Keep the model of the last step too, in `last/`. Default false. */
  keepLast?: boolean;
  /** Validation rows that are ranked, drawn once by the seed. Default 500. */
  validRows?: number;
  /** Default 0: train to the end, keep the best. */
  patience?: number;
  /** Default 42. */
  seed?: number;
  onLog?: (lines: readonly MetricLine[]) => void;
}

export interface SftReport extends TrainReport {
  /** Examples of each task of the mix. */
  tasks: Record<string, TaskCounts>;
  /** Prompts that were longer than the limit, over all steps. */
  truncated: number;
  /** SID tokens that joined a folder's vocabulary, and those that it had. */
  sids?: { added: number; reused: number };
}

/** Trains, or gives the report of the finished run in the folder. */
export async function sft(options: SftOptions): Promise<SftReport> {
  const { run, onLog, ...given } = options;
  const settled = await settle(given);
  const { config, settings, dataset, tasks } = settled;
  const folder = new RunFolder(run, config);
  const done = folder.card;
  if (done) return done.report as SftReport;
  const { start, task } = begin(settled);
  try {
    const loop = { ...settings, evalStart: false, ...(onLog && { onLog }) };
    const trained = await train(start.model, start.tokenizer, task, folder, loop);
    const truncated = folder.readLog().reduce((sum, line) => sum + (line.truncated ?? 0), 0);
    const report = { ...trained, tasks: tasks.counts(), truncated, ...(start.sids && { sids: start.sids }) };
    const { seed, keep, model } = settings;
    const card = runCard(report, { ...config, seed }, { dataset, index: options.index, model });
    folder.finish(card, keep > 1 ? keep : 0);
    return report;
  } finally {
    disposeWeights(start.model.weights);
  }
}

/** What a run would take; nothing is written. @throws InputError as the run itself would, or if it cannot fit */
export async function sftEstimate(options: SftPlan): Promise<RunEstimate> {
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

/** A run without its folder. */
export type SftPlan = Omit<SftOptions, 'run' | 'onLog'>;

type Settled = Awaited<ReturnType<typeof settle>>;

/** Options with their defaults, and what they name. */
async function settle({ data, index: indexFile, ...given }: SftPlan) {
  await ensureEngine();
  const plan = planTasks(given);
  const settings = {
    model: 'qwen2:128x4',
    window: 10,
    epochs: 30,
    learningRate: 1e-3,
    schedule: 'cosine' as Schedule,
    warmupSteps: given.warmupRatio ? 0 : 100,
    warmupRatio: 0,
    optimizer: 'adamw' as OptimizerName,
    muonScale: 'rms' as MuonScale,
    batchSize: 32,
    batchTokens: 0,
    tokenBudget: 8192,
    layerCheckpointing: false,
    dropout: 0.3,
    weightDecay: 0.01,
    maxGradNorm: 1,
    evalEpochs: 2,
    evalSteps: 0,
    bestMetric: plan.ranked === undefined ? 'loss' : 'NDCG@10',
    keep: 1,
    keepLast: false,
    validRows: 500,
    patience: 0,
    seed: 42,
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
    template: plan.ranked,
    mode: plan.mode,
  };
  checkTrainable(settings.model, given);
  checkInitialModel(settings.model, given);
  if (given.chatTemplate) loadChatTemplate(settings.model);
  const dataset = await loadDataset(data);
  const index = readIndex(indexFile, dataset.items.length);
  const tasks = new TaskSet(dataset, plan.parts, promptContext(index, dataset.items), settings);
  const config = {
    stage: 'sft',
    data: basename(data),
    index: hashFile(indexFile),
    rows: dataset.train.length,
    ...fingerprintOptions(settings),
    ...(given.templates !== undefined && { templates: ownTemplates(plan) }),
    ...(given.tasks !== undefined && { counts: tasks.counts() }),
  };
  return { plan, settings, dataset, index, tasks, config };
}

/** The model that it starts from, and what it learns. */
function begin({ plan, settings, dataset, index, tasks }: Settled) {
  const start = initialModel(settings.model, index, settings.seed, {
    ...settings,
    items: dataset.items,
    ...(plan.custom && { templates: plan.parts.map(({ template }) => template) }),
  });
  const { renderers, validation } = prepare(start, dataset, index, plan, settings);
  return { start, task: sftTask(start.model, tasks, renderers, validation, settings) };
}

/** What a run needs to know of a file of templates: the wordings that it trained. */
function ownTemplates({ parts }: TaskPlan): Record<string, unknown> {
  return Object.fromEntries(parts.map(({ name, template }) => [name, template]));
}

interface PrepareOptions {
  model: string;
  chatTemplate?: boolean;
  cutoffLen?: number;
  sidTokens?: SidTokens;
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
  const { chatTemplate, cutoffLen, sidTokens, validRows, seed } = options;
  const rendering = {
    items: dataset.items,
    ...(cutoffLen !== undefined && { cutoffLen }),
    ...(chatTemplate && { chat: loadChatTemplate(options.model) }),
  };
  const renderers = parts.map(({ template }) => modelRenderer(model, tokenizer, index, template, rendering));
  const shop = promptContext(index, dataset.items);
  const heldOut = parts.map(({ name, template }, task) => {
    const rows = taskRows(dataset, template, 'valid', shop);
    const some = (): Row[] => new Random(`${seed}/held-out/${name}`).shuffle([...rows]).slice(0, validRows);
    return { name, rows: name === ranked ? rows : some(), render: renderers[task]! };
  });
  if (ranked === undefined) return { renderers, validation: { heldOut } };
  const spelled = { ...rendering, templates, ...(sidTokens && { sidTokens }) };
  const recommender = createRecommender(model, tokenizer, index, ranked, spelled);
  const { rows } = heldOut.find(({ name }) => name === ranked)!;
  return { renderers, validation: { heldOut, ranking: { recommender, rows } } };
}
