/**
 * What a notebook composes: `import * as sidlab from 'sidlab'`. Chosen by hand, at most 150 names (`test/structure`
 * holds the list); everything else is in a room's own sub-path, such as `sidlab/ops` or `sidlab/lm`.
 */

// the engine
export { useEngine } from './engine/engine.js';
export { doctor } from './engine/doctor.js';

// stages, one after the other
export { writeSample } from './data/sample/sample.js';
export { filterStage } from './data/filter/filter-stage.js';
export { embedItems } from './embed/embed-items.js';
export { sidStage } from './sid/sid-stage.js';
export { sidQualityStage } from './sid/quality/quality-stage.js';
export { convert } from './data/convert.js';
export { sft, sftEstimate } from './train/sft/sft.js';
export { grpo } from './train/grpo/grpo.js';
export { evaluateStage } from './evaluate/evaluate-stage.js';
export { generateStage } from './evaluate/text/generate-stage.js';
export { mergeStage } from './lm/lora/merge-stage.js';
export { baselineStage } from './baselines/baseline-stage.js';
export { badCaseReport } from './badcase/bad-case-report.js';
export { PipelineStages } from './pipeline/stages.js';
export { runPipeline } from './pipeline/pipeline.js';
export { resultRows } from './pipeline/result-rows.js';
export { homeFolder, quickstart, readPipelineConfig } from './pipeline/config.js';
export { dryRun } from './pipeline/dry-run.js';
export type { PipelineConfig } from './pipeline/config.js';

// data
export { filterInteractions } from './data/filter/filter.js';
export { kCore } from './data/filter/k-core.js';
export { readInteractions } from './data/raw/read-interactions.js';
export { interactionsTable } from './data/raw/interactions.js';
export { readCatalogue } from './data/raw/catalogue.js';
export { loadDataset } from './data/load.js';
export { readItems } from './data/item-file.js';
export { itemsTable } from './data/table.js';
export { indexCodes, readIndex, sidTokens, writeIndex } from './data/sid-index.js';
export { protectText } from './data/item-text.js';
export type { Dataset, Item, Row } from './data/dataset.js';
export type { SidIndex } from './data/sid-index.js';

// vectors
export { lsa } from './embed/lsa/lsa.js';
export { cosine, mostAlike } from './embed/most-alike.js';
export { textEmbedder } from './embed/text-embedder.js';
export { readNpy, rowOf, writeNpy } from './files/npy.js';
export type { Vectors } from './files/npy.js';

// semantic IDs
export { METHODS } from './sid/methods.js';
export { SID_METHODS } from './sid/methods.js';
export { rqKmeans } from './sid/kmeans/rqkmeans.js';
export { rqKmeansConstrained } from './sid/balanced/rqkmeans-constrained.js';
export { rqvae } from './sid/rqvae/rqvae.js';
export { rqKmeansPlus } from './sid/rqvae/rqkmeans-plus.js';
export { kmeans } from './sid/kmeans/kmeans.js';
export { balancedKmeans } from './sid/balanced/balanced-kmeans.js';
export { assignSids, sidItems } from './sid/assign-sids.js';
export { extendIndex } from './sid/extend-index.js';
export { quantizeResult } from './sid/residual.js';
export { codeUsage, collisionRate, countCodes, meanSquaredError } from './sid/quantized.js';
export { sidQuality } from './sid/quality/quality.js';
export { readCodebooks } from './sid/files/codebook-files.js';
export type { SidMethod } from './sid/sid-method.js';
export type { QuantizeResult } from './sid/quantized.js';

// language model, tasks, decoding
export { loadModel, saveModel } from './lm/model.js';
export { loadTokenizer, wordTokenizer } from './lm/tokenizer/tokenizer.js';
export { extendVocabulary } from './lm/tokenizer/extend-vocabulary.js';
export { chain, packTrees, prefixTree } from './lm/forest.js';
export { findTemplate, TEMPLATES, templateWords } from './tasks/templates.js';
export { createRenderer, promptContext, renderAnswer, renderPrompt } from './tasks/prompts.js';
export { chainExample, chainTexts, rowExamples } from './tasks/examples.js';
export { taskRows } from './tasks/task-rows.js';
export { taskExamples } from './tasks/task-examples.js';
export { buildTrie, walk } from './decode/item-trie.js';
export { beamSearch } from './decode/beam-search.js';
export { generate } from './decode/generate.js';
export { freeBeams } from './decode/free-beams.js';
export type { LanguageModel } from './lm/language-model.js';
export type { TextTokenizer } from './lm/tokenizer/tokenizer.js';

// evaluation, baselines, bad cases
export { evaluate } from './evaluate/evaluate.js';
export { rankRows } from './evaluate/rank-rows.js';
export { createRecommender, loadRecommender } from './evaluate/recommender.js';
export { itemMetrics, sidMetrics } from './evaluate/metrics.js';
export { readResults, writeResults } from './evaluate/results-file.js';
export { textMetrics } from './evaluate/text/text-metrics.js';
export { compareTexts } from './evaluate/text/compare-texts.js';
export { popularity } from './baselines/popularity.js';
export { transition } from './baselines/transition.js';
export { badCases } from './badcase/bad-cases.js';
export type { Recommender } from './evaluate/recommender.js';
export type { Result } from './evaluate/results-file.js';

// training and its runs
export { REWARDS } from './train/grpo/rewards/rewards.js';
export { groupAdvantages } from './train/grpo/loss/advantages.js';
export { grpoLoss } from './train/grpo/loss/grpo-loss.js';
export { compareRuns } from './train/report/compare-runs.js';
export { readMetrics } from './runs/metric-lines.js';
export { RunFolder } from './runs/run-folder.js';
export { runStage } from './runs/stage.js';
export type { SftOptions } from './train/sft/sft-options.js';
export type { GrpoOptions } from './train/grpo/grpo-options.js';
export type { Reward } from './train/grpo/rewards/reward-context.js';
export type { RunCard } from './train/report/run-card.js';
export type { MetricLine } from './runs/metric-lines.js';

// tables and figures
export { useNotebook } from './figures/use-notebook.js';
export { display, liveFigure } from './figures/display.js';
export { showTable, tableHtml, tableText } from './figures/show-table.js';
export { toTable } from './figures/tables/to-table.js';
export { toDataFrame } from './figures/tables/to-data-frame.js';
export { exportFigure } from './figures/export-figure.js';
export { liveCurve } from './figures/live-curve.js';
export { lossCurve } from './figures/loss-curve.js';
export { runCurves } from './figures/run-curves.js';
export { metricBars } from './figures/metric-bars.js';
export { popularityCurve } from './figures/popularity-curve.js';
export { historyLengths } from './figures/history-lengths.js';
export { failureModes } from './figures/failure-modes.js';
export { rankDistribution } from './figures/rank-distribution.js';
export { sidUsage } from './figures/sid/sid-usage.js';
export { sidLevels, sidPrefixes } from './figures/sid/sid-quality.js';
export { vectorMap } from './figures/vector-map.js';
export type { Figure } from './figures/figure.js';

// small things that cells need
export { hashFile, readJson } from './files/files.js';
export { InputError } from './support/errors.js';
export { Random } from './support/random.js';
