/** The `evaluate` stage: model folder, data folder and index -> `results.jsonl` and the ranking figures. */
import { dirname, join } from 'node:path';
import { loadDataset } from '../data/index.js';
import { disposeWeights } from '../lm/index.js';
import { readIndex } from '../sid/index-file.js';
import { evaluate } from './evaluate.js';
import type { EvaluateReport, RankOptions } from './evaluate.js';
import { loadRecommender } from './recommender.js';
import { writeResults } from './results-file.js';
import { shuffleHistories } from './shuffle-histories.js';

export interface EvaluateStageOptions extends RankOptions {
  /** Data folder. */
  data: string;
  index: string;
  /** Model folder. */
  model: string;
  /** Default `sids`; the wording that the model was trained with. */
  template?: string;
  /** Default `test`. */
  split?: 'valid' | 'test';
  /** Deals the histories out to the wrong rows first, by this seed: a control. Default: not. */
  shuffleHistories?: number;
  /** File to write; default `results.jsonl` beside the model folder. */
  results?: string;
}

export async function evaluateStage(options: EvaluateStageOptions): Promise<EvaluateReport & { results: string }> {
  const {
    data,
    index: indexFile,
    model,
    template = 'sids',
    split = 'test',
    results,
    shuffleHistories: seed,
    ...rank
  } = options;
  const file = results ?? join(dirname(model), 'results.jsonl');
  const dataset = await loadDataset(data);
  const rows = seed === undefined ? dataset[split] : shuffleHistories(dataset[split], seed);
  const recommender = loadRecommender(model, readIndex(indexFile, dataset.items.length), template);
  try {
    const { report, results: ranked } = await evaluate(recommender, rows, rank);
    writeResults(file, ranked);
    return { ...report, results: file };
  } finally {
    disposeWeights(recommender.model.weights);
  }
}
