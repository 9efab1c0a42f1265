/** Commands that rank, write, measure, and look for causes. */
import type { BadCaseReport } from '../../badcase/bad-case-report.js';
import { BADCASE_OPTIONS } from '../../badcase/badcase-options.js';
import { BASELINE_OPTIONS } from '../../baselines/baseline-options.js';
import type { BaselineReport } from '../../baselines/baseline-stage.js';
import { BASELINE_NAMES } from '../../baselines/baselines.js';
import type { EvaluateBesideReport } from '../../baselines/rank-baselines.js';
import { COMPARE_OPTIONS } from '../../compare/compare-options.js';
import type { CompareReport } from '../../compare/compare-report.js';
import { EVALUATE_OPTIONS } from '../../evaluate/evaluate-options.js';
import { MERGE_RESULTS_OPTIONS } from '../../evaluate/merge-results-options.js';
import type { MergeResultsReport } from '../../evaluate/merge-results.js';
import { SCORE_OPTIONS } from '../../evaluate/score/score-options.js';
import type { ScoreReport } from '../../evaluate/score/score-stage.js';
import { COMPARE_TEXTS_OPTIONS } from '../../evaluate/text/compare-texts-options.js';
import type { CompareTextsReport } from '../../evaluate/text/compare-texts-stage.js';
import { GENERATE_OPTIONS } from '../../evaluate/text/generate-stage-options.js';
import type { GenerateReport } from '../../evaluate/text/generate-stage.js';
import { STRATEGIES_OPTIONS } from '../../strategies/strategies-options.js';
import type { StrategiesReport } from '../../strategies/strategies-stage.js';
import { TABLE_OPTIONS } from '../../tables/table-options.js';
import type { TableReport } from '../../tables/table-stage.js';
import type { Command } from '../command.js';
import { metricRecord, record } from '../print.js';
import { checked } from './shared.js';

/** By name. */
export const RANK_COMMANDS = {
  evaluate: {
    summary: 'rank the catalogue for every row by constrained beam search',
    schema: EVALUATE_OPTIONS,
    parallel: true,
    run: async (values) => (await import('../../baselines/rank-baselines.js')).evaluateBesideBaselines(checked(values)),
    print: ({ beside: _beside, warnings = [], ...report }: EvaluateBesideReport) =>
      [metricRecord(report), ...warnings].join('\n'),
  },
  'merge-results': {
    summary: 'the shares of an evaluation (evaluate --shard 1/8, ...) -> one file of results',
    schema: MERGE_RESULTS_OPTIONS,
    run: async (values) => (await import('../../evaluate/merge-results.js')).mergeResults(checked(values)),
    print: (report: MergeResultsReport) => metricRecord(report),
  },
  score: {
    summary: "metrics with intervals of results files: the kit's, or MiniOneRec's final_result_*.json",
    schema: SCORE_OPTIONS,
    word: 'files',
    run: async (values) => (await import('../../baselines/rank-baselines.js')).scoreBesideBaselines(checked(values)),
    print: async (report: ScoreReport) => (await import('../score-report.js')).scoreText(report),
  },
  compare: {
    summary: 'models over the same rows: paired tests, slices, failure modes, rows won and lost; report and figures',
    schema: COMPARE_OPTIONS,
    word: 'files',
    run: async (values) => (await import('../../compare/compare-stage.js')).compareStage(checked(values)),
    print: async (report: CompareReport) => (await import('../score-report.js')).compareText(report),
  },
  generate: {
    summary: "a model writes a task's answers without the trie: BLEU, ROUGE, BERTScore of texts, hits of SIDs",
    schema: GENERATE_OPTIONS,
    parallel: true,
    run: async (values) => (await import('../../evaluate/text/generate-stage.js')).generateStage(checked(values)),
    print: async ({ examples, ...report }: GenerateReport) => {
      const { answerTable } = await import('../../evaluate/text/answer-table.js');
      const { tableText } = await import('../../figures/show-table.js');
      return `${record(report)}\n\n${tableText(answerTable(examples))}`;
    },
  },
  'compare-texts': {
    summary: "several models' answers to the same prompts (files of generate) side by side -> a CSV for a spreadsheet",
    schema: COMPARE_TEXTS_OPTIONS,
    run: async (values) =>
      (await import('../../evaluate/text/compare-texts-stage.js')).compareTextsStage(checked(values)),
    print: async ({ examples, ...report }: CompareTextsReport) => {
      const { tableText } = await import('../../figures/show-table.js');
      return `${record(report)}\n\n${tableText(examples)}`;
    },
  },
  baseline: {
    summary: `a baseline's ranking of the same rows: ${BASELINE_NAMES.join(', ')}`,
    schema: BASELINE_OPTIONS,
    word: 'baseline',
    run: async (values) => (await import('../../baselines/baseline-stage.js')).baselineStage(checked(values)),
    print: (report: BaselineReport) => metricRecord(report),
  },
  table: {
    summary: 'a paper table with our measured values beside the published ones: Markdown, CSV, LaTeX and a figure',
    schema: TABLE_OPTIONS,
    word: 'table',
    run: async (values) => (await import('../../tables/table-stage.js')).tableStage(checked(values)),
    print: async (report: TableReport) => {
      const { toMarkdown } = await import('../../tables/table-text.js');
      return `${toMarkdown(report)}\n${report.files.join('\n')}`;
    },
  },
  badcase: {
    summary: 'where and why recommendations fail: report and figures',
    schema: BADCASE_OPTIONS,
    run: async (values) => (await import('../../badcase/bad-case-report.js')).badCaseReport(checked(values)),
    print: async ({ summary, report, html }: BadCaseReport) => {
      const { readText } = await import('../../files/files.js');
      return [readText(summary), report, html].join('\n');
    },
  },
  strategies: {
    summary: 'what the bad cases call for: a configuration that the pipeline runs as it is',
    schema: STRATEGIES_OPTIONS,
    run: async (values) => (await import('../strategies-command.js')).strategiesCommand(values),
    print: async (report: StrategiesReport) => (await import('../strategies-command.js')).strategiesText(report),
  },
} satisfies Record<string, Command>;
