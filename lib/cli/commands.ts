/** The commands: each a thin call of one library function, whose code is loaded when it runs. */
import type { BadCaseReport } from '../badcase/bad-case-report.js';
import { BADCASE_OPTIONS } from '../badcase/badcase-options.js';
import { BASELINE_OPTIONS } from '../baselines/baseline-options.js';
import type { BaselineReport } from '../baselines/baseline-stage.js';
import type { EvaluateBesideReport } from '../baselines/rank-baselines.js';
import { CLUSTER_ENV_OPTIONS, LOCAL_OPTIONS } from '../cluster/launch/launch-options.js';
import { BASELINE_NAMES } from '../baselines/baselines.js';
import type { LoadedScorer } from '../baselines/sequence/scorer.js';
import { COMPARE_OPTIONS } from '../compare/compare-options.js';
import type { CompareReport } from '../compare/compare-report.js';
import { CONVERT_OPTIONS } from '../data/convert-options.js';
import { ENRICH_OPTIONS } from '../data/enrich/enrich-options.js';
import { FILTER_OPTIONS } from '../data/filter/filter-options.js';
import { JOIN_OPTIONS } from '../data/join/join-options.js';
import { IMPORT_CONVERTED_OPTIONS } from '../data/import-options.js';
import { WRITE_SAMPLE_OPTIONS } from '../data/sample/sample-options.js';
import { EMBED_OPTIONS } from '../embed/embed-options.js';
import { I2I_OPTIONS } from '../embed/i2i/i2i-options.js';
import type { I2iCommandReport } from './i2i-command.js';
import { MERGE_RESULTS_OPTIONS } from '../evaluate/merge-results-options.js';
import type { MergeResultsReport } from '../evaluate/merge-results.js';
import { EVALUATE_OPTIONS } from '../evaluate/evaluate-options.js';
import { COMPARE_TEXTS_OPTIONS } from '../evaluate/text/compare-texts-options.js';
import type { CompareTextsReport } from '../evaluate/text/compare-texts-stage.js';
import { SCORE_OPTIONS } from '../evaluate/score/score-options.js';
import type { ScoreReport } from '../evaluate/score/score-stage.js';
import { GENERATE_OPTIONS } from '../evaluate/text/generate-stage-options.js';
import type { GenerateReport } from '../evaluate/text/generate-stage.js';
import { MERGE_OPTIONS } from '../lm/lora/merge-options.js';
import { PLANTABLE } from '../badcase/plant/faults.js';
import { boolean, choice, text } from '../options/kinds.js';
import { defineOptions } from '../options/schema.js';
import { QUALITY_OPTIONS } from '../sid/quality/quality-options.js';
import type { SidQualityReport } from '../sid/quality/quality-stage.js';
import { SID_EXPORT_OPTIONS, SID_IMPORT_OPTIONS } from '../sid/files/reference-options.js';
import { SID_OPTIONS } from '../sid/sid-options.js';
import { STRATEGIES_OPTIONS } from '../strategies/strategies-options.js';
import type { StrategiesReport } from '../strategies/strategies-stage.js';
import { InputError } from '../support/errors.js';
import { IMPORT_OPTIONS } from '../tasks/import/import-options.js';
import { TABLE_OPTIONS } from '../tables/table-options.js';
import type { TableReport } from '../tables/table-stage.js';
import type { GrpoReport } from '../train/grpo/grpo.js';
import { GRPO_OPTIONS } from '../train/grpo/grpo-options.js';
import type { RunEstimate } from '../train/report/estimate.js';
import { RUNS_OPTIONS } from '../train/report/runs-options.js';
import { SFT_OPTIONS } from '../train/sft/sft-options.js';
import type { SftReport } from '../train/sft/sft.js';
import type { Command } from './command.js';
import { pipelineCommand } from './pipeline-command.js';
import { metricRecord, record } from './print.js';
import type { RunsReport } from './runs-report.js';
import { sweepCommand } from './sweep-command.js';

/** Options that a stage's schema has checked, as the type that its function takes. */
const checked = <T>(values: Record<string, unknown>): T => values as T;

const DRY_RUN = { dryRun: boolean('say what it would take, and stop') };

/** All commands by name, in the order of `sidlab --help`. */
export const COMMANDS: Record<string, Command> = {
  doctor: {
    summary: 'what runs here: engine, precision, speed, and what is missing',
    schema: defineOptions('doctor', {}),
    run: async () => (await import('../engine/doctor.js')).doctor(),
  },
  sample: {
    summary: 'write a sample catalogue: reviews and metadata in the Amazon 2018 format',
    schema: WRITE_SAMPLE_OPTIONS,
    extra: {
      plant: choice(PLANTABLE, 'also filter it, give it semantic IDs, and plant a fault that badcase should name', {
        otherwise: 'none',
      }),
    },
    run: async (values, { plant }) =>
      plant === undefined
        ? (await import('../data/sample/sample.js')).writeSample(checked(values))
        : (await import('../pipeline/plant-sample.js')).plantSample(checked({ ...values, plant })),
  },
  filter: {
    summary: 'raw interactions and item texts -> items and training, validation and test rows',
    schema: FILTER_OPTIONS,
    run: async (values) => (await import('../data/filter/filter-stage.js')).filterStage(checked(values)),
  },
  join: {
    summary:
      'several data folders -> one, for one tokenizer and one model of all; evaluate, baseline and badcase keep them apart',
    schema: JOIN_OPTIONS,
    run: async (values) => (await import('../data/join/join-datasets.js')).joinDatasets(checked(values)),
  },
  embed: {
    summary: 'item texts -> item vectors',
    schema: EMBED_OPTIONS,
    parallel: true,
    run: async (values) => (await import('../embed/embed-items.js')).embedItems(checked(values)),
  },
  i2i: {
    summary: "encoders' vectors against what users buy together: Hit@k and ranks of the most frequent neighbour",
    schema: I2I_OPTIONS,
    run: async (values) => (await import('./i2i-command.js')).i2iCommand(checked(values)),
    print: async (report: I2iCommandReport) => {
      const { tableText } = await import('../figures/show-table.js');
      return `${tableText(report.rows.map((row) => ({ ...row })))}\n\n${report.figures.join('\n')}`;
    },
  },
  sid: {
    summary: 'item vectors -> semantic IDs',
    schema: SID_OPTIONS,
    parallel: true,
    extra: { extend: boolean('keep the index, and give SIDs to items beyond its last from the saved codebooks') },
    run: async (values, { extend }) => {
      if (extend) return extendCommand(values);
      return (await import('../sid/sid-stage.js')).sidStage(checked(values));
    },
  },
  'sid quality': {
    summary: 'metrics of semantic IDs: collisions, codes in use, neighbours; and a gate',
    schema: QUALITY_OPTIONS,
    run: async (values) => {
      const { ensureEngine } = await import('../engine/engine.js');
      await ensureEngine();
      const report = await (await import('../sid/quality/quality-stage.js')).sidQualityStage(checked(values));
      if (!report.pass) process.exitCode = 1;
      return report;
    },
    print: async (report: SidQualityReport) => {
      const { tableText } = await import('../figures/show-table.js');
      const { levels, prefixes, checks, ...rest } = report;
      const flat = levels.map(({ clusterSize, mse, ...level }) => ({
        ...level,
        mse: mse?.toPrecision(3) ?? '',
        items: `${clusterSize.min} / ${clusterSize.median} / ${clusterSize.max}`,
      }));
      const asRows = (of: readonly object[]) => of.map((row) => ({ ...row }));
      const tables = [flat, asRows(prefixes), ...(checks.length > 0 ? [asRows(checks)] : [])];
      return [record(rest), ...tables.map((rows) => tableText(rows))].join('\n\n');
    },
  },
  'sid import': {
    summary: "MiniOneRec's codebooks_constrained.npz, codes_constrained.npy and index -> an index of the kit",
    schema: SID_IMPORT_OPTIONS,
    run: async (values) => {
      const { ensureEngine } = await import('../engine/engine.js');
      await ensureEngine();
      return (await import('../sid/files/reference-files.js')).importSids(checked(values));
    },
  },
  'sid export': {
    summary: "an index's codebooks and codes -> codebooks_constrained.npz and codes_constrained.npy",
    schema: SID_EXPORT_OPTIONS,
    run: async (values) => (await import('../sid/files/reference-files.js')).exportSids(checked(values)),
  },
  convert: {
    summary: "rows and index -> MiniOneRec's CSV and info files",
    schema: CONVERT_OPTIONS,
    run: async (values) => (await import('../data/convert.js')).convert(checked(values)),
  },
  sft: {
    summary: 'supervised fine-tuning: a language model is trained to write the SID of the next item',
    schema: SFT_OPTIONS,
    extra: DRY_RUN,
    parallel: true,
    run: async (values, { dryRun }) => {
      const { sft, sftEstimate } = await import('../train/sft/sft.js');
      return dryRun ? sftEstimate(checked(values)) : sft(checked(values));
    },
    print: async (result: SftReport | RunEstimate) =>
      'freeBytes' in result
        ? (await import('../train/report/estimate.js')).estimateText('sft', result)
        : record(result),
  },
  grpo: {
    summary: 'reinforcement learning from an SFT model: groups of completions, compared by their rewards',
    schema: GRPO_OPTIONS,
    parallel: true,
    extra: {
      ...DRY_RUN,
      scorerModel: text('model/ of a trained baseline, such as sasrec: the scorer of the sasrec reward'),
    },
    run: async (values, { dryRun, scorerModel }) => {
      const { grpo, grpoEstimate } = await import('../train/grpo/grpo.js');
      const scorer = await scorerOf(scorerModel as string | undefined);
      try {
        const options = { ...values, ...(scorer && { scorer }) };
        return await (dryRun ? grpoEstimate(checked(options)) : grpo(checked(options)));
      } finally {
        scorer?.dispose();
      }
    },
    print: async (result: GrpoReport | RunEstimate) =>
      'freeBytes' in result
        ? (await import('../train/report/estimate.js')).estimateText('grpo', result)
        : record(result),
  },
  evaluate: {
    summary: 'rank the catalogue for every row by constrained beam search',
    schema: EVALUATE_OPTIONS,
    parallel: true,
    run: async (values) => (await import('../baselines/rank-baselines.js')).evaluateBesideBaselines(checked(values)),
    print: ({ beside: _beside, warnings = [], ...report }: EvaluateBesideReport) =>
      [metricRecord(report), ...warnings].join('\n'),
  },
  'merge-results': {
    summary: 'the shares of an evaluation (evaluate --shard 1/8, ...) -> one file of results',
    schema: MERGE_RESULTS_OPTIONS,
    run: async (values) => (await import('../evaluate/merge-results.js')).mergeResults(checked(values)),
    print: (report: MergeResultsReport) => metricRecord(report),
  },
  score: {
    summary: "metrics with intervals of results files: the kit's, or MiniOneRec's final_result_*.json",
    schema: SCORE_OPTIONS,
    word: 'files',
    run: async (values) => (await import('../baselines/rank-baselines.js')).scoreBesideBaselines(checked(values)),
    print: async (report: ScoreReport) => (await import('./score-report.js')).scoreText(report),
  },
  compare: {
    summary: 'models over the same rows: paired tests, slices, failure modes, rows won and lost; report and figures',
    schema: COMPARE_OPTIONS,
    word: 'files',
    run: async (values) => (await import('../compare/compare-stage.js')).compareStage(checked(values)),
    print: async (report: CompareReport) => (await import('./score-report.js')).compareText(report),
  },
  generate: {
    summary: "a model writes a task's answers without the trie: BLEU, ROUGE, BERTScore of texts, hits of SIDs",
    schema: GENERATE_OPTIONS,
    parallel: true,
    run: async (values) => (await import('../evaluate/text/generate-stage.js')).generateStage(checked(values)),
    print: async ({ examples, ...report }: GenerateReport) => {
      const { answerTable } = await import('../evaluate/text/answer-table.js');
      const { tableText } = await import('../figures/show-table.js');
      return `${record(report)}\n\n${tableText(answerTable(examples))}`;
    },
  },
  'compare-texts': {
    summary: "several models' answers to the same prompts (files of generate) side by side -> a CSV for a spreadsheet",
    schema: COMPARE_TEXTS_OPTIONS,
    run: async (values) => (await import('../evaluate/text/compare-texts-stage.js')).compareTextsStage(checked(values)),
    print: async ({ examples, ...report }: CompareTextsReport) => {
      const { tableText } = await import('../figures/show-table.js');
      return `${record(report)}\n\n${tableText(examples)}`;
    },
  },
  import: {
    summary: "MiniOneRec's published rows, items and index -> a data folder, in place of filter, embed and sid",
    schema: IMPORT_CONVERTED_OPTIONS,
    run: async (values) => (await import('../data/import-converted.js')).importConverted(checked(values)),
  },
  enrich: {
    summary:
      "a chat model's texts of items (enhanced title, tags, ...) or of users' tastes, by any API of OpenAI's form",
    schema: ENRICH_OPTIONS,
    extra: DRY_RUN,
    run: async (values, { dryRun }) => {
      const { enrich, enrichEstimate } = await import('../data/enrich/enrich.js');
      return dryRun ? enrichEstimate(checked(values)) : enrich(checked(values));
    },
  },
  templates: {
    summary: "the reference's prompts (data.py, prompt.py) -> a file for --templates",
    schema: IMPORT_OPTIONS,
    run: async (values) => (await import('../tasks/import/import-templates.js')).importTemplates(checked(values)),
  },
  merge: {
    summary: 'an adapter and its base -> one model folder',
    schema: MERGE_OPTIONS,
    run: async (values) => {
      const { ensureEngine } = await import('../engine/engine.js');
      await ensureEngine();
      return (await import('../lm/lora/merge-stage.js')).mergeStage(checked(values));
    },
  },
  baseline: {
    summary: `a baseline's ranking of the same rows: ${BASELINE_NAMES.join(', ')}`,
    schema: BASELINE_OPTIONS,
    word: 'baseline',
    run: async (values) => (await import('../baselines/baseline-stage.js')).baselineStage(checked(values)),
    print: (report: BaselineReport) => metricRecord(report),
  },
  table: {
    summary: 'a paper table with our measured values beside the published ones: Markdown, CSV, LaTeX and a figure',
    schema: TABLE_OPTIONS,
    word: 'table',
    run: async (values) => (await import('../tables/table-stage.js')).tableStage(checked(values)),
    print: async (report: TableReport) => {
      const { toMarkdown } = await import('../tables/table-text.js');
      return `${toMarkdown(report)}\n${report.files.join('\n')}`;
    },
  },
  badcase: {
    summary: 'where and why recommendations fail: report and figures',
    schema: BADCASE_OPTIONS,
    run: async (values) => (await import('../badcase/bad-case-report.js')).badCaseReport(checked(values)),
    print: async ({ summary, report, html }: BadCaseReport) => {
      const { readText } = await import('../files/files.js');
      return [readText(summary), report, html].join('\n');
    },
  },
  strategies: {
    summary: 'what the bad cases call for: a configuration that the pipeline runs as it is',
    schema: STRATEGIES_OPTIONS,
    run: async (values) => (await import('./strategies-command.js')).strategiesCommand(values),
    print: async (report: StrategiesReport) => (await import('./strategies-command.js')).strategiesText(report),
  },
  runs: {
    summary: 'the runs of a folder: how far they got, in what they differ, their curves in one figure',
    schema: RUNS_OPTIONS,
    run: async (values) => (await import('./runs-report.js')).runsReport(checked(values)),
    print: async (report: RunsReport) => (await import('./runs-report.js')).runsText(report),
  },
  sweep: sweepCommand(() => COMMANDS),
  pipeline: pipelineCommand,
  local: {
    summary: 'a command in several processes on this machine: sidlab local --processes 2 -- sft --data DIR',
    schema: LOCAL_OPTIONS,
    wraps: true,
    run: async (values, _extra, wrapped = []) =>
      (await import('../cluster/launch/local.js')).local(checked(values), process.argv[1]!, wrapped),
  },
  'cluster-env': {
    summary: "TF_CONFIG of this process from another launcher's variables: slurm, torchrun, mpi",
    schema: CLUSTER_ENV_OPTIONS,
    run: async (values) => (await import('../cluster/launch/cluster-env.js')).clusterEnv(checked(values)),
    print: (config) => JSON.stringify(config),
  },
};

async function scorerOf(folder: string | undefined): Promise<LoadedScorer | undefined> {
  return folder === undefined ? undefined : (await import('../baselines/sequence/scorer.js')).loadScorer(folder);
}

async function extendCommand({ embeddings, index, ...others }: Record<string, unknown>): Promise<unknown> {
  if (index === undefined || Object.keys(others).length > 0) {
    throw new InputError('sid: expected --index and --embeddings beside --extend, and nothing else');
  }
  const { clusterConfig } = await import('../engine/cluster.js');
  if (clusterConfig()) throw new InputError('sid: --extend runs in one process; start one, without TF_CONFIG');
  const { ensureEngine } = await import('../engine/engine.js');
  await ensureEngine();
  return (await import('../sid/extend-index.js')).extendIndex(checked({ embeddings, index }));
}
