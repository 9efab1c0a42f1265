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
import * as tf from '@tensorflow/tfjs';
import { loadDataset } from '../data/index.js';
import type { Dataset, Row } from '../data/index.js';
import { beamSearch } from '../decode/index.js';
import { ensureEngine } from '../engine/engine.js';
import { createRecommender, promptOptions, trainedWith } from '../evaluate/index.js';
import type { Recommender } from '../evaluate/index.js';
import { comb, disposeWeights, findTemplate, loadModel, loadTokenizer, modelFile } from '../lm/index.js';
import type { ForwardOptions, LanguageModel } from '../lm/index.js';
import { readIndex } from '../sid/index-file.js';
import { hashFile, InputError, Random, RunFolder } from '../support/index.js';
import type { MetricLine, Schedule } from '../support/index.js';
import { cutInto } from './examples.js';
import { forestPart, forestScorer } from './forest-part.js';
import type { TreeTarget } from './forest-part.js';
import { train } from './loop.js';
import type { Objective, Part, Task, TrainReport } from './loop.js';
import { groupAdvantages, REWARDS } from './rewards.js';
import type { RewardName } from './rewards.js';
import { decisive, runCard } from './run-card.js';
import { validator } from './validate.js';

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
  clip?: number;
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
    clip: 0.3,
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
    ...{ ...asTrained, ...decisive(settings) },
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

export interface GrpoTaskOptions {
  numGenerations: number;
  beta: number;
  reward: RewardName;
  sampleSize: number;
  batchSize: number;
  /** Default false. */
  layerCheckpointing?: boolean;
  validRows: number;
  seed: number;
}

export function grpoTask(
  recommender: Recommender,
  reference: LanguageModel,
  dataset: Dataset,
  options: GrpoTaskOptions,
): Task<Row[]> {
  const { sampleSize, batchSize, validRows, seed } = options;
  const drawn = new Random(`${seed}/grpo`).shuffle([...dataset.train]);
  const rows = sampleSize > 0 ? drawn.slice(0, sampleSize) : drawn;
  return {
    name: 'grpo',
    batches: (epoch) => cutInto(new Random(`${seed}/grpo/${epoch}`).shuffle([...rows]), batchSize),
    objective: (batch) => objective(recommender, reference, batch, options),
    validate: validator(recommender, dataset.valid, validRows, seed),
  };
}

/** Rolls out, rewards, and lays the groups out as combs. */
function objective(
  recommender: Recommender,
  reference: LanguageModel,
  rows: readonly Row[],
  { numGenerations, reward, beta, layerCheckpointing = false }: GrpoTaskOptions,
): Objective {
  const { model, trie, render } = recommender;
  const prompts = rows.map(({ history }) => render.prompt(history));
  const groups = beamSearch(model, trie, prompts, { numBeams: numGenerations }).map(({ items }, r) => {
    const rewards = REWARDS[reward](items, rows[r]!.target);
    return { prompt: prompts[r]!, completions: items.map((item) => render.answer(item)), rewards };
  });
  const rewards = groups.flatMap((group) => group.rewards);
  const metrics = {
    reward: rewards.reduce((sum, r) => sum + r, 0) / rewards.length,
    'groups with a hit': groups.filter((group) => group.rewards.includes(1)).length / groups.length,
  };
  return { parts: [grpoPart(model, reference, groups, beta, undefined, { layerCheckpointing })], metrics };
}

export interface Group {
  prompt: number[];
  completions: number[][];
  rewards: number[];
}

/**
 * -mean over groups, completions and tokens of (advantage x log p - beta x KL), the KL to the reference estimated by
 * exp(d) - d - 1 with d = log reference - log policy (`k3`, Schulman 2020).
 * @param given advantage of each completion of each group; default within the group
 */
export function grpoPart(
  model: LanguageModel,
  reference: LanguageModel,
  groups: readonly Group[],
  beta: number,
  given: readonly (readonly number[])[] = groups.map(({ rewards }) => groupAdvantages(rewards)),
  options?: ForwardOptions,
): Part {
  const targets: TreeTarget[] = [];
  const weights: number[] = [];
  const advantages: number[] = [];
  const trees = groups.map(({ prompt, completions }, tree) => {
    const planted = comb(
      prompt,
      completions.map((completion) => completion.slice(0, -1)),
    ); // the last predicts nothing
    completions.forEach((completion, g) =>
      completion.forEach((token, i) => {
        targets.push({ tree, node: i === 0 ? prompt.length - 1 : planted.nodes[g]![i - 1]!, token });
        weights.push(1 / (groups.length * completions.length * completion.length));
        advantages.push(given[tree]![g]!);
      }),
    );
    return planted;
  });
  const scorer = forestScorer(model.config, trees, targets);
  const fixed = tf.tidy(() => scorer.logProbs(reference).clone());
  const weight = tf.tensor1d(weights);
  const advantage = tf.tensor1d(advantages);
  const loss = (logProbs: tf.Tensor1D): tf.Scalar => {
    const d = tf.sub(fixed, logProbs);
    const kl = tf.sub(tf.sub(tf.exp(d), d), 1);
    return tf.sum(tf.mul(weight, tf.sub(tf.mul(kl, beta), tf.mul(advantage, logProbs))));
  };
  const part = forestPart(model, scorer, loss, options);
  return {
    ...part,
    dispose() {
      part.dispose();
      tf.dispose([fixed, weight, advantage]);
    },
  };
}
