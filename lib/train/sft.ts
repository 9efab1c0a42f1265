/**
 * Supervised fine-tuning: a decoder learns to write the SID of the next item (MiniOneRec's `sft.py`).
 *
 * Departures: no padding (forests of chains); examples by row or by user (`examples.ts`); the best model is chosen by a
 * ranking figure on validation rows, not by the loss; a bare decoder from random weights is a first-class start.
 */
import { basename } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { loadDataset } from '../data/index.js';
import type { Dataset } from '../data/index.js';
import { createRecommender } from '../evaluate/index.js';
import type { Recommender } from '../evaluate/index.js';
import { chain, disposeWeights, findTemplate } from '../lm/index.js';
import type { Dropout, LanguageModel } from '../lm/index.js';
import { dropoutFrom } from '../ops/index.js';
import type { MuonScale } from '../ops/index.js';
import { readIndex } from '../sid/index-file.js';
import { hashFile, Random, RunFolder } from '../support/index.js';
import type { MetricLine, Schedule } from '../support/index.js';
import { chainExamples, cutInto, rowExamples } from './examples.js';
import type { Example, ExampleMode } from './examples.js';
import { forestPart, forestScorer } from './forest-part.js';
import { train } from './loop.js';
import type { Part, Task, TrainReport } from './loop.js';
import type { OptimizerName } from './optimizer.js';
import { startModel } from './start-model.js';
import { validator } from './validate.js';

export interface SftOptions {
  /** Data folder with `NAME.item.json` and the splits. */
  data: string;
  /** Index file. */
  index: string;
  /** Folder of the run; what is there already is gone on with. */
  run: string;
  /** A model folder, or the shape of a model from random weights. Default `qwen2:128x4`. */
  model?: string;
  /** Wording, one of `TEMPLATES`. Default `sids`. */
  template?: string;
  /** `chain` learns at every item of a user's history, `row` at the answer of each row. Default `chain`. */
  mode?: ExampleMode;
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
  /** On embeddings and residual branches, in [0, 1). Default 0.3. */
  dropout?: number;
  /** Default 0.01. */
  weightDecay?: number;
  /** Gradient norm limit, 0 for none. Default 1. */
  clip?: number;
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

export async function sft(options: SftOptions): Promise<TrainReport> {
  const { data, index: indexFile, run, onLog, ...given } = options;
  const settings = {
    model: 'qwen2:128x4',
    template: 'sids',
    mode: 'chain' as ExampleMode,
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
    dropout: 0.3,
    weightDecay: 0.01,
    clip: 1,
    evalEpochs: 2,
    evalSteps: 0,
    bestMetric: 'NDCG@10',
    keep: 1,
    keepLast: false,
    validRows: 500,
    patience: 0,
    seed: 42,
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  };
  const dataset = await loadDataset(data);
  const index = readIndex(indexFile, dataset.items.length);
  const { keep, keepLast, ...decides } = settings;
  const config = {
    stage: 'sft',
    data: basename(data),
    index: hashFile(indexFile),
    rows: dataset.train.length,
    ...decides,
  };
  const folder = new RunFolder(run, config);
  const done = folder.card;
  if (done) return done.report as TrainReport;
  const { model, tokenizer } = startModel(settings.model, index, settings.seed);
  try {
    const recommender = createRecommender(model, tokenizer, index, settings.template);
    const task = sftTask(recommender, dataset, settings);
    const loop = { ...settings, evalStart: false, ...(onLog && { onLog }) };
    const report = await train(model, tokenizer, task, folder, loop);
    folder.finish(
      { report, config, seed: settings.seed, backend: tf.getBackend(), node: process.version },
      keep > 1 ? keep : 0,
    );
    return report;
  } finally {
    disposeWeights(model.weights);
  }
}

export interface SftTaskOptions {
  template: string;
  mode: ExampleMode;
  window: number;
  batchSize: number;
  batchTokens?: number;
  tokenBudget: number;
  dropout: number;
  validRows: number;
  seed: number;
}

export function sftTask(recommender: Recommender, dataset: Dataset, options: SftTaskOptions): Task<Example[]> {
  const { template, mode, window, batchSize, batchTokens = 0, tokenBudget, dropout, seed } = options;
  const { model, render } = recommender;
  const examples =
    mode === 'chain'
      ? chainExamples(dataset.train, render, findTemplate(template), window)
      : rowExamples(dataset.train, render);
  const heldOut = rowExamples(dataset.valid, render);
  const validate = validator(recommender, dataset.valid, options.validRows, seed);
  return {
    name: 'sft',
    batches(epoch) {
      const order = new Random(`${seed}/sft/${epoch}`).shuffle([...examples]);
      return batchTokens > 0 ? byTokens(order, batchTokens) : cutInto(order, batchSize);
    },
    objective(batch, random) {
      const targets = batch.reduce((sum, example) => sum + example.at.length, 0);
      const parts = byTokens(batch, tokenBudget).map((of) =>
        lossPart(model, of, targets, dropoutFrom(random, dropout)),
      );
      return { parts };
    },
    async validate() {
      return { loss: meanLoss(model, heldOut, tokenBudget), ...(await validate()) };
    },
  };
}

/** Negative log-likelihood of the examples' targets, divided by the number of targets of the whole batch. */
function lossPart(model: LanguageModel, examples: readonly Example[], targets: number, dropout?: Dropout): Part {
  const trees = examples.map(({ tokens }) => chain(tokens));
  const pairs = examples.flatMap(({ at, target }, tree) => at.map((node, i) => ({ tree, node, token: target[i]! })));
  const scorer = forestScorer(model.config, trees, pairs);
  return forestPart(model, scorer, (logProbs) => tf.mul(tf.sum(logProbs), -1 / targets), dropout);
}

function meanLoss(model: LanguageModel, examples: readonly Example[], tokenBudget: number): number {
  const targets = examples.reduce((sum, { at }) => sum + at.length, 0);
  return byTokens(examples, tokenBudget).reduce((sum, of) => {
    const part = lossPart(model, of, targets);
    const loss = tf.tidy(() => part.loss().dataSync()[0]!);
    part.dispose();
    return sum + loss;
  }, 0);
}

/** Runs of examples of at most `budget` tokens; a longer example stands alone. */
function byTokens(examples: readonly Example[], budget: number): Example[][] {
  const parts: Example[][] = [];
  let used = Infinity;
  for (const example of examples) {
    if (used + example.tokens.length > budget) {
      parts.push([]);
      used = 0;
    }
    parts[parts.length - 1]!.push(example);
    used += example.tokens.length;
  }
  return parts;
}
