/** The figures of a pipeline, in the order in which they are drawn. A new one is an entry of `PIPELINE_FIGURES`. */
import { join } from 'node:path';
import type { Dataset } from '../data/dataset.js';
import { loadDataset } from '../data/load.js';
import { countsFrom, indexCodes, readIndex, type SidIndex } from '../data/sid-index.js';
import type { Figure } from '../figures/figure.js';
import { historyLengths } from '../figures/history-lengths.js';
import { lossCurve } from '../figures/loss-curve.js';
import { metricBars } from '../figures/metric-bars.js';
import { popularityCurve } from '../figures/popularity-curve.js';
import { sidUsage } from '../figures/sid/sid-usage.js';
import { type MetricLine, readMetrics } from '../runs/metric-lines.js';
import { countCodes } from '../sid/quantized.js';
import type { ResultRow } from './result-rows.js';
import type { PipelineStages } from './stages.js';

/** What a figure is drawn from. */
export interface PipelineFigureContext {
  dataset: Dataset;
  /** Tokens of each item's SID. */
  index: SidIndex;
  /** The results table, one row a model. */
  rows: readonly ResultRow[];
  /** Lines of `metrics.jsonl` of each run; those of GRPO only where it ran. */
  metrics: { sft: readonly MetricLine[]; grpo?: readonly MetricLine[] };
}

/** A figure of the pipeline: one of `PIPELINE_FIGURES`, or an object of your own in a notebook cell. */
export interface PipelineFigure {
  /** Name of the files, without their ending. */
  readonly name: string;
  /** @returns undefined where there is nothing to draw */
  draw(context: PipelineFigureContext): Figure | undefined;
}

/** The kit's. */
export const PIPELINE_FIGURES: readonly PipelineFigure[] = [
  {
    name: 'item-popularity',
    draw: ({ dataset }) =>
      popularityCurve(targetCounts(dataset), { title: 'Purchases of each item in the training rows' }),
  },
  {
    name: 'history-lengths',
    draw: ({ dataset: { train, valid, test } }) =>
      historyLengths([...train, ...valid, ...test].map(({ history }) => history.length)),
  },
  {
    name: 'sid-usage',
    draw({ index }) {
      const all = indexCodes(index, countsFrom(index));
      const levels = all.reduce((least, path) => Math.min(least, path.length), Infinity); // a rank is no level
      const codes = all.map((path) => path.slice(0, levels));
      return sidUsage(countCodes(codes, codebookSizes(codes)));
    },
  },
  {
    name: 'sft-loss',
    draw: ({ metrics }) => lossCurve(metrics.sft, { title: 'Supervised fine-tuning', metric: 'valid NDCG@10' }),
  },
  { name: 'results', draw: ({ rows }) => metricBars(rows, { metrics: ['HR@5', 'HR@10', 'NDCG@10'] }) },
  {
    name: 'grpo-reward',
    draw: ({ metrics: { grpo } }) =>
      grpo && lossCurve(grpo, { title: 'GRPO: reward of the rollouts', loss: 'reward', metric: 'valid NDCG@10' }),
  },
];

/**
 * Every figure of the pipeline by its file name.
 * @param figures `[...PIPELINE_FIGURES, mine]` draws one of your own beside them
 */
export async function pipelineFigures(
  stages: PipelineStages,
  rows: readonly ResultRow[],
  figures: readonly PipelineFigure[] = PIPELINE_FIGURES,
): Promise<Record<string, Figure>> {
  const { config } = stages;
  const dataset = await loadDataset(config.out, config.dataset);
  const lines = (run: string): MetricLine[] => readMetrics(join(stages.runs, run, 'metrics.jsonl'));
  const metrics = { sft: lines('sft'), ...(config.grpo && { grpo: lines('grpo') }) };
  const context = { dataset, index: readIndex(stages.index, dataset.items.length), rows, metrics };
  const drawn = figures.map(({ name, draw }) => [name, draw(context)] as const);
  return Object.fromEntries(drawn.flatMap(([name, figure]) => (figure ? [[name, figure] as const] : [])));
}

/** How many training rows ask for each item. */
function targetCounts({ items, train }: Dataset): number[] {
  const counts = items.map(() => 0);
  for (const { target } of train) counts[target]!++;
  return counts;
}

/** Codes of each level, as far as they occur. */
function codebookSizes(codes: readonly (readonly number[])[]): number[] {
  const sizes: number[] = []; // in a loop: a catalogue has more items than a call takes arguments
  for (const code of codes) code.forEach((c, level) => (sizes[level] = Math.max(sizes[level] ?? 0, c + 1)));
  return sizes;
}
