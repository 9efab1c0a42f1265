/** From the options of GRPO to what runs: everything that can be wrong is found here, before anything is written. */
import { join } from 'node:path';
import { countTrain } from '../../data/counts.js';
import type { Dataset, Row } from '../../data/dataset.js';
import { DATA_OPTIONS, INDEX_OPTIONS, SEED_OPTIONS } from '../../data/data-options.js';
import { indexOf, loadDataset } from '../../data/load.js';
import { readIndex, type SidIndex } from '../../data/sid-index.js';
import { ensureEngine } from '../../engine/engine.js';
import { createRecommender } from '../../evaluate/recommender.js';
import { checkScorer } from '../../evaluate/scorer.js';
import { promptCard, promptOptions, trainedWith } from '../../evaluate/trained-with.js';
import { readItemVectors } from '../../files/finite.js';
import type { Vectors } from '../../files/npy.js';
import type { LanguageModel } from '../../lm/language-model.js';
import { modelConfig } from '../../lm/model.js';
import type { PromptCard } from '../../lm/prompt-card.js';
import { loadTokenizer, type TextTokenizer } from '../../lm/tokenizer/tokenizer.js';
import { fingerprint } from '../../options/derive.js';
import { hashInputs, type RunInputs } from '../../runs/inputs.js';
import type { Precision } from '../../ops/precision.js';
import { InputError } from '../../support/errors.js';
import { promptWords } from '../../tasks/prompt-words.js';
import { promptContext } from '../../tasks/prompts.js';
import { parseTasks, type TaskPart } from '../../tasks/task-mix.js';
import { taskRows } from '../../tasks/task-rows.js';
import { TaskSet } from '../../tasks/task-set.js';
import { loadWeights, weightFiles } from '../../tasks/weights/load-weights.js';
import { findTemplate, type Template, type Templates } from '../../tasks/templates.js';
import { precisionStamp, runPrecision } from '../loop/run-precision.js';
import { type Validator, validator } from '../loop/validate.js';
import { TRAIN_OPTIONS } from '../train-options.js';
import { GRPO_OPTIONS, type GrpoOptions, type GrpoParsed } from './grpo-options.js';
import { checkPolicy, policyModel, referenceModel } from './grpo-models.js';
import { GrpoTask, type GrpoTaskParts } from './grpo-task.js';
import { checkTasks } from './grpo-task-rules.js';
import type { ReferenceKind } from './grpo-words.js';
import { lossDefaults } from './loss/policy-loss.js';
import { functionStamp, type RewardPart, rewardParts, rewardStamp } from './rewards/reward-list.js';
import { drawRows, epochRows } from './rollout/epoch-rows.js';
import { answerKind, rlTask, type RlTask, type TaskRow } from './rollout/rl-task.js';
import type { RewardSources } from './rollout/rolled-groups.js';
import { textValidator } from './rollout/text-validation.js';

/** The options with every default, and what they name. */
export interface SettledGrpo {
  /** Folder of the run. */
  run: string;
  settings: GrpoParsed & { bestMetric: string; referenceKind: ReferenceKind; precision: Precision };
  /** As `config.json` holds it. */
  config: Record<string, unknown>;
  inputs: RunInputs;
  dataset: Dataset;
  index: SidIndex;
  parts: readonly TaskPart[];
  /** The task whose validation rows are ranked; absent where all answers are words. */
  ranked?: string;
  rewards: readonly RewardPart[];
  vectors?: Vectors;
  /** What goes with the model of how it reads prompts. */
  card: PromptCard;
  prompts: ReturnType<typeof trainedWith>;
}

/** In which precision the run computes; machines differ, so process 0 decides. */
export function grpoPrecision(options: GrpoOptions): Precision {
  const { data, model, run = join(data, 'runs', 'grpo'), precision, again } = GRPO_OPTIONS.parse(options);
  return runPrecision(run, precision, modelConfig(model), again);
}

/**
 * @param agreed the precision, where processes have agreed on one
 * @throws InputError for options, data or a model that do not fit
 */
export async function settleGrpo(options: GrpoOptions, agreed?: Precision): Promise<SettledGrpo> {
  const parsed = GRPO_OPTIONS.parse(options);
  await ensureEngine();
  const { data, model: start, run = join(data, 'runs', 'grpo'), embeddings } = parsed;
  const prompts = trainedWith(start);
  const { templates, own, source: _source, file: _file, ...asTrained } = prompts;
  const parts = partsOf(parsed, templates, prompts.template);
  const ranked = rankedBy(parts, parsed.template);
  const rewards = rewardParts(parsed.reward)!;
  checkTasks(parsed, parts, rewards);
  checkPolicy(start, parsed);
  const dataset = await loadDataset(data, parsed.dataset);
  checkScorer(parsed.scorer, dataset.items.length, 'grpo: scorer');
  const { index: indexFile = indexOf(dataset) } = parsed;
  const index = readIndex(indexFile, dataset.items.length);
  const vectors =
    embeddings === undefined ? undefined : readItemVectors(embeddings, dataset.items.length, 'check --embeddings');
  const precision = agreed ?? grpoPrecision(options);
  const inputs = { dataset, index: indexFile, model: start, files: weightFiles(dataset, parsed), ...(vectors && { embeddings: embeddings! }) }; // prettier-ignore
  const { bestMetric = ranked === undefined ? 'reward' : 'NDCG@10', beta, reference } = parsed;
  const referenceKind: ReferenceKind = beta === 0 ? 'none' : (reference ?? 'frozen');
  const template = ranked ?? parts[0]!.name;
  const config = {
    ...{ stage: 'grpo', data: dataset.name, inputs: hashInputs(inputs) },
    ...{ ...asTrained, ...stampOf({ ...parsed, template }, rewards), ...precisionStamp(precision, parsed.saveDtype) },
    ...(own && { templates: own }),
  };
  const settings = { ...parsed, bestMetric, referenceKind, precision };
  const names = [...new Set([template, ...parts.map(({ name }) => name), ...Object.keys(own ?? {})])];
  const card = promptCard({ ...prompts, template }, names);
  return {
    ...{ run, settings, config, inputs, dataset, index, parts, rewards, card, prompts },
    ...{ ...(ranked !== undefined && { ranked }), ...(vectors && { vectors }) },
  };
}

/** @throws InputError for an unknown task, or one in chain mode */
function partsOf({ tasks, template }: GrpoParsed, templates: Templates, trained: string | undefined): TaskPart[] {
  if (tasks === undefined) {
    const name = template ?? trained ?? 'sids';
    return [{ name, template: findTemplate(name, templates), mode: 'row', weight: 1, maxExamples: 0 }];
  }
  const parts = parseTasks(tasks, templates, 'row');
  const chain = parts.find(({ mode }) => mode === 'chain');
  if (chain) throw new InputError(`--tasks: ${chain.name}: a rollout answers one row; leave chain out`);
  return parts;
}

/** A task of rows first: the next item is what a recommender is for. */
function rankedBy(parts: readonly TaskPart[], asked: string | undefined): string | undefined {
  const coded = parts.filter(({ template }) => answerKind(template) === 'items');
  if (coded.length === 0) return undefined;
  if (asked === undefined) return (coded.find(({ template }) => template.of === 'rows') ?? coded[0]!).name;
  if (coded.some(({ name }) => name === asked)) return asked;
  throw new InputError(
    `grpo: expected --template to be a task that is rolled out and ranked (${coded.map(({ name }) => name).join(', ')}), got ${asked}`,
  );
}

/** Recorded in every run; other options, which came later, only where they are not at their default. */
const ALWAYS = new Set([
  ...Object.keys({ ...DATA_OPTIONS, ...INDEX_OPTIONS, ...TRAIN_OPTIONS, ...SEED_OPTIONS }),
  ...['template', 'numGenerations', 'beta', 'reward', 'sampleSize', 'batchSize'],
]);

/** The options as a run's configuration holds them, functions by name and source. */
function stampOf(settings: GrpoParsed & { template: string }, rewards: readonly RewardPart[]): Record<string, unknown> {
  const { options } = GRPO_OPTIONS;
  const { precision: _asked, saveDtype: _dtype, ...all } = fingerprint(options, settings);
  const known = options as Record<string, { default?: unknown }>;
  const recorded = Object.entries(all).filter(
    ([name, value]) => ALWAYS.has(name) || JSON.stringify(value) !== JSON.stringify(known[name]?.default),
  );
  const { scorer, embed } = settings;
  return {
    ...Object.fromEntries(recorded),
    reward: rewardStamp(rewards),
    ...(scorer && { scorer: functionStamp(scorer) }),
    ...(embed && { embed: functionStamp(embed) }),
  };
}

/** A run in memory. */
export interface BegunGrpo {
  model: LanguageModel;
  tokenizer: TextTokenizer;
  task: GrpoTask;
  /** Frees the reference. */
  dispose(): void;
}

/** Loads the models and makes the task. @param onRollout receives the groups that are logged */
export function beginGrpo(settled: SettledGrpo, onRollout?: GrpoTaskParts['onRollout']): BegunGrpo {
  const { settings, dataset, index, parts, ranked, rewards, vectors, prompts } = settled;
  const { model: start, scorer, embed, seed, maxTokens, validRows } = settings;
  const tokenizer = loadTokenizer(start);
  const model = policyModel(start, tokenizer, index, settings);
  const reference = referenceModel(settings.referenceKind, model, start, settings);
  const reading = promptOptions(prompts, start, dataset.items, promptWords(dataset));
  const tasks = parts.map((part) => rlTask(part, { model, tokenizer, index, reading, rewards, maxTokens }));
  const sources: RewardSources = {
    ...{ tokenizer, index, texts: dataset.items },
    ...(rewards.some(({ named }) => named?.needs === 'counts') && { counts: countTrain(dataset.train) }),
    ...{ ...(vectors && { vectors }), ...(scorer && { scorer }), ...(embed && { embed }) },
  };
  const context = promptContext(index, dataset.items, [], undefined, promptWords(dataset));
  const weights = loadWeights(dataset, settings);
  const { heldOutItems } = prompts;
  const heldOut = heldOutItems === undefined ? {} : { heldOutItems };
  const validate = validation({
    ...settled,
    model,
    tokenizer,
    tasks,
    sources,
    reading,
    context,
    validRows,
    seed,
    ranked,
  });
  const task = new GrpoTask(
    {
      ...{ model, tasks, sources, validate, ...(reference && { reference }), ...(onRollout && { onRollout }) },
      rows: epochRows(new TaskSet(dataset, parts, context, { seed, weights, weighting: 'draw', ...heldOut }), settings),
    },
    { ...settings, ...lossDefaults(settings) },
  );
  return { model, tokenizer, task, dispose: () => reference?.dispose() };
}

interface ValidationParts extends SettledGrpo {
  model: LanguageModel;
  tokenizer: TextTokenizer;
  tasks: readonly RlTask[];
  sources: RewardSources;
  reading: ReturnType<typeof promptOptions>;
  context: ReturnType<typeof promptContext>;
  validRows: number;
  seed: number;
}

/** Ranking as evaluation does it; of a mix of words alone the reward of what is written. */
function validation(of: ValidationParts): Validator {
  const { model, tokenizer, tasks, sources, reading, context, validRows, seed, ranked, dataset, index, parts } = of;
  const rowsOf = (template: Template): Row[] => taskRows(dataset, template, 'valid', context, of.prompts.heldOutItems);
  if (ranked !== undefined) {
    const recommender = createRecommender(model, tokenizer, index, ranked, reading);
    const { template } = parts.find(({ name }) => name === ranked)!;
    return validator(recommender, rowsOf(template), validRows, seed);
  }
  const all = parts.flatMap(({ template }, task) => rowsOf(template).map((row): TaskRow => ({ task, row })));
  const some = drawRows(all, validRows, `${seed}/valid`);
  return textValidator(model, tasks, some, sources);
}
