/** The `evaluate` stage: model folder, data folder and index -> `results.jsonl` and the ranking metrics. */
import { collected, first, together } from '../cluster/alone.js';
import { joinCluster } from '../cluster/cluster.js';
import { partView } from '../data/join/parts.js';
import { indexOf, loadDataset } from '../data/load.js';
import { readIndex } from '../data/sid-index.js';
import { trainCounts } from '../data/train-counts.js';
import { choosePrecision } from '../engine/choose-precision.js';
import { ensureEngine } from '../engine/engine.js';
import { modelConfig } from '../lm/model.js';
import type { PromptSource } from '../lm/prompt-card.js';
import { disposeWeights } from '../lm/weights.js';
import { checkTarget, hashText } from '../files/files.js';
import { codeVersion } from '../runs/code-version.js';
import { InputError, Interrupted } from '../support/errors.js';
import { interrupted, watchInterrupts } from '../support/interrupt.js';
import { promptWords } from '../tasks/prompt-words.js';
import { promptContext } from '../tasks/prompts.js';
import { taskRows } from '../tasks/task-rows.js';
import { findTemplate, readTemplates } from '../tasks/templates.js';
import { defined } from '../support/defined.js';
import { evaluateApart, ranksApart } from './apart/evaluate-apart.js';
import { joinsSeveral, partHashes, partWords } from './apart/part-inputs.js';
import { type EvaluateReport, reportOf } from './evaluate.js';
import { evaluationKind } from './evaluation-kind.js';
import { promptKind } from './prompt-kind.js';
import { loadRecommender } from './recommender.js';
import { writeResults } from './results-file.js';
import { PartialResults } from './partial-results.js';
import { rankSome } from './rank-rows.js';
import { type EvaluationKind, resultsFile, shardFile, writeProvenance } from './results-place.js';
import { checkScorer, scorerOf } from './scorer.js';
import { parseShard } from './shard.js';
import { shuffleHistories } from './shuffle-histories.js';
import { promptOptions, type TrainedWith, trainedWith } from './trained-with.js';
import type { SettingsOf } from '../options/schema.js';
import { EVALUATE_OPTIONS, type EvaluateStageOptions } from './evaluate-options.js';
import { largest, smallest } from '../support/extremes.js';

/** Which prompt was used, and where it was found; `option` is one that was asked for. */
export interface UsedPrompt {
  /** Name of the task. */
  template: string;
  source: PromptSource | 'option';
  /** The file that names it. */
  file?: string;
}

/** What the stage measured, on what, and where the results are. */
export interface EvaluateStageReport extends EvaluateReport {
  /** Name of the task. */
  template: string;
  prompt: UsedPrompt;
  /** Prompts that were longer than the limit. */
  truncated: number;
  /** File. */
  results: string;
  /** Of each metric by item over the task's wordings, where each was asked. */
  wordings?: Record<string, WordingSpread>;
  /** Of a joined folder, whose rows are ranked among the items of their own data sets: each data set's. */
  parts?: Record<string, EvaluateStageReport>;
}

/** A metric over the wordings of a task. */
export interface WordingSpread {
  mean: number;
  min: number;
  max: number;
}

/**
 * @throws InputError for files that are missing, damaged or do not fit one another, an unknown task, and a model whose
 *   scores are not finite (it names the row); and on interrupt, when what is done is kept for the same call to go on from
 */
export async function evaluateStage(options: EvaluateStageOptions): Promise<EvaluateStageReport> {
  const kept: PartialResults[] = [];
  const report = await evaluateOne(options, kept);
  for (const partial of kept) partial.remove(); // all results are in their own files
  return report;
}

/** @param kept gets what holds the rows until all of it is done: a data set or wording that is done is not ranked again */
async function evaluateOne(options: EvaluateStageOptions, kept: PartialResults[]): Promise<EvaluateStageReport> {
  await ensureEngine();
  const cluster = await joinCluster();
  const { label, ...given } = options;
  const settings = EVALUATE_OPTIONS.parse(given);
  const part = (some: EvaluateStageOptions): Promise<EvaluateStageReport> => evaluateOne(some, kept);
  if (settings.wording === 0) return everyWording(options, settings, part);
  if (settings.part === undefined && joinsSeveral(settings) && ranksApart(options)) return evaluateApart(options, part);
  if (cluster && settings.shard !== undefined) {
    throw new InputError('--shard: expected one process, got several, which share the batches anyway; leave one out');
  }
  const asked = cluster && (await cluster.first(() => precisionOf(settings)));
  const plan = await together(cluster, () => settle(settings, asked));
  cluster?.expectSame({ code: codeVersion().hash, ...plan.hashes, ...plan.kind, ...plan.search, rows: plan.key });
  const { rows, index, inputs, kind, file, recommender, search } = plan;
  const release = watchInterrupts();
  try {
    const partial = await together(cluster, () => new PartialResults(partialFile(file, cluster), plan.key));
    if (cluster) for (const [row, result] of cluster.exchange([...partial.done]).flat()) partial.done.set(row, result);
    const before = partial.done.size;
    const start = performance.now();
    const { shard, wording } = settings;
    const share = cluster ? { index: cluster.rank + 1, of: cluster.size } : shard && parseShard(shard);
    const run = { partial, stop: interrupted, wording, counts: plan.counts, ...(share && { shard: share }) };
    const own = await together(cluster, () =>
      rankSome(recommender, rows, { ...search, ...(label !== undefined && { label }) }, run),
    );
    const done = new Map(collected(cluster, [...own]));
    const stopped = cluster ? cluster.numbers([Number(interrupted())]).some(([flag]) => flag === 1) : interrupted();
    const report = await first(cluster, () => {
      if (stopped) {
        throw new Interrupted(
          `evaluate: interrupted; ${done.size} of ${rows.length} rows are in ${partial.path}; the same command goes on`,
        );
      }
      const seconds = (performance.now() - start) / 1000;
      const places = [...done.keys()].sort((a, b) => a - b);
      const ranked = places.map((place) => done.get(place)!);
      const measured = reportOf(ranked, index, search.numBeams, seconds);
      writeResults(file, ranked, shard === undefined ? undefined : places);
      const { item, sid, intervals } = measured;
      const beside =
        shard === undefined ? {} : { allRows: rows.length, indexFile: inputs.index, indexItems: plan.indexItems };
      writeProvenance(
        file,
        { ...kind, ...beside },
        { inputs: plan.hashes, model: inputs.model },
        { rows: ranked.length, metrics: { item, sid }, intervals },
      );
      return {
        ...measured,
        usersPerSecond: (ranked.length - before) / seconds, // of those that were not there before
        ...{ template: kind.template, prompt: plan.prompt, truncated: recommender.render.truncated, results: file },
      };
    });
    kept.push(partial);
    return report;
  } finally {
    release();
    disposeWeights(recommender.model.weights);
  }
}

type Precision = ReturnType<typeof choosePrecision>['precision'];

/** Each process of a cluster has a file of its own for what it has done. */
function partialFile(results: string, cluster: { rank: number } | undefined): string {
  return cluster && cluster.rank > 0 ? `${results}.${cluster.rank}` : results;
}

/** In which precision products are computed; machines differ, so process 0 decides. */
function precisionOf({ precision, model }: SettingsOf<typeof EVALUATE_OPTIONS>): Precision {
  return choosePrecision(precision, modelConfig(model)).precision;
}

/**
 * What the options name: rows, recommender, files. The recommender's weights are the caller's.
 * @param agreed the precision, where processes have agreed on one
 */
async function settle(settings: SettingsOf<typeof EVALUATE_OPTIONS>, agreed?: Precision) {
  const { data, dataset: name, model, split, shuffleHistories: seed, limit, wording, part } = settings;
  const { template: named, templates: from, cutoffLen, chatTemplate, sidTokens, preferences } = settings;
  const { numBeams, normalize, lengthPenalty, lengthOf, logitAdjustment, sharedSids, excludeHistory } = settings;
  const { scoreTargets, tokenBudget, assistant, assistantWeight } = settings;
  const scorer = scorerOf(assistant);
  const run = trainedWith(model);
  const template = named ?? run.template ?? 'sids';
  const templates = from === undefined ? run.templates : readTemplates(from);
  const found = findTemplate(template, templates);
  if (wording > found.prompts.length) {
    throw new InputError(`--wording: ${template} has ${found.prompts.length}, got ${wording}`);
  }
  if (seed !== undefined && found.of === 'items') {
    throw new InputError(`--shuffle-histories: ${template} asks about items, which have no history`);
  }
  const precision = agreed ?? precisionOf(settings);
  const joined = await loadDataset(data, name);
  const { dataset, firstItem } = partView(joined, part);
  checkScorer(scorer, dataset.items.length, 'evaluate: assistant');
  const inputs = {
    dataset,
    index: settings.index ?? indexOf(joined),
    model,
    ...(preferences !== undefined && { preferences }),
  };
  const words = partWords(promptWords(joined, preferences), firstItem);
  const { heldOutItems = run.heldOutItems } = settings;
  const index = readIndex(inputs.index, joined.items.length).slice(firstItem, firstItem + dataset.items.length);
  const whole = taskRows(
    dataset,
    found,
    split,
    promptContext(index, dataset.items, [], undefined, words),
    heldOutItems,
  );
  if (whole.length === 0) {
    throw new InputError(`evaluate: expected rows in ${split}, got none; take another split, or filter again`);
  }
  const rows = (seed === undefined ? whole : shuffleHistories(whole, seed)).slice(0, limit > 0 ? limit : undefined);
  const asked = { ...run, templates, ...defined({ cutoffLen, chatTemplate, sidTokens }) };
  const reading = { ...promptOptions(asked, model, dataset.items, words), precision };
  const ranking = { numBeams, normalize, lengthPenalty, logitAdjustment, excludeHistory, scoreTargets, tokenBudget };
  const search = { ...ranking, lengthOf, sharedSids, ...(assistant !== undefined && { assistant, assistantWeight }) };
  const used = { task: template, template: found, index: inputs.index, ownIndex: indexOf(joined) };
  const kind = evaluationKind(settings, { template, precision, prompts: promptKind(settings, run, used) });
  const prompts = [asked.cutoffLen, asked.chatTemplate, asked.sidTokens, found];
  const hashes = partHashes(inputs, joined);
  const key = [kind, ranking, prompts, hashes, codeVersion().hash, rows.length];
  return {
    counts: trainCounts(dataset.train, dataset.items.length),
    indexItems: [firstItem, firstItem + dataset.items.length] as const,
    ...{ rows, index, inputs, hashes, kind, search, prompt: usedPrompt(template, named, run) },
    key: hashText(JSON.stringify(key)),
    file: fileOf(settings, kind),
    recommender: loadRecommender(model, index, template, reading),
  };
}

function fileOf(
  { results, model, shard }: { results?: string; model: string; shard?: string },
  kind: EvaluationKind,
): string {
  if (results === undefined) return resultsFile(model, kind);
  const file = shard === undefined ? results : shardFile(results, shard);
  checkTarget(file, '--results');
  return file;
}

/** The task with each of its wordings, a file of results each. @returns the first one's report, and what all of them say */
async function everyWording(
  options: EvaluateStageOptions,
  {
    model,
    template: named,
    templates: from,
    results,
  }: { model: string; template?: string; templates?: string; results?: string },
  evaluate: typeof evaluateStage,
): Promise<EvaluateStageReport> {
  const run = trainedWith(model);
  const { prompts } = findTemplate(
    named ?? run.template ?? 'sids',
    from === undefined ? run.templates : readTemplates(from),
  );
  const reports: EvaluateStageReport[] = [];
  for (const number of prompts.keys()) {
    const wording = number + 1;
    const file = results?.replace(/(\.jsonl)?$/, wording === 1 ? '.jsonl' : `-wording-${wording}.jsonl`);
    reports.push(await evaluate({ ...options, wording, ...(file !== undefined && { results: file }) }));
  }
  const names = Object.keys(reports[0]!.item);
  const wordings = names.map((name): [string, WordingSpread] => {
    const values = reports.map(({ item }) => item[name]!);
    return [
      name,
      { mean: values.reduce((a, b) => a + b, 0) / values.length, min: smallest(values), max: largest(values) },
    ];
  });
  return { ...reports[0]!, wordings: Object.fromEntries(wordings) };
}

/** @param asked the template that was asked for, if one was */
export function usedPrompt(template: string, asked: string | undefined, { source, file }: TrainedWith): UsedPrompt {
  return asked === undefined
    ? { template, source, ...(file !== undefined && { file }) }
    : { template, source: 'option' };
}
