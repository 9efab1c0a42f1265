/** The `evaluate` stage: model folder, data folder and index -> `results.jsonl` and the ranking metrics. */
import { indexOf, loadDataset } from '../data/load.js';
import { readIndex } from '../data/sid-index.js';
import { choosePrecision } from '../engine/choose-precision.js';
import { ensureEngine } from '../engine/engine.js';
import { modelConfig } from '../lm/model.js';
import type { PromptSource } from '../lm/prompt-card.js';
import { disposeWeights } from '../lm/weights.js';
import { InputError } from '../support/errors.js';
import { promptContext } from '../tasks/prompts.js';
import { taskRows } from '../tasks/task-rows.js';
import { findTemplate, readTemplates } from '../tasks/templates.js';
import { evaluate, type EvaluateReport } from './evaluate.js';
import { loadRecommender } from './recommender.js';
import { writeResults } from './results-file.js';
import { resultsFile, writeProvenance } from './results-place.js';
import { shuffleHistories } from './shuffle-histories.js';
import { promptOptions, type TrainedWith, trainedWith } from './trained-with.js';
import { EVALUATE_OPTIONS, type EvaluateStageOptions } from './evaluate-options.js';

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
}

/**
 * @throws InputError for files that are missing, damaged or do not fit one another, an unknown task, and a model whose
 *   scores are not finite (it names the row)
 */
export async function evaluateStage(options: EvaluateStageOptions): Promise<EvaluateStageReport> {
  await ensureEngine();
  const { label, ...given } = options;
  const settings = EVALUATE_OPTIONS.parse(given);
  const { data, dataset: name, model, split, results, shuffleHistories: seed } = settings;
  const { template: named, templates: from, cutoffLen, chatTemplate, sidTokens } = settings;
  const { numBeams, normalize, tokenBudget } = settings;
  const run = trainedWith(model);
  const template = named ?? run.template ?? 'sids';
  const templates = from === undefined ? run.templates : readTemplates(from);
  const { precision } = choosePrecision(settings.precision, modelConfig(model));
  const kind = {
    split,
    template,
    numBeams,
    normalize,
    precision,
    ...(seed !== undefined && { shuffleHistories: seed }),
  };
  const file = results ?? resultsFile(model, kind);
  const dataset = await loadDataset(data, name);
  const indexFile = settings.index ?? indexOf(dataset);
  const index = readIndex(indexFile, dataset.items.length);
  const found = findTemplate(template, templates);
  const whole = taskRows(dataset, found, split, promptContext(index, dataset.items));
  if (seed !== undefined && found.of === 'items') {
    throw new InputError(`--shuffle-histories: ${template} asks about items, which have no history`);
  }
  const rows = seed === undefined ? whole : shuffleHistories(whole, seed);
  const asked = { ...run, templates, ...defined({ cutoffLen, chatTemplate, sidTokens }) };
  const recommender = loadRecommender(model, index, template, {
    ...promptOptions(asked, model, dataset.items),
    precision,
  });
  try {
    const { report, results: ranked } = await evaluate(recommender, rows, {
      numBeams,
      normalize,
      tokenBudget,
      ...(label !== undefined && { label }),
    });
    writeResults(file, ranked);
    const { item, sid } = report;
    const inputs = { dataset, index: indexFile, model };
    writeProvenance(file, kind, inputs, { rows: rows.length, metrics: { item, sid } });
    const prompt = usedPrompt(template, named, run);
    return { ...report, template, prompt, truncated: recommender.render.truncated, results: file };
  } finally {
    disposeWeights(recommender.model.weights);
  }
}

/** @param asked the template that was asked for, if one was */
export function usedPrompt(template: string, asked: string | undefined, { source, file }: TrainedWith): UsedPrompt {
  return asked === undefined
    ? { template, source, ...(file !== undefined && { file }) }
    : { template, source: 'option' };
}

/** What was given of some options. */
function defined<T extends object>(options: T): { [K in keyof T]?: NonNullable<T[K]> } {
  const some = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(some) as { [K in keyof T]?: NonNullable<T[K]> };
}
